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
    #[error("too many failed sign-ins; try again in {0} s")]
    TooManyAttempts(u32),
    /// Said only to who knows the password.
    #[error("the e-mail address is not verified yet; open the link in the mail, or ask for another one")]
    EmailNotVerified,
    /// Said only to who knows the password.
    #[error("the code of the second factor is needed")]
    SecondFactorRequired { challenge: String, expires_in: i64 },
    #[error("the sign-in took too long, or the password has changed meanwhile; sign in again")]
    ChallengeExpired,
    /// While signing in.
    #[error("the code is wrong, or was used before")]
    WrongSecondFactor,
    /// While signed in.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// While signed in.
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the second factor is on already; turn it off first")]
    SecondFactorOn,
    #[error("the second factor is off; set it up first")]
    SecondFactorOff,
    #[error("the link is not valid (any more); ask for another one")]
    BadToken,
    #[error("{0}")]
    SignUpRefused(&'static str),
    #[error("the invitation is not valid for this address (any more); ask for another one")]
    BadInvitation,
    #[error("there is an account with this address already; sign in to accept the invitation")]
    AccountExists,
    #[error("session not found")]
    SessionNotFound,
    #[error("this password is among those that are tried first; choose another one")]
    CommonPassword,
    #[error("the e-mail address is no password; choose another one")]
    PasswordIsAddress,
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
    #[error(transparent)]
    Settings(#[from] crate::settings::Error),
    #[error(transparent)]
    Mail(#[from] crate::infra::mail::Error),
    #[error(transparent)]
    Crypto(#[from] crate::infra::crypto::Error),
    #[error("{0}")]
    Internal(String),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::WrongCredentials | Self::InvalidAccessToken | Self::ChallengeExpired | Self::WrongSecondFactor => Code::Unauthorized,
            Self::SecondFactorRequired { .. } => Code::SecondFactorRequired,
            Self::TooManyAttempts(_) => Code::RateLimit,
            Self::EmailNotVerified | Self::SignUpRefused(_) => Code::Forbidden,
            Self::RefreshExpired => Code::RefreshExpired,
            Self::Busy => Code::Unavailable,
            Self::PasswordLength(..)
            | Self::CommonPassword
            | Self::PasswordIsAddress
            | Self::WrongPassword
            | Self::WrongCode
            | Self::BadToken
            | Self::BadInvitation
            | Self::InvalidKeyForm
            | Self::NoKeyScope => Code::Validation,
            Self::KeyTaken
            | Self::KeyAmbiguous(_)
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::AccountExists
            | Self::SecondFactorOn
            | Self::SecondFactorOff => Code::Conflict,
            Self::OrganizationNotFound | Self::ProjectNotFound | Self::KeyNotFound | Self::SessionNotFound => Code::NotFound,
            Self::Forbidden(_) => Code::Forbidden,
            Self::Shared(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::User(error) => error.code(),
            Self::Organization(error) => error.code(),
            Self::Settings(error) => error.code(),
            Self::Mail(error) => error.code(),
            Self::Crypto(error) => error.code(),
            Self::Internal(_) => Code::Internal,
        }
    }

    fn details(&self) -> Option<Value> {
        let field = |field: &str| Some(json!([{"field": field, "message": self.to_string()}]));
        match self {
            Self::PasswordLength(..) | Self::CommonPassword | Self::PasswordIsAddress | Self::WrongPassword => field("password"),
            Self::WrongCode => field("code"),
            Self::BadToken => field("token"),
            Self::BadInvitation => field("invitation_token"),
            Self::EmailNotVerified => Some(json!({"reason": "email_not_verified"})),
            Self::SecondFactorRequired { challenge, expires_in } => Some(json!({"challenge": challenge, "expires_in": expires_in})),
            Self::User(error) => error.details(),
            Self::Organization(error) => error.details(),
            Self::Forbidden(permission) => Some(json!({"permission": permission})),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyAttempts(seconds) => Some(*seconds),
            // Trying again does not help: an operator has to do something.
            Self::Crypto(_) => None,
            _ => (self.code() == Code::Unavailable).then_some(2),
        }
    }
}
