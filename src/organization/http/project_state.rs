//! Projects: archive and restore.

use actix_web::{post, web};

use super::views::ProjectView;
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{EvenArchived, ProjectsDelete, ProjectsWrite};
use crate::http::extract::{DeletedProjectAccess, ProjectAccess};
use crate::organization::Projects;

/// Archives a project: nothing is taken in and nothing changed any more, reading goes on, and its API keys are refused.
#[utoipa::path(
    operation_id = "archiveProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<ProjectView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it or its organization is archived already")
    )
)]
#[post("/api/v1/projects/{project_id}/archive")]
pub async fn archive(
    access: ProjectAccess<ProjectsWrite>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<ProjectView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    projects.archive(&by, access.organization_id, access.project_id).await?;
    let project = projects.get(access.organization_id, access.project_id).await?;
    Ok(Answer::ok(ProjectView::new(project, &access.role)))
}

/// Takes archiving back. API keys count again.
#[utoipa::path(
    operation_id = "unarchiveProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<ProjectView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "its organization is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/unarchive")]
pub async fn unarchive(
    access: ProjectAccess<EvenArchived<ProjectsWrite>>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<ProjectView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    projects.unarchive(&by, access.organization_id, access.project_id).await?;
    let project = projects.get(access.organization_id, access.project_id).await?;
    Ok(Answer::ok(ProjectView::new(project, &access.role)))
}

/// Restores a project that was deleted less than 30 days ago.
#[utoipa::path(
    operation_id = "restoreProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<ProjectView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "its organization is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/restore")]
pub async fn restore(
    access: DeletedProjectAccess<ProjectsDelete>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<ProjectView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    let project = projects.restore(&by, access.organization_id, access.project_id).await?;
    Ok(Answer::ok(ProjectView::new(project, &access.role)))
}
