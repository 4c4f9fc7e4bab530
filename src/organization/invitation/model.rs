//! Invitations as the rest of the program sees them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::id::{InvitationId, OrganizationId, ProjectId, UserId};
use crate::organization::Role;
use crate::user::Email;

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationStatus {
    Pending,
    Accepted,
    Declined,
    Revoked,
    Expired,
}

impl InvitationStatus {
    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Reads what is stored: a pending one expires without anybody writing it down.
    pub(super) fn read(stored: &str, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        match stored {
            "pending" if now < expires_at => Self::Pending,
            "accepted" => Self::Accepted,
            "declined" => Self::Declined,
            "revoked" => Self::Revoked,
            _ => Self::Expired,
        }
    }
}

/// A role in a single project that comes with an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectGrant {
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    /// `admin`, `developer`, `viewer` or `none`.
    pub role: String,
}

/// Whom to invite, and as what.
#[derive(Debug, Clone)]
pub struct Invite {
    pub email: Email,
    pub role: Role,
    pub project_roles: Vec<ProjectGrant>,
}

/// An invitation as the organisation sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub project_roles: Vec<ProjectGrant>,
    pub status: InvitationStatus,
    pub invited_by_email: Option<String>,
    pub sent_at: DateTime<Utc>,
    pub sent_count: u32,
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

/// An invitation that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    /// In lower case.
    pub email: String,
    pub role: Role,
    pub project_roles: Vec<ProjectGrant>,
    /// What the inviter is called, or their address; none when they are gone.
    /// Who invited, when it was a person.
    pub inviter: Option<UserId>,
    pub invited_by: Option<String>,
    pub expires_at: DateTime<Utc>,
}
