//! What can go wrong with settings.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Code, Coded};
use crate::infra::db;

/// A failure of the settings slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no setting `{0}` that can be set here")]
    Unknown(String),
    #[error("{0}")]
    Invalid(String),
    #[error("the setting was changed by somebody else meanwhile (it has version {0} now); look at it again")]
    Conflict(i64),
    /// A failure shared by all who waited for the same look-up.
    #[error("{0}")]
    Shared(Arc<Error>),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code::NotFound,
            Self::Invalid(_) => Code::Validation,
            Self::Conflict(_) => Code::Conflict,
            Self::Shared(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Invalid(message) => Some(json!([{"field": "value", "message": message}])),
            Self::Conflict(version) => Some(json!({"version": version})),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Shared(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
