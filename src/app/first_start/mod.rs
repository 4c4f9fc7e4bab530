//! What a new installation starts with.
//!
//! A standalone installation makes itself usable: secrets, an organisation, a project, an administrator, an API key. In every
//! mode `BROKLE_INIT_*` names what shall be there, as often as the process starts. Nothing else makes the first administrator:
//! an installation that is open to the network cannot be claimed by whoever comes first.

mod announce;
mod secrets;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
pub use secrets::Secrets;

use self::announce::{Announcement, Login, Place};
use crate::audit::{Audit, By};
use crate::auth::{ApiKeys, NewKey, Passwords, Revocations, SecretKey, random_password};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, ProjectId, UserId, fresh};
use crate::config::{Config, Role as Mode};
use crate::enterprise::Enterprise;
use crate::infra::bus::Bus;
use crate::infra::db::{Database, installation};
use crate::organization::{Directory, Name, Role};
use crate::user::{Email, NewUser, PasswordHash, Users};

/// Named when nothing else is.
const ORGANIZATION: &str = "My organization";
const PROJECT: &str = "My project";
const ADMINISTRATOR: &str = "admin@localhost";
const KEY_NAME: &str = "First key";

/// Fact: the mark of the first start that was committed, also the first line of what is announced.
const MARK: &str = "first_start";
/// "brokle" and a number: one process at a time makes what is missing.
const LOCK_KEY: i64 = 0x6272_6f6b_6c65_0002;

/// Makes what is missing, announces it, and returns the secrets of the process.
///
/// # Errors
/// When the secrets cannot be kept, a `BROKLE_INIT_*` cannot be used, or the database fails.
pub async fn prepare(config: &Config, port: u16, db: &Database, clock: SharedClock) -> anyhow::Result<Secrets> {
    prepare_at(config, port, db, clock, &mut Place::of_process()).await
}

async fn prepare_at(config: &Config, port: u16, db: &Database, clock: SharedClock, place: &mut Place<'_>) -> anyhow::Result<Secrets> {
    let secrets = Secrets::of(config)?;
    let audit = Audit::new(db.clone(), clock.clone(), Enterprise::new(config, clock.clone()).seams.compliance);
    let starter = Starter {
        users: Users::new(db.clone(), clock.clone()),
        directory: Directory::new(db.clone(), clock.clone()),
        keys: ApiKeys::new(db.clone(), clock.clone(), audit, Revocations::new(Bus::new()), Duration::from_secs(1)),
        passwords: Passwords::new(),
        url: url(config, port),
        now: clock.now(),
        config,
        db,
    };
    let announces = config.role == Mode::Standalone;
    if announces && announce::resume(&config.data.dir, installation::find(db.conn(), MARK).await?.as_deref(), place)? {
        return Ok(secrets);
    }
    starter.run(announces.then_some(config.data.dir.as_path()), place).await?;
    Ok(secrets)
}

/// Where people open the web app; a configured address wins over the port that was bound.
fn url(config: &Config, port: u16) -> String {
    if config.server.app_url.is_empty() {
        let mut bound = config.clone();
        bound.server.port = port;
        bound.app_url()
    } else {
        config.app_url()
    }
}

/// Who the first start's user shall be.
struct Administrator {
    email: Email,
    password: String,
    hash: PasswordHash,
    /// Made here, so it must be told.
    invented: bool,
}

struct Starter<'a> {
    users: Users,
    directory: Directory,
    keys: ApiKeys,
    passwords: Passwords,
    url: String,
    now: DateTime<Utc>,
    config: &'a Config,
    db: &'a Database,
}

