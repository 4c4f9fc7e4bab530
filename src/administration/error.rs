//! What can go wrong with administration.

use serde_json::Value;

use crate::error::{Code, Coded};
use crate::infra::db;
use crate::{auth, user};

/// A failure of the administration slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("user not found")]
    UserNotFound,
    #[error("no deleted organization has this id")]
    OrganizationNotFound,
    #[error("nobody suspends themselves or changes their own administrator's rights; ask another administrator")]
    Oneself,
    #[error("this is the last administrator; make somebody else one first")]
    LastAdministrator,
    #[error(transparent)]
    User(#[from] user::Error),
    #[error(transparent)]
    Auth(#[from] auth::Error),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::UserNotFound | Self::OrganizationNotFound => Code::NotFound,
            Self::Oneself | Self::LastAdministrator => Code::Conflict,
            Self::User(error) => error.code(),
            Self::Auth(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::User(error) => error.details(),
            Self::Auth(error) => error.details(),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::User(error) => error.retry_after(),
            Self::Auth(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
