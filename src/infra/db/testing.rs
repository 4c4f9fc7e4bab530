//! Databases for tests: an SQLite file and a Postgres database of one's own, both migrated.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::{self, Connection, PgConnection};
use tempfile::TempDir;
use ulid::Ulid;

use super::{Database, Kind, connect_postgres, connect_sqlite, migrate};
use crate::common::id::fresh;
use crate::config;

/// Names of databases that tests made; the rest of the name is a ULID, so their age shows.
const PREFIX: &str = "brokle_unit_";

/// A database that ends with the test.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    pub db: Database,
    _dir: Option<Arc<TempDir>>,
}

impl std::ops::Deref for TestDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.db
    }
}

/// A fresh database of each kind, migrated.
///
/// Fails, and never skips, when there is no Postgres.
pub async fn test_databases() -> Vec<TestDatabase> {
    let databases = vec![sqlite().await, postgres().await];
    for database in &databases {
        migrate::with_migration_lock(database, async |lock| migrate::migrate(database, lock).await).await.unwrap();
    }
    databases
}

/// An SQLite database without tables.
pub async fn sqlite() -> TestDatabase {
    let dir = tempfile::tempdir().unwrap();
    let db = connect_sqlite(&dir.path().join("test.db")).await.unwrap();
    TestDatabase { db, _dir: Some(Arc::new(dir)) }
}

/// An SQLite database with tables.
pub async fn migrated_sqlite() -> TestDatabase {
    let database = sqlite().await;
    migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await.unwrap();
    database
}

/// A Postgres database without tables.
pub async fn postgres() -> TestDatabase {
    let url = postgres_url().await;
    let db = connect_postgres(&settings(&url), Duration::from_secs(5)).await.unwrap();
    assert_eq!(db.kind(), Kind::Postgres);
    TestDatabase { db, _dir: None }
}

/// The settings for a database at `url`.
pub fn settings(url: &str) -> config::Database {
    config::Database { url: url.to_owned().into(), max_connections: 10, acquire_timeout_seconds: 10 }
}

/// Makes an empty database and returns its address.
pub async fn postgres_url() -> String {
    let server = server();
    let mut connection = PgConnection::connect(&server)
        .await
        .unwrap_or_else(|error| panic!("the Postgres of BROKLE_TEST_DATABASE_URL does not answer ({error}); start it with: make services"));
    drop_old(&mut connection).await;
    let name = format!("{PREFIX}{}", fresh().to_string().to_lowercase());
    execute(&mut connection, format!("CREATE DATABASE {name}")).await.unwrap();
    let mut url: reqwest::Url = server.parse().unwrap();
    url.set_path(&name);
    url.to_string()
}

/// Databases of tests that ended more than ten minutes ago. Those of this run go with the next run: nothing asynchronous can
/// be done when a test ends.
async fn drop_old(connection: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'brokle\\_unit\\_%'")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    let now = fresh().timestamp_ms();
    for name in names {
        let made = name.strip_prefix(PREFIX).and_then(|id| Ulid::from_string(&id.to_uppercase()).ok());
        if made.is_some_and(|id| now.saturating_sub(id.timestamp_ms()) > 600_000) {
            // Another test may be dropping it too.
            let _ = execute(connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await.map(drop)
}

#[expect(clippy::disallowed_methods, reason = "tests are told of their services by the environment")]
fn server() -> String {
    std::env::var("BROKLE_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("BROKLE_TEST_DATABASE_URL is not set: these tests need Postgres; start it with `make services` and export what that prints")
    })
}
