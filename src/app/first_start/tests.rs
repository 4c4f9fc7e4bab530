use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use super::announce::Place;
use super::{Secrets, prepare_at};
use crate::auth::{ApiKeys, Device, Revocations};
use crate::common::clock::{FixedClock, SharedClock};
use crate::config::{Config, Environment};
use crate::infra::bus::Bus;
use crate::infra::db::testing::{TestDatabase, migrated_sqlite, test_databases};
use crate::infra::db::{Database, installation};
use crate::organization::{Directory, Role};

const KEY: &str = "bk_0123456789012345678901234567890123456789";

fn clock() -> SharedClock {
    Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()))
}

fn config<const N: usize>(dir: &Path, set: [(&str, &str); N]) -> Config {
    let mut config = Config::load(&Environment::from(set)).unwrap();
    config.data.dir = dir.to_owned();
    config
}

fn server<const N: usize>(set: [(&str, &str); N]) -> Config {
    let mut config = Config::load(&Environment::from(set)).unwrap();
    config.role = crate::config::Role::Server;
    config.auth.jwt_secret = "the secret of the tests, 32 bytes or more".to_owned().into();
    config
}

/// Starts, and returns what the terminal showed.
async fn start(config: &Config, db: &Database, terminal: bool) -> anyhow::Result<(Secrets, String)> {
    let mut shown = Vec::new();
    let secrets = prepare_at(config, 8080, db, clock(), &mut Place { terminal, out: Box::new(&mut shown) }).await?;
    Ok((secrets, String::from_utf8(shown)?))
}

fn after<'a>(text: &'a str, label: &str) -> &'a str {
    text.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap_or_else(|| panic!("no {label} in {text}")).trim()
}

async fn counts(db: &Database) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in ["organizations", "projects", "users", "organization_members", "api_keys"] {
        let statement = sea_orm::Statement::from_string(db.conn().get_database_backend(), format!("SELECT count(*) FROM {table}"));
        counts.push(db.conn().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap());
    }
    counts
}

struct Fresh {
    dir: TempDir,
    db: TestDatabase,
}

async fn fresh() -> Fresh {
    Fresh { dir: tempfile::tempdir().unwrap(), db: migrated_sqlite().await }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_standalone_installation_is_usable_after_its_first_start() {
    let Fresh { dir, db } = fresh().await;
    let config = config(dir.path(), []);
    let (secrets, shown) = start(&config, &db, true).await.unwrap();
    assert!(shown.contains("http://localhost:8080"), "{shown}");
    let (email, password, key) = (after(&shown, "log in as"), after(&shown, "password"), after(&shown, "API key"));

    let sessions = crate::auth::testing::sessions(&db, &clock(), &secrets.token_settings(&config).unwrap());
    let signed_in = sessions.login(email, password, Device::default()).await.unwrap();
    let context = sessions.authenticate_access(&signed_in.access_token).await.unwrap();
    assert!(context.is_admin);
    let audit = crate::auth::testing::audit(&db, &clock());
    let keys = ApiKeys::new(db.db.clone(), clock(), audit, Revocations::new(Bus::new()), Duration::from_secs(1));
    let stands_for = keys.authenticate(key).await.unwrap().unwrap();
    let directory = Directory::new(db.db.clone(), clock());
    assert_eq!(directory.project_role(context.user_id, stands_for.project_id).await.unwrap(), Some(Role::Owner));
    assert!(installation::find(db.conn(), installation::MADE_AT).await.unwrap().is_some());
    // Shown, so nothing of it stays on the disk.
    let mut files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["secrets.env"]);
}

#[tokio::test]
async fn the_snippet_is_a_request_that_can_be_pasted() {
    let Fresh { dir, db } = fresh().await;
    let (_, shown) = start(&config(dir.path(), []), &db, true).await.unwrap();
    let curl = shown.lines().find(|line| line.starts_with("curl ")).unwrap();
    assert!(curl.contains(&format!("-H 'X-API-Key: {}'", after(&shown, "API key"))));
    let body = curl.split(" -d '").nth(1).unwrap().strip_suffix('\'').unwrap();
    assert!(!body.contains('\''), "the shell would end the body there");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let spans = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(spans[0]["traceId"].as_str().unwrap().len(), 32);
    assert_eq!(spans[0]["startTimeUnixNano"], "1799999998600000000");
    assert!(shown.contains("from brokle import Brokle"));
}

#[tokio::test]
async fn without_a_terminal_a_private_file_has_it() {
    let Fresh { dir, db } = fresh().await;
    let (_, shown) = start(&config(dir.path(), []), &db, false).await.unwrap();
    assert_eq!(shown, "");
    let file = dir.path().join("first-start.txt");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(after(&text, "API key").starts_with("bk_"));
    #[cfg(unix)]
    for file in [file, dir.path().join("secrets.env")] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(!dir.path().join("first-start.pending").exists());
}

#[tokio::test]
async fn later_starts_make_and_show_nothing() {
    let Fresh { dir, db } = fresh().await;
    let config = config(dir.path(), []);
    let (first, _) = start(&config, &db, true).await.unwrap();
    let before = counts(&db).await;
    assert_eq!(before, [1, 1, 1, 1, 1]);
    let (second, shown) = start(&config, &db, true).await.unwrap();
    assert_eq!(shown, "");
    assert_eq!(counts(&db).await, before);
    assert_eq!(first.jwt_secret.expose(), second.jwt_secret.expose());
}

