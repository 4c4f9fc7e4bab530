//! What can go wrong with organisations and projects.

use serde_json::{Value, json};

use crate::error::{Code, Coded};
use crate::infra::db;

/// A failure of the organisation slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a name needs 1 to 100 visible characters")]
    InvalidName,
    #[error("organization not found")]
    OrganizationNotFound,
    #[error("project not found")]
    ProjectNotFound,
    #[error("this user is a member of the organization already")]
    AlreadyMember,
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::InvalidName => Code::Validation,
            Self::OrganizationNotFound | Self::ProjectNotFound => Code::NotFound,
            Self::AlreadyMember => Code::Conflict,
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        matches!(self, Self::InvalidName).then(|| json!([{"field": "name", "message": self.to_string()}]))
    }

    fn retry_after(&self) -> Option<u32> {
        if let Self::Database(error) = self { error.retry_after() } else { None }
    }
}
