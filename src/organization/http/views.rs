//! What answers show.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::common::id::{InvitationId, OrganizationId, ProjectId, UserId};
use crate::organization::invitation::{Invitation, InvitationStatus, ProjectGrant};
use crate::organization::{Member, OpenInvitation, OrganizationOverview, Project, ProjectMember, Role, TenantStatus, composite_slug, slug};

/// Nothing more to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Nothing {}

/// An organisation as one of its members sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationView {
    #[schema(value_type = String)]
    id: OrganizationId,
    name: String,
    slug: String,
    /// Slug and id, for addresses.
    composite_slug: String,
    status: TenantStatus,
    /// My role: `owner`, `admin`, `developer`, `viewer`, `none`, or a role of the organisation's own.
    role: String,
    member_count: u64,
    /// Projects that I reach.
    project_count: u64,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
}

impl From<OrganizationOverview> for OrganizationView {
    fn from(overview: OrganizationOverview) -> Self {
        let OrganizationOverview { organization, role, member_count, project_count } = overview;
        Self {
            id: organization.id,
            slug: slug(&organization.name),
            composite_slug: composite_slug(&organization.name, organization.id),
            status: organization.status(),
            name: organization.name,
            role: role.to_string(),
            member_count,
            project_count,
            created_at: organization.created_at,
            archived_at: organization.archived_at,
            deleted_at: organization.deleted_at,
        }
    }
}

/// A member of an organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    #[schema(value_type = String)]
    user_id: UserId,
    email: String,
    first_name: String,
    last_name: String,
    role: String,
    /// `active` or `suspended`.
    status: &'static str,
    joined_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
    /// Whether they sign in with a second factor.
    second_factor: bool,
    /// Roles in single projects, in place of the one above.
    project_roles: Vec<MemberProjectRole>,
}

/// A member's role in a single project.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberProjectRole {
    #[schema(value_type = String)]
    project_id: ProjectId,
    project_name: String,
    role: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let project_roles = member.project_roles.into_iter();
        Self {
            user_id: member.user_id,
            email: member.email,
            first_name: member.first_name,
            last_name: member.last_name,
            role: member.role.to_string(),
            status: if member.suspended { "suspended" } else { "active" },
            joined_at: member.joined_at,
            last_login_at: member.last_login_at,
            second_factor: member.second_factor,
            project_roles: project_roles
                .map(|own| MemberProjectRole { project_id: own.project_id, project_name: own.project_name, role: own.role.to_string() })
                .collect(),
        }
    }
}

/// An invitation as the organisation sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    #[schema(value_type = String)]
    id: InvitationId,
    email: String,
    role: String,
    project_roles: Vec<ProjectGrant>,
    status: InvitationStatus,
    invited_by_email: Option<String>,
    sent_at: DateTime<Utc>,
    sent_count: u32,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role.to_string(),
            project_roles: invitation.project_roles,
            status: invitation.status,
            invited_by_email: invitation.invited_by_email,
            sent_at: invitation.sent_at,
            sent_count: invitation.sent_count,
            expires_at: invitation.expires_at,
            created_at: invitation.created_at,
        }
    }
}

/// An invitation as whoever holds its token sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidInvitation {
    organization_name: String,
    email: String,
    role: String,
    /// Name or e-mail; null when they have no account any more.
    invited_by: Option<String>,
    expires_at: DateTime<Utc>,
    /// Whether the invited address has an account: sign in then, else sign up.
    account_exists: bool,
}

impl ValidInvitation {
    pub(super) fn new(open: OpenInvitation, account_exists: bool) -> Self {
        Self {
            organization_name: open.organization_name,
            email: open.email,
            role: open.role.to_string(),
            invited_by: open.invited_by,
            expires_at: open.expires_at,
            account_exists,
        }
    }
}

/// An invitation to me.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyInvitation {
    #[schema(value_type = String)]
    id: InvitationId,
    organization_name: String,
    role: String,
    invited_by: Option<String>,
    expires_at: DateTime<Utc>,
}

impl From<OpenInvitation> for MyInvitation {
    fn from(open: OpenInvitation) -> Self {
        Self {
            id: open.id,
            organization_name: open.organization_name,
            role: open.role.to_string(),
            invited_by: open.invited_by,
            expires_at: open.expires_at,
        }
    }
}

/// A project as somebody who reaches it sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectView {
    #[schema(value_type = String)]
    id: ProjectId,
    #[schema(value_type = String)]
    organization_id: OrganizationId,
    name: String,
    slug: String,
    /// Slug and id, for addresses.
    composite_slug: String,
    description: String,
    /// `active`, `archived` or `deleted`.
    status: String,
    /// My role there.
    role: String,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
}

impl ProjectView {
    pub(super) fn new(project: Project, role: &Role) -> Self {
        Self {
            id: project.id,
            organization_id: project.organization_id,
            slug: slug(&project.name),
            composite_slug: composite_slug(&project.name, project.id),
            name: project.name,
            description: project.description,
            status: project.status,
            role: role.to_string(),
            created_at: project.created_at,
            archived_at: project.archived_at,
            deleted_at: project.deleted_at,
        }
    }
}

/// A member of the organisation, as seen from one of its projects.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectMemberView {
    #[schema(value_type = String)]
    user_id: UserId,
    email: String,
    first_name: String,
    last_name: String,
    organization_role: String,
    /// In place of the role in the organisation; null where that one counts.
    project_role: Option<String>,
    /// What counts: `none` for somebody who does not reach the project.
    effective_role: String,
}

impl From<ProjectMember> for ProjectMemberView {
    fn from(seen: ProjectMember) -> Self {
        Self {
            user_id: seen.member.user_id,
            email: seen.member.email,
            first_name: seen.member.first_name,
            last_name: seen.member.last_name,
            organization_role: seen.member.role.to_string(),
            project_role: seen.project_role.map(|role| role.to_string()),
            effective_role: seen.effective_role.to_string(),
        }
    }
}
