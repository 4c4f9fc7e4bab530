//! What can go wrong with settings.

use crate::error::{Code, Coded};
use crate::infra::db;

/// A failure of the settings slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no setting `{0}`")]
    Unknown(String),
    #[error("{0}")]
    Invalid(String),
    #[error("the setting was changed by somebody else meanwhile (it has version {0} now); look at it again")]
    Conflict(i64),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::NotFound,
            Self::Invalid(_) => Code::Validation,
            Self::Conflict(_) => Code::Conflict,
            Self::Database(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<u32> {
        if let Self::Database(error) = self { error.retry_after() } else { None }
    }
}