#[tokio::test]
async fn what_a_killed_process_made_is_shown_by_the_next() {
    let Fresh { dir, db } = fresh().await;
    let config = config(dir.path(), []);
    let (_, _) = start(&config, &db, false).await.unwrap();
    let text = std::fs::read_to_string(dir.path().join("first-start.txt")).unwrap();
    // As if killed between the commit and the telling.
    let mark = installation::find(db.conn(), super::MARK).await.unwrap().unwrap();
    std::fs::remove_file(dir.path().join("first-start.txt")).unwrap();
    std::fs::write(dir.path().join("first-start.pending"), format!("{mark}\n{text}")).unwrap();
    let (_, shown) = start(&config, &db, true).await.unwrap();
    assert_eq!(after(&shown, "password"), after(&text, "password"));
    assert!(!dir.path().join("first-start.pending").exists());
}

#[tokio::test]
async fn what_a_killed_process_did_not_commit_is_made_anew() {
    let Fresh { dir, db } = fresh().await;
    std::fs::write(dir.path().join("first-start.pending"), "01ARZ3NDEKTSV4RRFFQ69G5FAV\n  password    stale\n").unwrap();
    let (_, shown) = start(&config(dir.path(), []), &db, true).await.unwrap();
    assert_ne!(after(&shown, "password"), "stale");
    assert_eq!(counts(&db).await, [1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn chosen_names_and_secrets_are_used_and_not_shown() {
    let Fresh { dir, db } = fresh().await;
    let set = [
        ("BROKLE_INIT_ORG", "Acme"),
        ("BROKLE_INIT_PROJECT", "Search"),
        ("BROKLE_INIT_USER_EMAIL", "Ada@Example.com"),
        ("BROKLE_INIT_USER_PASSWORD", "a password of my own"),
        ("BROKLE_INIT_API_KEY", KEY),
    ];
    let (_, shown) = start(&config(dir.path(), set), &db, true).await.unwrap();
    assert_eq!(after(&shown, "log in as"), "ada@example.com");
    assert!(!shown.contains("a password of my own"));
    assert!(shown.contains(KEY));
}

#[tokio::test]
async fn a_server_makes_what_is_named_once_and_keeps_renames() {
    for db in test_databases().await {
        let named = server([
            ("BROKLE_INIT_ORG", "Acme"),
            ("BROKLE_INIT_PROJECT", "Search"),
            ("BROKLE_INIT_USER_EMAIL", "ada@example.com"),
            ("BROKLE_INIT_USER_PASSWORD", "a password of my own"),
            ("BROKLE_INIT_API_KEY", KEY),
        ]);
        start(&named, &db, true).await.unwrap();
        assert_eq!(counts(&db).await, [1, 1, 1, 1, 1]);
        db.writer().execute_unprepared("UPDATE organizations SET name = 'Acme Europe'").await.unwrap();
        db.writer().execute_unprepared("UPDATE projects SET name = 'Find'").await.unwrap();
        db.writer().execute_unprepared("UPDATE api_keys SET revoked_at = created_at").await.unwrap();
        let (_, shown) = start(&named, &db, true).await.unwrap();
        assert_eq!(counts(&db).await, [1, 1, 1, 1, 1]);
        assert_eq!(shown, "", "a server shows nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_make_it_once() {
    for db in test_databases().await {
        let named = server([
            ("BROKLE_INIT_ORG", "Acme"),
            ("BROKLE_INIT_PROJECT", "Search"),
            ("BROKLE_INIT_USER_EMAIL", "ada@example.com"),
            ("BROKLE_INIT_USER_PASSWORD", "a password of my own"),
            ("BROKLE_INIT_API_KEY", KEY),
        ]);
        let starts = futures_util::future::join_all((0..5).map(|_| start(&named, &db, false))).await;
        for started in starts {
            started.unwrap();
        }
        assert_eq!(counts(&db).await, [1, 1, 1, 1, 1]);
    }
}

#[tokio::test]
async fn a_server_without_names_makes_nothing() {
    let Fresh { db, .. } = fresh().await;
    start(&server([]), &db, true).await.unwrap();
    assert_eq!(counts(&db).await, [0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_deleted_organisation_does_not_come_back() {
    let Fresh { db, .. } = fresh().await;
    let named = server([("BROKLE_INIT_ORG", "Acme"), ("BROKLE_INIT_PROJECT", "Search")]);
    start(&named, &db, true).await.unwrap();
    db.writer().execute_unprepared("UPDATE organizations SET deleted_at = created_at").await.unwrap();
    start(&named, &db, true).await.unwrap();
    assert_eq!(counts(&db).await[..2], [1, 1]);
}

#[tokio::test]
async fn a_key_without_a_place_is_refused() {
    let Fresh { db, .. } = fresh().await;
    start(&server([("BROKLE_INIT_ORG", "Acme")]), &db, true).await.unwrap();
    let refused = start(&server([("BROKLE_INIT_API_KEY", KEY)]), &db, true).await.unwrap_err();
    assert!(refused.to_string().contains("BROKLE_INIT_PROJECT"), "{refused}");
}

#[tokio::test]
async fn secrets_that_were_damaged_are_not_replaced_silently() {
    let Fresh { dir, db } = fresh().await;
    std::fs::write(dir.path().join("secrets.env"), "JWT_SECRET=short\n").unwrap();
    let refused = start(&config(dir.path(), []), &db, true).await.unwrap_err();
    assert!(refused.to_string().contains("restore the file"), "{refused}");
}
