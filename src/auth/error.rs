//! What can go wrong at the door.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Code, Coded};
use crate::infra::db;
use crate::user;

/// A failure of the auth slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One message for an unknown person, a wrong password and a suspended account.
    #[error("wrong e-mail or password")]
    WrongCredentials,
    #[error("the access token is not valid (any more); refresh it or sign in again")]
    InvalidAccessToken,
    #[error("the session has ended; sign in again")]
    RefreshExpired,
    #[error("too many people are signing in right now; try again shortly")]
    Busy,
    #[error("a password needs {0} to {1} characters")]
    PasswordLength(usize, usize),
    #[error("an API key is bk_ followed by 40 letters or digits")]
    InvalidKeyForm,
    #[error("an API key needs one scope or more: ingest, read, gateway or full")]
    NoKeyScope,
    #[error("this API key exists already")]
    KeyTaken,
    #[error("organization not found")]
    OrganizationNotFound,
    #[error("project not found")]
    ProjectNotFound,
    #[error("API key not found")]
    KeyNotFound,
    #[error("this API key has expired; make another one")]
    KeyExpired,
    #[error("this API key was rotated already; rotate the key that replaced it")]
    KeyRotated,
    #[error("several API keys have this preview; name one by its id: {}", .0.join(", "))]
    KeyAmbiguous(Vec<String>),
    #[error("your role does not include the permission {0}; ask an owner of the organization")]
    Forbidden(&'static str),
    /// A failure shared by all who waited for the same look-up.
    #[error("{0}")]
    Shared(Arc<Error>),
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    User(#[from] user::Error),
    #[error(transparent)]
    Organization(#[from] crate::organization::Error),
    #[error("{0}")]
    Internal(String),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::WrongCredentials | Self::InvalidAccessToken => Code::Unauthorized,
            Self::RefreshExpired => Code::RefreshExpired,
            Self::Busy => Code::Unavailable,
            Self::PasswordLength(..) | Self::InvalidKeyForm | Self::NoKeyScope => Code::Validation,
            Self::KeyTaken | Self::KeyAmbiguous(_) | Self::KeyExpired | Self::KeyRotated => Code::Conflict,
            Self::OrganizationNotFound | Self::ProjectNotFound | Self::KeyNotFound => Code::NotFound,
            Self::Forbidden(_) => Code::Forbidden,
            Self::Shared(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::User(error) => error.code(),
            Self::Organization(error) => error.code(),
            Self::Internal(_) => Code::Internal,
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::PasswordLength(..) => Some(json!([{"field": "password", "message": self.to_string()}])),
            Self::Organization(error) => error.details(),
            Self::Forbidden(permission) => Some(json!({"permission": permission})),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        (self.code() == Code::Unavailable).then_some(2)
    }
}
