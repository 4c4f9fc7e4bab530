//! `GET /api/v1/users/me`: who I am and where I belong.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::common::id::{OrganizationId, ProjectId, UserId};
use crate::error::{ApiError, Code};
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::SignedIn;
use crate::organization::{Directory, OrganizationAccess, composite_slug, slug};
use crate::user::Users;

/// A person's own profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    #[schema(value_type = String)]
    id: UserId,
    email: String,
    first_name: String,
    last_name: String,
    /// Platform administrator.
    is_admin: bool,
    /// Whether the address was shown to be mine.
    email_verified: bool,
    /// Whether signing in asks for a second factor.
    second_factor: bool,
    /// What the web app opens first.
    #[schema(value_type = Option<String>)]
    default_organization_id: Option<OrganizationId>,
    created_at: DateTime<Utc>,
    organizations: Vec<OrganizationMembership>,
}

/// An organisation that I am a member of.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationMembership {
    #[schema(value_type = String)]
    id: OrganizationId,
    name: String,
    slug: String,
    /// Slug and id, for addresses.
    composite_slug: String,
    /// `owner`, `admin`, `developer`, `viewer`, or a role of the organisation's own.
    role: String,
    created_at: DateTime<Utc>,
    projects: Vec<ProjectMembership>,
}

/// A project in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectMembership {
    #[schema(value_type = String)]
    id: ProjectId,
    name: String,
    slug: String,
    composite_slug: String,
    /// My role there.
    role: String,
    /// `active` or `archived`.
    status: String,
    created_at: DateTime<Utc>,
}

/// My profile, with my organisations and their projects.
#[utoipa::path(
    operation_id = "getMe",
    tag = "users",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<Me>), (status = 401, body = ErrorEnvelope))
)]
#[get("/api/v1/users/me")]
pub async fn me(caller: SignedIn, users: web::Data<Users>, directory: web::Data<Directory>) -> Result<Answer<Me>, ApiError> {
    Ok(Answer::ok(profile(caller.user_id, &users, &directory).await?))
}

/// Somebody's profile, as they see it.
pub(super) async fn profile(id: UserId, users: &Users, directory: &Directory) -> Result<Me, ApiError> {
    let user = users.find(id).await?.ok_or_else(|| ApiError::new(Code::Unauthorized, "this user does not exist any more"))?;
    let second_factor = users.has_second_factor(user.id).await?;
    let organizations = directory.of_user(user.id).await?;
    // A preference for an organisation that one has left since is none.
    let default = user
        .default_organization_id
        .filter(|id| organizations.iter().any(|access| access.organization.id == *id))
        .or_else(|| organizations.first().map(|access| access.organization.id));
    Ok(Me {
        id: user.id,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        is_admin: user.is_admin,
        email_verified: user.email_verified,
        second_factor,
        default_organization_id: default,
        created_at: user.created_at,
        organizations: organizations.into_iter().map(OrganizationMembership::from).collect(),
    })
}

impl From<OrganizationAccess> for OrganizationMembership {
    fn from(access: OrganizationAccess) -> Self {
        let OrganizationAccess { organization, role, projects } = access;
        Self {
            id: organization.id,
            slug: slug(&organization.name),
            composite_slug: composite_slug(&organization.name, organization.id),
            name: organization.name,
            role: role.to_string(),
            created_at: organization.created_at,
            projects: projects
                .into_iter()
                .map(|(project, role)| ProjectMembership {
                    id: project.id,
                    slug: slug(&project.name),
                    composite_slug: composite_slug(&project.name, project.id),
                    name: project.name,
                    role: role.to_string(),
                    status: project.status,
                    created_at: project.created_at,
                })
                .collect(),
        }
    }
}
