//! Bringing the tables to the version this program needs.
//!
//! A server (or a standalone process) migrates at start under one lock that covers ClickHouse's migrations too, so that five
//! servers starting together migrate once. A worker migrates nothing: it waits. Migrations only ever go forward; each is
//! written so that the version before it keeps working (expand, then contract), because servers are replaced one by one.

use std::time::Duration;

use sea_orm::sea_query::IntoIden;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{self, Connection};
use sea_orm_migration::sea_orm::{DynIden, sea_query::Alias};
use sea_orm_migration::{MigrationTrait, MigratorTrait, seaql_migrations};

use super::{Database, Error, Kind};

#[path = "../../../migrations/relational/mod.rs"]
mod relational;

/// The name of the last migration: what the tables must be at.
#[must_use]
pub fn required_version() -> &'static str {
    relational::LAST
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        relational::all()
    }

    fn migration_table_name() -> DynIden {
        Alias::new("relational_migrations").into_iden()
    }
}

/// Proof that this process may migrate. Freed by [`MigrationLock::release`], or with its connection when the process dies.
#[derive(Debug)]
pub struct MigrationLock {
    /// A connection of its own: an advisory lock belongs to the connection that took it.
    postgres: Option<PgConnection>,
}

/// "brokle" and a number, as Postgres wants its lock named by 64 bits.
const LOCK_KEY: i64 = 0x6272_6f6b_6c65_0001;
const LOCK_POLL: Duration = Duration::from_millis(200);
const LOCK_PATIENCE: Duration = Duration::from_mins(15);

impl MigrationLock {
    /// Waits until no other process migrates.
    pub async fn acquire(db: &Database) -> Result<Self, Error> {
        match db.kind() {
            // The data directory belongs to one process, and each migration runs in a BEGIN IMMEDIATE.
            Kind::Sqlite => Ok(Self { postgres: None }),
            Kind::Postgres => {
                let options = db.writer().get_postgres_connection_pool().connect_options();
                let mut connection = PgConnection::connect_with(&options).await.map_err(sqlx_error)?;
                let started = tokio::time::Instant::now();
                let mut said = false;
                loop {
                    let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                        .bind(LOCK_KEY)
                        .fetch_one(&mut connection)
                        .await
                        .map_err(sqlx_error)?;
                    if taken {
                        return Ok(Self { postgres: Some(connection) });
                    }
                    if started.elapsed() > LOCK_PATIENCE {
                        return Err(Error::Locked(LOCK_PATIENCE.as_secs()));
                    }
                    if !said {
                        tracing::info!("another process is migrating the database; waiting for it");
                        said = true;
                    }
                    tokio::time::sleep(LOCK_POLL).await;
                }
            }
        }
    }

    /// Lets the next process migrate.
    pub async fn release(self) -> Result<(), Error> {
        match self.postgres {
            // Ending the connection frees the lock whatever state the work left it in.
            Some(connection) => connection.close().await.map_err(sqlx_error),
            None => Ok(()),
        }
    }
}

fn sqlx_error(error: sqlx::Error) -> Error {
    Error::from(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))
}

/// Runs `work` while no other process migrates.
pub async fn with_migration_lock<T, E: From<Error>>(db: &Database, work: impl AsyncFnOnce(&MigrationLock) -> Result<T, E>) -> Result<T, E> {
    let lock = MigrationLock::acquire(db).await?;
    let result = work(&lock).await;
    let released = lock.release().await;
    match (result, released) {
        (Ok(done), Ok(())) => Ok(done),
        (Ok(_), Err(error)) => Err(error.into()),
        // Why the work failed is what somebody has to mend; often the lock's connection has only gone the same way.
        (Err(error), released) => {
            if let Err(cause) = released {
                tracing::warn!(error = %cause, "the migration lock was not released in good order; it ends with its connection");
            }
            Err(error)
        }
    }
}

/// Applies what is missing; returns the names of what was applied.
pub async fn migrate(db: &Database, _lock: &MigrationLock) -> Result<Vec<String>, Error> {
    let missing = pending(db).await?;
    if missing.is_empty() {
        return Ok(missing);
    }
    match db.kind() {
        // All in one transaction: a crash in the middle leaves the file as it was.
        Kind::Sqlite => {
            let txn = db.begin().await?;
            Migrator::up(&txn, None).await?;
            txn.commit().await?;
        }
        // Each in its own: some statements of Postgres want that, and what is done stays done.
        Kind::Postgres => Migrator::up(db.writer(), None).await?,
    }
    tracing::info!(migrations = missing.len(), version = required_version(), "database migrated");
    Ok(missing)
}

/// The migrations that are still to be applied, oldest first. Changes nothing.
///
/// # Errors
/// [`Error::Newer`] when the database knows migrations that this program does not.
pub async fn pending(db: &Database) -> Result<Vec<String>, Error> {
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let applied = applied(db).await?;
    let unknown: Vec<String> = applied.iter().filter(|version| !known.contains(version)).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::Newer(unknown));
    }
    Ok(known.into_iter().filter(|name| !applied.contains(name)).collect())
}

async fn applied(db: &Database) -> Result<Vec<String>, Error> {
    use sea_orm::{EntityTrait, FromQueryResult, Statement};
    let table = Migrator::migration_table_name().to_string();
    let manager = sea_orm_migration::SchemaManager::new(db.conn());
    if !manager.has_table(&table).await? {
        return Ok(Vec::new());
    }
    let backend = db.conn().get_database_backend();
    let rows = seaql_migrations::Entity::find()
        .from_raw_sql(Statement::from_string(backend, format!("SELECT version, applied_at FROM {table} ORDER BY version")))
        .into_model::<Applied>()
        .all(db.conn())
        .await?;
    #[derive(FromQueryResult)]
    struct Applied {
        version: String,
    }
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// Waits until a server has brought the tables to the version this program needs, at most `patience`.
pub async fn wait_until_current(db: &Database, patience: Duration) -> Result<(), Error> {
    const POLL: Duration = Duration::from_secs(1);
    const SAY_AGAIN: Duration = Duration::from_secs(10);
    let started = tokio::time::Instant::now();
    let mut said: Option<tokio::time::Instant> = None;
    loop {
        let missing = match pending(db).await {
            Ok(missing) if missing.is_empty() => return Ok(()),
            Ok(missing) => missing,
            Err(Error::Unavailable(cause)) => {
                tracing::warn!("the database does not answer: {cause}");
                Vec::new()
            }
            Err(other) => return Err(other),
        };
        if started.elapsed() >= patience {
            return Err(Error::Behind(missing));
        }
        if said.is_none_or(|when| when.elapsed() >= SAY_AGAIN) {
            tracing::info!(
                version = required_version(),
                missing = missing.len(),
                "waiting for a server to migrate the database to the version this worker needs"
            );
            said = Some(tokio::time::Instant::now());
        }
        tokio::time::sleep(POLL.min(patience)).await;
    }
}