impl Starter<'_> {
    async fn run(&self, announce_in: Option<&Path>, place: &mut Place<'_>) -> anyhow::Result<()> {
        let init = &self.config.init;
        let named = !(init.org.is_empty() && init.project.is_empty() && init.user_email.is_empty() && init.api_key.is_empty());
        let standalone = self.config.role == Mode::Standalone;
        let wanted = named || (standalone && self.is_empty(self.db.conn()).await?);
        if !wanted {
            return Ok(());
        }
        // Hashing takes its time; it does not hold up the transaction.
        let administrator = self.administrator(standalone).await?;

        let txn = self.db.begin_alone(LOCK_KEY).await?;
        let empty = self.is_empty(&txn).await?;
        installation::find_or_set(&txn, installation::MADE_AT, &self.now.to_rfc3339(), self.now).await?;
        let organization = self.organization(&txn, empty).await?;
        let project = match organization {
            Some((organization, _)) => self.project(&txn, organization, empty).await?,
            None => None,
        };
        let user = match administrator.filter(|_| empty || !init.user_email.is_empty()) {
            Some(administrator) => self.user(&txn, administrator, organization).await?,
            None => None,
        };
        let key = self.key(&txn, project, user.as_ref().map(|(id, _)| *id), standalone && empty).await?;

        let news = Announcement { url: self.url.clone(), login: user.map(|(_, login)| login), key, made_at: self.now };
        let Some(dir) = announce_in.filter(|_| !news.is_empty()) else {
            txn.commit().await?;
            return Ok(());
        };
        // On disk before the commit: a crash in between must not leave an installation whose password nobody knows.
        let mark = fresh().to_string();
        installation::find_or_set(&txn, MARK, &mark, self.now).await?;
        let mark = installation::find(&txn, MARK).await?.unwrap_or(mark);
        announce::write_pending(dir, &mark, &news)?;
        txn.commit().await?;
        announce::publish(dir, place)
    }

    async fn is_empty(&self, db: &impl ConnectionTrait) -> anyhow::Result<bool> {
        Ok(self.users.count(db).await? == 0 && self.directory.count(db).await? == 0)
    }

    async fn administrator(&self, standalone: bool) -> anyhow::Result<Option<Administrator>> {
        let init = &self.config.init;
        if init.user_email.is_empty() && !standalone {
            return Ok(None);
        }
        let text = if init.user_email.is_empty() { ADMINISTRATOR } else { &init.user_email };
        let email: Email = text.parse().context("BROKLE_INIT_USER_EMAIL")?;
        if self.users.find_by_email(&email).await?.is_some() {
            return Ok(None);
        }
        let invented = init.user_password.is_empty();
        if invented && !standalone {
            bail!("BROKLE_INIT_USER_PASSWORD is not set: {email} needs a password to begin with");
        }
        let password = if invented { random_password() } else { init.user_password.expose().to_owned() };
        let hash = self.passwords.hash(&password).await.context("BROKLE_INIT_USER_PASSWORD")?;
        Ok(Some(Administrator { email, password, hash, invented }))
    }

    /// The organisation to work in, and whether it was made now.
    async fn organization(&self, txn: &DatabaseTransaction, empty: bool) -> anyhow::Result<Option<(OrganizationId, bool)>> {
        let configured = &self.config.init.org;
        if configured.is_empty() && !empty {
            return Ok(None);
        }
        let name: Name = if configured.is_empty() { ORGANIZATION } else { configured }.parse().context("BROKLE_INIT_ORG")?;
        // Remembered by the name it was made under: renamed in the web app, it is not made a second time.
        let fact = format!("init.organization:{name}");
        if let Some(id) = installation::find(txn, &fact).await? {
            let id: OrganizationId = id.parse()?;
            if self.directory.find_organization(txn, id).await?.is_none() {
                tracing::warn!(organization.id = %id, "the organization of BROKLE_INIT_ORG was deleted; it is not made again");
                return Ok(None);
            }
            return Ok(Some((id, false)));
        }
        let existing = self.directory.organizations_named(txn, name.as_str()).await?.into_iter().next();
        let made = existing.is_none();
        let organization = match existing {
            Some(organization) => organization,
            None => self.directory.create_organization(txn, &name).await?,
        };
        installation::find_or_set(txn, &fact, &organization.id.to_string(), self.now).await?;
        if made {
            tracing::info!(organization.id = %organization.id, "organization made at first start");
        }
        Ok(Some((organization.id, made)))
    }

    async fn project(&self, txn: &DatabaseTransaction, organization: OrganizationId, empty: bool) -> anyhow::Result<Option<ProjectId>> {
        let configured = &self.config.init.project;
        if configured.is_empty() && !empty {
            return Ok(None);
        }
        let name: Name = if configured.is_empty() { PROJECT } else { configured }.parse().context("BROKLE_INIT_PROJECT")?;
        let fact = format!("init.project:{organization}:{name}");
        let projects = self.directory.projects_of(txn, organization).await?;
        if let Some(id) = installation::find(txn, &fact).await? {
            let id: ProjectId = id.parse()?;
            let there = projects.iter().any(|project| project.id == id);
            if !there {
                tracing::warn!(project.id = %id, "the project of BROKLE_INIT_PROJECT was deleted; it is not made again");
            }
            return Ok(there.then_some(id));
        }
        let project = if let Some(project) = projects.into_iter().find(|project| project.name == name.as_str()) {
            project
        } else {
            let project = self.directory.create_project(txn, organization, &name).await?;
            tracing::info!(project.id = %project.id, "project made at first start");
            project
        };
        installation::find_or_set(txn, &fact, &project.id.to_string(), self.now).await?;
        Ok(Some(project.id))
    }

    async fn user(
        &self,
        txn: &DatabaseTransaction,
        administrator: Administrator,
        organization: Option<(OrganizationId, bool)>,
    ) -> anyhow::Result<Option<(UserId, Login)>> {
        let Administrator { email, password, hash, invented } = administrator;
        // Another process may have been faster since `administrator` looked.
        if self.users.find_by_email_in(txn, &email).await?.is_some() {
            return Ok(None);
        }
        let new = NewUser {
            email: email.clone(),
            first_name: String::new(),
            last_name: String::new(),
            password_hash: Some(hash),
            is_admin: true,
            verified: true,
        };
        let user = self.users.create(txn, new).await?;
        if let Some((organization, _)) = organization {
            self.directory.add_member(txn, organization, user.id, &Role::Owner).await?;
            self.users.set_default_organization(txn, user.id, organization).await?;
        }
        tracing::info!(user.id = %user.id, "administrator made at first start");
        Ok(Some((user.id, Login { email: email.to_string(), password: invented.then_some(password) })))
    }

    /// The API key, when it was made now.
    async fn key(
        &self,
        txn: &DatabaseTransaction,
        project: Option<ProjectId>,
        maker: Option<UserId>,
        invent: bool,
    ) -> anyhow::Result<Option<SecretKey>> {
        let configured = &self.config.init.api_key;
        let key = match (configured.is_empty(), invent) {
            (true, false) => return Ok(None),
            (true, true) => SecretKey::fresh(),
            (false, _) => SecretKey::parse(configured.expose()).context("BROKLE_INIT_API_KEY")?,
        };
        if self.keys.exists(txn, &key).await? {
            return Ok(None);
        }
        let Some(project) = project else {
            bail!(
                "BROKLE_INIT_API_KEY needs BROKLE_INIT_ORG and BROKLE_INIT_PROJECT: there are organizations already, and they do not say whose key it is"
            );
        };
        let view = self.keys.add(txn, &key, NewKey::new(project, KEY_NAME).made_for(maker), &By::system()).await?;
        tracing::info!(api_key.id = %view.id, project.id = %project, "API key made at first start");
        Ok(Some(key))
    }
}
