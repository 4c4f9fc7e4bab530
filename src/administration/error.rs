//! What can go wrong while running the installation.

use serde_json::Value;

use crate::error::{Code, Coded};
use crate::infra::{db, mail};
use crate::{auth, organization, user};

/// A failure of the administration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("user not found")]
    UserNotFound,
    #[error("no deleted organization has this id")]
    OrganizationNotFound,
    #[error(
        "nobody suspends themselves, changes their own administrator's rights or takes away their own second factor here; ask another administrator"
    )]
    Oneself,
    #[error("this is the last administrator; make somebody else one first")]
    LastAdministrator,
    #[error("job not found")]
    JobNotFound,
    #[error("the job is {0}: only one that is dead, cancelled or queued can be tried again")]
    NotRetried(String),
    #[error("another job of the same kind and key is open; it does the same work")]
    SameKeyOpen,
    #[error("the job is {0}: only one that is queued or running can be cancelled")]
    NotCancelled(String),
    #[error("schedule not found")]
    ScheduleNotFound,
    #[error("mail not found")]
    MailNotFound,
    #[error("the mail is {0} already, or its text was forgotten: let the action that sent it be repeated")]
    NotSentAgain(String),
    #[error("no mail server is set: set SMTP_HOST and start Brokle again, or hand the text on yourself")]
    NoMailServer,
    #[error(transparent)]
    Mail(#[from] mail::Error),
    #[error(transparent)]
    User(#[from] user::Error),
    #[error(transparent)]
    Organization(organization::Error),
    #[error(transparent)]
    Auth(#[from] auth::Error),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl From<organization::Error> for Error {
    fn from(error: organization::Error) -> Self {
        match error {
            organization::Error::OrganizationNotFound => Self::OrganizationNotFound,
            error => Self::Organization(error),
        }
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Database(error.into())
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::UserNotFound | Self::OrganizationNotFound | Self::JobNotFound | Self::ScheduleNotFound | Self::MailNotFound => {
                Code::NotFound
            }
            Self::Oneself
            | Self::LastAdministrator
            | Self::NotRetried(_)
            | Self::SameKeyOpen
            | Self::NotCancelled(_)
            | Self::NotSentAgain(_)
            | Self::NoMailServer => Code::Conflict,
            Self::Mail(error) => error.code(),
            Self::User(error) => error.code(),
            Self::Organization(error) => error.code(),
            Self::Auth(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::User(error) => error.details(),
            Self::Organization(error) => error.details(),
            Self::Auth(error) => error.details(),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Mail(error) => error.retry_after(),
            Self::User(error) => error.retry_after(),
            Self::Organization(error) => error.retry_after(),
            Self::Auth(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
