//! `brokle admin create-user|reset-password|create-key|list-keys|revoke-key`: for operators with a shell, past every permission.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;

use super::output;
use crate::app::{Patience, connect_redis, tell_processes};
use crate::audit::{Audit, By, Event};
use crate::auth::{
    ApiKeys, Error, NewKey, Passwords, Revocations, Revoked, clear_attempts, end_sessions, random_password, withdraw_resets,
};
use crate::common::clock::{SharedClock, SystemClock};
use crate::common::id::{OrganizationId, ProjectId};
use crate::config::{Config, Role as Mode};
use crate::enterprise::Enterprise;
use crate::infra::bus::{Bus, Heard, Notice};
use crate::infra::db::{self, Database, migrate};
use crate::organization::{Directory, Role};
use crate::user::{Email, NewUser, Users};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a user; without --password-stdin a password is made and printed
    CreateUser(CreateUser),
    /// Give a user a new password and end all the user's sessions
    ResetPassword(ResetPassword),
    /// Make an API key for a project and print it
    CreateKey(CreateKey),
    /// List the API keys that were not revoked
    ListKeys,
    /// Revoke an API key, on all running servers at once
    RevokeKey(RevokeKey),
}

#[derive(Debug, clap::Args)]
pub(super) struct CreateUser {
    #[arg(long)]
    email: String,
    #[arg(long, default_value = "")]
    first_name: String,
    #[arg(long, default_value = "")]
    last_name: String,
    /// Platform administrator: runs the installation
    #[arg(long)]
    admin: bool,
    /// Make the user a member of this organization (its id)
    #[arg(long)]
    organization: Option<OrganizationId>,
    /// The role there
    #[arg(long, default_value = "developer", requires = "organization", value_parser = ["owner", "admin", "developer", "viewer"])]
    role: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ResetPassword {
    #[arg(long)]
    email: String,
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CreateKey {
    /// The project's id
    #[arg(long)]
    project: ProjectId,
    #[arg(long, default_value = "Made by an operator")]
    name: String,
    /// Days until it expires; without it, never
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    expires_in_days: Option<u16>,
}

#[derive(Debug, clap::Args)]
pub(super) struct RevokeKey {
    /// The key, its preview (bk_AbCd...XyZa) or its id; - reads it from standard input
    key: String,
}

/// Opens the database of `config`, which must be current.
pub(super) async fn open(config: &Config) -> anyhow::Result<Database> {
    let db = match config.role {
        Mode::Standalone => {
            let path = config.data.dir.join("brokle.db");
            ensure!(path.exists(), "there is no installation in {} (BROKLE_DATA_DIR); start `brokle` once", config.data.dir.display());
            db::connect_sqlite(&path).await?
        }
        Mode::Server | Mode::Worker => db::connect_postgres(&config.database, Duration::from_secs(5)).await?,
    };
    let missing = migrate::pending(&db).await?;
    ensure!(missing.is_empty(), "the database lacks {} migration(s): run `brokle migrate`, or start a server", missing.len());
    Ok(db)
}

/// Opens the database of `config` and does it. A standalone process may be running: only its SQLite file is touched.
pub(super) async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    let db = open(&config).await?;
    let bus = Bus::new();
    let mut announced = bus.outgoing();
    let revocations = Revocations::new(bus);
    let clock: SharedClock = Arc::new(SystemClock);
    let audit = Audit::new(db.clone(), clock.clone(), Enterprise::new(&config, clock).seams.compliance);
    let outcome = execute(command, &db, &audit, &revocations, &mut std::io::stdin(), &mut std::io::stdout()).await;
    db.close().await?;
    outcome?;
    while let Ok(notice) = announced.try_recv() {
        tell(&config, notice).await?;
    }
    Ok(())
}

/// Makes what was taken back known to the processes that run.
async fn tell(config: &Config, notice: Notice) -> anyhow::Result<()> {
    let Some(revoked) = Revoked::of(&Heard::Notice(notice.clone())) else { return Ok(()) };
    let seconds = if matches!(revoked, Revoked::ApiKey(_)) { config.auth.api_key_cache_seconds } else { 30 };
    if config.role == Mode::Standalone {
        let within = if matches!(revoked, Revoked::ApiKey(_)) { "a second" } else { "half a minute" };
        output::line(&format!("a Brokle that is running notices within {within}"));
        return Ok(());
    }
    let told = async { tell_processes(&connect_redis(config, Patience::Command).await?, notice).await };
    told.await.with_context(|| {
        format!(
            "done, but running servers could not be told and may notice only after {seconds} s; once Redis is there, run the same again"
        )
    })?;
    output::line("all running servers were told");
    Ok(())
}

async fn execute(
    command: Command,
    db: &Database,
    audit: &Audit,
    revocations: &Revocations,
    input: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let keys = || ApiKeys::new(db.clone(), clock.clone(), audit.clone(), revocations.clone(), Duration::from_secs(1));
    match command {
        Command::CreateUser(arguments) => create_user(arguments, db, clock, audit, input, out).await,
        Command::ResetPassword(arguments) => reset_password(arguments, db, clock, audit, revocations, input, out).await,
        Command::CreateKey(arguments) => create_key(arguments, db, &keys(), clock, out).await,
        Command::ListKeys => list_keys(db, &keys(), clock, out).await,
        Command::RevokeKey(arguments) => revoke_key(&arguments, &keys(), input, out).await,
    }
}

/// A password to be set.
struct Password {
    text: String,
    /// Made here, so it must be printed.
    made: bool,
}

impl Password {
    fn read(from_stdin: bool, input: &mut (dyn Read + Send)) -> anyhow::Result<Self> {
        if !from_stdin {
            return Ok(Self { text: random_password(), made: true });
        }
        let mut text = String::new();
        input.take(4096).read_to_string(&mut text).context("cannot read the password from standard input")?;
        Ok(Self { text: text.trim_end_matches(['\n', '\r']).to_owned(), made: false })
    }

