//! What can go wrong between us and the database.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::error::{Code, Coded};

/// A database that failed us.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or none in time.
    #[error("the database cannot be reached; try again shortly")]
    Unavailable(#[source] DbErr),
    /// A statement that failed.
    #[error("the database refused a statement")]
    Statement(#[source] DbErr),
    /// Connecting at start failed; the text says where to and what to do.
    #[error("{0}")]
    Connect(String),
    /// The tables are older than this program needs.
    #[error("the database lacks {} migration(s), the first is {}; start a server, or run `brokle migrate`", .0.len(), .0.first().map_or("", String::as_str))]
    Behind(Vec<String>),
    /// The tables were made by a newer program.
    #[error("the database was migrated by a newer Brokle (it has {}, unknown to this version); start that version again, or restore the backup made before the upgrade", .0.join(", "))]
    Newer(Vec<String>),
    /// Another process holds the migration lock for too long.
    #[error("another process has been migrating the database for {0} s; look at its log, or stop it")]
    Locked(u64),
}

impl Error {
    /// Whether a unique index refused the row.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Statement(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    /// Whether a row refers to one that is not there.
    #[must_use]
    pub fn is_missing_reference(&self) -> bool {
        matches!(self, Self::Statement(error) if matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        use sea_orm::sqlx::Error as Sqlx;
        let away = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                matches!(cause.as_ref(), Sqlx::Io(_) | Sqlx::PoolTimedOut | Sqlx::PoolClosed | Sqlx::WorkerCrashed)
                    // Postgres: 57P01-03 shutting down or starting up, 53300 too many connections, 08 connection lost.
                    || matches!(cause.as_ref(), Sqlx::Database(database) if database.code().is_some_and(|code| code.starts_with("57P0") || code.starts_with("08") || code == "53300"))
            }
            _ => false,
        };
        if away { Self::Unavailable(error) } else { Self::Statement(error) }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) | Self::Connect(_) | Self::Behind(_) | Self::Locked(_) => Code::Unavailable,
            Self::Statement(_) | Self::Newer(_) => Code::Internal,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        (self.code() == Code::Unavailable).then_some(2)
    }
}
