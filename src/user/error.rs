//! What can go wrong with people.

use serde_json::{Value, json};

use crate::error::{Code, Coded};
use crate::infra::db;

/// A failure of the user slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not an e-mail address")]
    InvalidEmail(String),
    #[error("a user with the e-mail {0} exists already")]
    EmailTaken(String),
    #[error("user not found")]
    NotFound,
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::InvalidEmail(_) => Code::Validation,
            Self::EmailTaken(_) => Code::Conflict,
            Self::NotFound => Code::NotFound,
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        matches!(self, Self::InvalidEmail(_)).then(|| json!([{"field": "email", "message": self.to_string()}]))
    }

    fn retry_after(&self) -> Option<u32> {
        if let Self::Database(error) = self { error.retry_after() } else { None }
    }
}
