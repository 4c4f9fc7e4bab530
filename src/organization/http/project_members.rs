//! Who is what in a project.

use actix_web::{delete, get, put, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::views::{Nothing, ProjectMemberView};
use crate::audit::By;
use crate::common::id::UserId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{MembersRead, ProjectsAdmin};
use crate::http::extract::{Json, Path, ProjectAccess};
use crate::organization::{Projects, Role};

#[derive(Debug, Deserialize)]
pub struct OneMember {
    user_id: UserId,
}

/// A role in one project.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct RoleInProject {
    /// `admin`, `developer`, `viewer`, or `none`: out of reach.
    #[garde(length(chars, min = 1, max = 64))]
    role: String,
}

/// Lists the members of a project's organisation with what each of them is in the project.
#[utoipa::path(
    operation_id = "listProjectMembers",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ProjectMemberView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/members")]
pub async fn list(access: ProjectAccess<MembersRead>, projects: web::Data<Projects>) -> Result<Answer<Vec<ProjectMemberView>>, ApiError> {
    let members = projects.members(access.organization_id, access.project_id).await?;
    Ok(Answer::ok(members.into_iter().map(ProjectMemberView::from).collect()))
}

/// Gives a member of the organisation a role in this project, in place of the one in the organisation.
#[utoipa::path(
    operation_id = "setProjectRole",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("user_id" = String, Path)),
    request_body = RoleInProject,
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for a role above one's own"),
        (status = 404, body = ErrorEnvelope, description = "or not a member of the organization"),
        (status = 409, body = ErrorEnvelope, description = "an owner, or archived")
    )
)]
#[put("/api/v1/projects/{project_id}/members/{user_id}")]
pub async fn set(
    access: ProjectAccess<ProjectsAdmin>,
    path: Path<OneMember>,
    body: Json<RoleInProject>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    let role = Role::built_in(&body.role)?;
    projects.set_role(&by, access.organization_id, access.project_id, path.user_id, &role).await?;
    Ok(Answer::ok(Nothing {}))
}

/// Lets the role in the organisation count again.
#[utoipa::path(
    operation_id = "clearProjectRole",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for a role above one's own"),
        (status = 404, body = ErrorEnvelope, description = "or not a member of the organization"),
        (status = 409, body = ErrorEnvelope, description = "an owner, or archived")
    )
)]
#[delete("/api/v1/projects/{project_id}/members/{user_id}")]
pub async fn clear(
    access: ProjectAccess<ProjectsAdmin>,
    path: Path<OneMember>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    projects.clear_role(&by, access.organization_id, access.project_id, path.user_id).await?;
    Ok(Answer::ok(Nothing {}))
}