    fn tell(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.made { writeln!(out, "password: {}", self.text) } else { Ok(()) }
    }
}

async fn create_user(
    arguments: CreateUser,
    db: &Database,
    clock: SharedClock,
    audit: &Audit,
    input: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let (users, directory) = (Users::new(db.clone(), clock.clone()), Directory::new(db.clone(), clock));
    let email: Email = arguments.email.parse()?;
    let password = Password::read(arguments.password_stdin, input)?;
    let hash = Passwords::new().hash_for(&email, &password.text).await?;

    let txn = db.begin().await?;
    let new = NewUser {
        email,
        first_name: arguments.first_name,
        last_name: arguments.last_name,
        password_hash: Some(hash),
        is_admin: arguments.admin,
        verified: true,
    };
    let user = users.create(&txn, new).await?;
    audit.record(&txn, &By::operator(), Event::new("user.create", "user", user.id).named(&user.email)).await?;
    if let Some(organization) = arguments.organization {
        if directory.find_organization(&txn, organization).await?.is_none() {
            bail!("there is no organization {organization}");
        }
        directory.add_member(&txn, organization, user.id, &Role::from(arguments.role.as_str())).await?;
        users.set_default_organization(&txn, user.id, organization).await?;
    }
    txn.commit().await?;
    writeln!(out, "user: {} ({})", user.email, user.id)?;
    Ok(password.tell(out)?)
}

async fn reset_password(
    arguments: ResetPassword,
    db: &Database,
    clock: SharedClock,
    audit: &Audit,
    revocations: &Revocations,
    input: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let users = Users::new(db.clone(), clock.clone());
    let email: Email = arguments.email.parse()?;
    let user = users.find_by_email(&email).await?.with_context(|| format!("there is no user {email}"))?;
    let password = Password::read(arguments.password_stdin, input)?;
    let hash = Passwords::new().hash_for(&email, &password.text).await?;

    let txn = db.begin().await?;
    users.set_password(&txn, user.id, hash).await?;
    let ended = end_sessions(&txn, user.id, "password_reset", clock.now()).await?;
    withdraw_resets(&txn, user.id, clock.now()).await?;
    clear_attempts(&txn, user.id, &user.email).await?;
    audit.record(&txn, &By::operator(), Event::new("user.password_reset", "user", user.id).named(&user.email)).await?;
    txn.commit().await?;
    revocations.user(user.id);
    writeln!(out, "user: {} ({}), {ended} session(s) ended", user.email, user.id)?;
    Ok(password.tell(out)?)
}

async fn create_key(
    arguments: CreateKey,
    db: &Database,
    keys: &ApiKeys,
    clock: SharedClock,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let directory = Directory::new(db.clone(), clock.clone());
    let project = directory
        .find_project(db.conn(), arguments.project)
        .await?
        .with_context(|| format!("there is no project {}", arguments.project))?;
    let expires_at = arguments.expires_in_days.map(|days| clock.now() + TimeDelta::days(days.into()));
    let (view, key) = keys.create(NewKey::new(project.id, &arguments.name).expiring(expires_at), &By::operator()).await?;
    writeln!(out, "key: {} ({}, project {})", key.expose(), view.id, project.name)?;
    Ok(())
}

async fn list_keys(db: &Database, keys: &ApiKeys, clock: SharedClock, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let directory = Directory::new(db.clone(), clock);
    for key in keys.all().await? {
        let project = directory.find_project(db.conn(), key.project_id).await?;
        let project = project.map_or_else(|| "a deleted project".to_owned(), |project| project.name);
        let used = key.last_used.map_or_else(|| "never".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
        writeln!(
            out,
            "{} {} {} (\"{}\", project {project}, {}, last used: {used})",
            key.id, key.key_preview, key.status, key.name, key.project_id
        )?;
    }
    Ok(())
}

async fn revoke_key(
    arguments: &RevokeKey,
    keys: &ApiKeys,
    input: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let mut name = arguments.key.clone();
    if name == "-" {
        name.clear();
        input.take(4096).read_to_string(&mut name).context("cannot read the key from standard input")?;
    }
    let key = match keys.revoke_named(name.trim(), &By::operator()).await {
        // Without its name: it may be a key that somebody mistyped.
        Err(Error::KeyNotFound) => bail!("there is no such API key; `brokle admin list-keys` lists all"),
        other => other?,
    };
    writeln!(out, "revoked: {} ({}, \"{}\")", key.key_preview, key.id, key.name)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, Subcommand};

    use super::*;
    use crate::auth::Device;
    use crate::auth::testing::{PASSWORD, World, worlds};

    async fn brokle_admin(world: &World, line: &str, stdin: &str) -> anyhow::Result<String> {
        let matches = Command::augment_subcommands(clap::Command::new("admin")).try_get_matches_from(format!("admin {line}").split(' '))?;
        let mut out = Vec::new();
        execute(
            Command::from_arg_matches(&matches)?,
            &world.db,
            &world.audit,
            &Revocations::new(world.bus.clone()),
            &mut stdin.as_bytes(),
            &mut out,
        )
        .await?;
        Ok(String::from_utf8(out)?)
    }

    #[tokio::test]
    async fn a_made_user_can_sign_in_with_the_printed_password() {
        for world in worlds().await {
            let line = format!("create-user --email Bob@example.com --admin --organization {} --role viewer", world.organization.id);
            let printed = brokle_admin(&world, &line, "").await.unwrap();
            let password = printed.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
            let signed_in = world.sessions.login("bob@example.com", password, Device::default()).await.unwrap();
            let context = world.sessions.authenticate_access(&signed_in.access_token).await.unwrap();
            assert!(context.is_admin);
            assert_eq!(world.directory.project_role(context.user_id, world.project.id).await.unwrap(), Some(Role::Viewer));
            let again = brokle_admin(&world, &line, "").await.unwrap_err();
            assert!(again.to_string().contains("exists already"), "{again}");
        }
    }

    #[tokio::test]
    async fn a_new_password_ends_the_sessions() {
        for world in worlds().await {
            let before = world.sessions.login("ada@example.com", PASSWORD, Device::default()).await.unwrap();
            let printed =
                brokle_admin(&world, "reset-password --email ada@example.com --password-stdin", "another password\n").await.unwrap();
            assert!(printed.contains("1 session(s) ended") && !printed.contains("another password"), "{printed}");
            assert!(world.sessions.refresh(&before.refresh_token, Device::default()).await.is_err());
            assert!(world.sessions.login("ada@example.com", PASSWORD, Device::default()).await.is_err());
            assert!(world.sessions.login("ada@example.com", "another password", Device::default()).await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_made_key_stands_for_its_project() {
        for world in worlds().await {
            let printed =
                brokle_admin(&world, &format!("create-key --project {} --expires-in-days 30", world.project.id), "").await.unwrap();
            let key = printed.strip_prefix("key: ").unwrap().split(' ').next().unwrap();
            // The world's clock stands in the future of the machine's, so the key is looked at by a world of the present.
            let keys = ApiKeys::new(
                world.db.db.clone(),
                Arc::new(SystemClock),
                world.audit.clone(),
                Revocations::new(Bus::new()),
                Duration::from_secs(1),
            );
            assert_eq!(keys.authenticate(key).await.unwrap().unwrap().project_id, world.project.id);
        }
    }

    #[tokio::test]
    async fn a_key_is_revoked_by_itself_its_preview_or_its_id_and_announced() {
        for world in worlds().await {
            for (n, by) in ["key", "preview", "id", "stdin"].into_iter().enumerate() {
                let (view, key) = world.api_keys.create(NewKey::new(world.project.id, format!("CI {n}")), &By::operator()).await.unwrap();
                let listed = brokle_admin(&world, "list-keys", "").await.unwrap();
                assert!(listed.contains(&view.key_preview) && listed.contains(&view.id.to_string()), "{listed}");
                assert!(!listed.contains(key.expose()), "{listed}");
                let mut heard = world.revocations();
                let name = match by {
                    "key" => key.expose().to_owned(),
                    "preview" => view.key_preview.clone(),
                    "id" => view.id.to_string(),
                    _ => "-".to_owned(),
                };
                let printed = brokle_admin(&world, &format!("revoke-key {name}"), &format!("{}\n", key.expose())).await.unwrap();
                assert!(printed.contains(&view.id.to_string()) && !printed.contains(key.expose()), "{printed}");
                assert_eq!(heard.take().unwrap(), Revoked::ApiKey(crate::auth::KeyHash::of(key.expose())));
                assert!(world.other_server().api_keys.authenticate(key.expose()).await.unwrap().is_none(), "by {by}");
                assert!(!brokle_admin(&world, "list-keys", "").await.unwrap().contains(&view.id.to_string()));
                // Once more, for servers that could not be told.
                brokle_admin(&world, &format!("revoke-key {}", view.id), "").await.unwrap();
                assert!(heard.take().is_some());
            }
        }
    }

    #[tokio::test]
    async fn a_preview_that_two_keys_share_is_refused() {
        let world = World::small().await;
        let shared = ["bk_AbCd00000000000000000000000000000000XyZa", "bk_AbCd11111111111111111111111111111111XyZa"];
        for key in shared {
            let key = crate::auth::SecretKey::parse(key).unwrap();
            world.api_keys.add(world.db.writer(), &key, NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
        }
        let error = brokle_admin(&world, "revoke-key bk_AbCd...XyZa", "").await.unwrap_err().to_string();
        for key in world.api_keys.all().await.unwrap() {
            assert!(error.contains(&key.id.to_string()), "{error}");
        }
        brokle_admin(&world, &format!("revoke-key {}", shared[0]), "").await.unwrap();
        brokle_admin(&world, "revoke-key bk_AbCd...XyZa", "").await.unwrap();
        assert!(world.api_keys.all().await.unwrap().is_empty());
        let unknown = brokle_admin(&world, &format!("revoke-key {}", shared[0].replace('0', "2")), "").await.unwrap_err().to_string();
        assert!(unknown.contains("no such API key") && unknown.contains("list-keys") && !unknown.contains("2222"), "{unknown}");
    }

    #[tokio::test]
    async fn what_does_not_exist_is_named() {
        let world = World::small().await;
        let nowhere = ProjectId::fresh();
        for (line, said) in [
            (format!("create-key --project {nowhere}"), format!("there is no project {nowhere}")),
            ("reset-password --email nobody@example.com".to_owned(), "there is no user nobody@example.com".to_owned()),
            (format!("create-user --email x@example.com --organization {nowhere}"), format!("there is no organization {nowhere}")),
            ("create-user --email x@example.com --role owner".to_owned(), "--organization".to_owned()),
            ("create-user --email x@example.com --password-stdin".to_owned(), "a password needs 8".to_owned()),
        ] {
            let error = format!("{:#}", brokle_admin(&world, &line, "short").await.unwrap_err());
            assert!(error.contains(&said), "{line}: {error}");
        }
    }
}
