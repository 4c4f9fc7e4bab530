//! The relational database: SQLite in a standalone installation, Postgres behind servers and workers, one type for both.
//!
//! Reads go to [`Database::conn`], writes to [`Database::begin`] or [`Database::writer`]. On Postgres these are one pool. On
//! SQLite they are two: readers are marked `query_only`, and the one writing connection starts every transaction with BEGIN
//! IMMEDIATE, so writers queue for it instead of failing with SQLITE_BUSY in the middle of their work.

mod connect;
mod entity;
mod error;
mod ids;
pub mod installation;
pub mod migrate;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
pub use connect::{connect_postgres, connect_sqlite};
pub use error::Error;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};

/// Which product answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A handle on the database; a clone shares the connections.
#[derive(Debug, Clone)]
pub struct Database {
    kind: Kind,
    read: DatabaseConnection,
    write: DatabaseConnection,
}

impl Database {
    /// For reading.
    pub fn conn(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For a write that is a single statement.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Starts a transaction for writing. Dropping it without `commit` takes everything back.
    pub async fn begin(&self) -> Result<DatabaseTransaction, Error> {
        let options =
            TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
        Ok(self.write.begin_with_options(options).await?)
    }

    /// Like [`Database::begin`], and waits until no other transaction holds `key`: for work that one process at a time may do.
    pub async fn begin_alone(&self, key: i64) -> Result<DatabaseTransaction, Error> {
        let txn = self.begin().await?;
        // On SQLite BEGIN IMMEDIATE is enough: there is one writer.
        if self.kind == Kind::Postgres {
            let statement = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [key.into()]);
            txn.execute_raw(statement).await?;
        }
        Ok(txn)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.read.ping().await?)
    }

    /// Which product answers.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Product and version, such as `PostgreSQL 16.4` or `SQLite 3.50.4`.
    pub async fn version(&self) -> Result<String, Error> {
        let (product, backend, question) = match self.kind {
            Kind::Sqlite => ("SQLite", DbBackend::Sqlite, "SELECT sqlite_version()"),
            Kind::Postgres => ("PostgreSQL", DbBackend::Postgres, "SELECT current_setting('server_version')"),
        };
        let row = self.read.query_one_raw(Statement::from_string(backend, question)).await?;
        let version: String = row.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))?;
        // Distributions add their own name after a space.
        Ok(format!("{product} {}", version.split(' ').next().unwrap_or_default()))
    }

    /// Closes every connection; waits for those in use.
    pub async fn close(self) -> Result<(), Error> {
        self.read.close_by_ref().await?;
        Ok(self.write.close_by_ref().await?)
    }
}

/// A time as both databases keep it: whole microseconds. What is stored reads back equal.
#[must_use]
pub fn stored(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(time)
}
