//! What can go wrong with organisations and projects.

use serde_json::{Value, json};

use super::Archived;
use crate::error::{Code, Coded};
use crate::infra::{db, mail};
use crate::user;

/// A failure of the organisation slice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a name needs 1 to 100 visible characters")]
    InvalidName,
    #[error("`{0}` is no role: use owner, admin, developer, viewer or none")]
    UnknownRole(String),
    #[error("this role cannot be given in a single project: use admin, developer, viewer or none")]
    NoProjectRole,
    #[error("organization not found")]
    OrganizationNotFound,
    #[error("project not found")]
    ProjectNotFound,
    #[error("member not found")]
    MemberNotFound,
    #[error("{}", archived(*.0))]
    Archived(Archived),
    #[error("this user is a member of the organization already")]
    AlreadyMember,
    #[error("an organization needs an owner: make somebody else an owner first")]
    LastOwner,
    #[error("nobody changes their own role or membership; ask another owner or administrator")]
    Oneself,
    #[error("this is your own account: name somebody else")]
    TransferToOneself,
    #[error("only owners may change owners, or make somebody an owner")]
    OwnersOnly,
    #[error("nobody gives or changes a role above their own")]
    AboveOwnRole,
    #[error("your role does not permit this any more; reload and see")]
    NotPermittedNow,
    #[error("an owner is an owner in every project; change their role in the organization first")]
    OwnerInProject,
    #[error("this address has an open invitation already; send it again, or revoke it first")]
    AlreadyInvited,
    #[error("invitation not found: it is unknown, expired, revoked or was used")]
    InvitationNotFound,
    #[error("this invitation is not open any more; invite again")]
    InvitationClosed,
    #[error("this invitation is for another e-mail address; sign in with the address it was sent to")]
    InvitationNotYours,
    #[error("verify your e-mail address first, or follow the link in the invitation")]
    EmailNotVerified,
    #[error("the invitation was sent a moment ago; try again in {0} s")]
    TooSoon(u32),
    #[error(transparent)]
    User(#[from] user::Error),
    #[error(transparent)]
    Mail(#[from] mail::Error),
    #[error(transparent)]
    Database(#[from] db::Error),
}

const fn archived(what: Archived) -> &'static str {
    match what {
        Archived::Organization => "the organization is archived, so nothing in it can be changed; unarchive it first",
        Archived::Project => "the project is archived, so nothing in it can be changed; unarchive it first",
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::InvalidName | Self::UnknownRole(_) | Self::NoProjectRole => Code::Validation,
            Self::OrganizationNotFound | Self::ProjectNotFound | Self::MemberNotFound | Self::InvitationNotFound => Code::NotFound,
            Self::Archived(_)
            | Self::AlreadyMember
            | Self::LastOwner
            | Self::TransferToOneself
            | Self::OwnerInProject
            | Self::AlreadyInvited
            | Self::InvitationClosed => Code::Conflict,
            Self::Oneself
            | Self::OwnersOnly
            | Self::AboveOwnRole
            | Self::NotPermittedNow
            | Self::InvitationNotYours
            | Self::EmailNotVerified => Code::Forbidden,
            Self::TooSoon(_) => Code::RateLimit,
            Self::User(error) => error.code(),
            Self::Mail(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        let field = match self {
            Self::InvalidName => "name",
            Self::UnknownRole(_) | Self::NoProjectRole => "role",
            Self::User(error) => return error.details(),
            _ => return None,
        };
        Some(json!([{"field": field, "message": self.to_string()}]))
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooSoon(seconds) => Some(*seconds),
            Self::User(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
