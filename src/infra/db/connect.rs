//! Opening the database at start.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection};
use sea_orm::{SqlxPostgresConnector, SqlxSqliteConnector};
use tracing::log::LevelFilter;

use super::{Database, Error, Kind};
use crate::config;

/// Another process (`brokle admin`) may hold the file for a moment.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const SLOW_STATEMENT: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Opens the SQLite file at `path`, making it (readable by its owner only) if it is missing.
pub async fn connect_sqlite(path: &Path) -> Result<Database, Error> {
    let failed = |cause: &dyn std::fmt::Display| Error::Connect(format!("cannot open the database file {}: {cause}", path.display()));
    make_private(path).map_err(|error| failed(&error))?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW_STATEMENT);
    // An acknowledged change of a key or a password outlives a power cut: FULL syncs the log at each commit.
    let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let reading = options.pragma("query_only", "on");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(writing)
        .await
        .map_err(|error| failed(&error))?;
    let read = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(reading)
        .await
        .map_err(|error| failed(&error))?;
    Ok(Database {
        kind: Kind::Sqlite,
        read: SqlxSqliteConnector::from_sqlx_sqlite_pool(read),
        write: SqlxSqliteConnector::from_sqlx_sqlite_pool(write),
    })
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    // SQLite gives its -wal and -shm files the rights of this one.
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Connects to the Postgres of `config`, trying for `patience` while it is away. A refusal that waiting cannot mend (wrong
/// password, no such database) ends it at once.
pub async fn connect_postgres(config: &config::Database, patience: Duration) -> Result<Database, Error> {
    let options = PgConnectOptions::from_str(config.url.expose())
        .map_err(|error| Error::Connect(format!("DATABASE_URL cannot be read as postgres://user:password@host/name: {}", brief(&error))))?
        .application_name("brokle")
        .log_statements(LevelFilter::Trace)
        .log_slow_statements(LevelFilter::Warn, SLOW_STATEMENT);
    let place = place(&options);
    wait_for(&options, &place, Duration::from_secs(config.acquire_timeout_seconds.max(1)), patience).await?;
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections.max(1))
        .acquire_timeout(Duration::from_secs(config.acquire_timeout_seconds))
        .connect_with(options)
        .await
        .map_err(|error| Error::Connect(format!("Postgres at {place}: {error}")))?;
    let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Database { kind: Kind::Postgres, read: pool.clone(), write: pool })
}

/// Tries single connections, because a pool hides why it could not make one.
async fn wait_for(options: &PgConnectOptions, place: &str, one_try: Duration, patience: Duration) -> Result<(), Error> {
    let started = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let cause = match tokio::time::timeout(one_try, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => {
                if let Some(advice) = hopeless(&error) {
                    return Err(Error::Connect(format!("Postgres at {place} refuses: {}; {advice}", brief(&error))));
                }
                brief(&error)
            }
            Err(_) => format!("no answer within {} s", one_try.as_secs()),
        };
        if started.elapsed() + pause > patience {
            return Err(Error::Connect(format!(
                "Postgres at {place} cannot be reached after {} s: {cause}; check that it runs and that DATABASE_URL names it",
                started.elapsed().as_secs()
            )));
        }
        tracing::warn!(database.server = %place, retry_ms = pause.as_millis(), "waiting for Postgres: {cause}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Host, port and database: what a person needs to find the server, and no password.
fn place(options: &PgConnectOptions) -> String {
    let server = options.get_socket().map_or_else(
        || format!("{}:{}", options.get_host(), options.get_port()),
        |socket| format!("{} (port {})", socket.display(), options.get_port()),
    );
    format!("{server}, database {}", options.get_database().unwrap_or_else(|| options.get_username()))
}

/// What to do about an error that stays however long one waits.
fn hopeless(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("28P01" | "28000") => Some("check user and password in DATABASE_URL, and pg_hba.conf"),
            Some("3D000") => Some("create the database, or correct its name in DATABASE_URL"),
            Some("42501") => Some("grant the user CONNECT on the database"),
            _ => None,
        },
        sqlx::Error::Tls(_) => Some("check sslmode and sslrootcert in DATABASE_URL"),
        sqlx::Error::Configuration(_) => Some("check DATABASE_URL"),
        _ => None,
    }
}

fn brief(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        sqlx::Error::Io(io) => io.to_string(),
        other => other.to_string(),
    }
}
