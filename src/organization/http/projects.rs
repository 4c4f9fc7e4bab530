//! Projects: list, make, look at, change, delete.

use actix_web::{delete, get, patch, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::views::{Nothing, ProjectView};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{EvenArchived, ProjectsDelete, ProjectsRead, ProjectsWrite};
use crate::http::extract::{Json, OrganizationAccess, OrganizationMember, ProjectAccess, Query};
use crate::organization::{Name, ProjectChange, Projects, TenantStatus};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Without it, active and archived ones; `deleted`: those that can be restored.
    #[param(inline)]
    status: Option<TenantStatus>,
}

/// A project to be made.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct NewProject {
    /// 1 to 100 characters.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[garde(inner(length(chars, max = 2000)))]
    description: Option<String>,
}

/// What of a project shall be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct ProjectUpdate {
    /// 1 to 100 characters.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[garde(inner(length(chars, max = 2000)))]
    description: Option<String>,
}

/// Lists the projects of an organisation that I reach, with my role there, oldest first.
#[utoipa::path(
    operation_id = "listProjects",
    tag = "projects",
    security(("access_token" = [])),
    params(("organization_id" = String, Query), ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<ProjectView>>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects")]
pub async fn list(
    access: OrganizationMember,
    query: Query<ListQuery>,
    projects: web::Data<Projects>,
) -> Result<Answer<Vec<ProjectView>>, ApiError> {
    let list = projects.list(access.user.user_id, access.organization_id, query.status).await?;
    Ok(Answer::ok(list.into_iter().map(|(project, role)| ProjectView::new(project, &role)).collect()))
}

/// Makes a project.
#[utoipa::path(
    operation_id = "createProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("organization_id" = String, Query)),
    request_body = NewProject,
    responses(
        (status = 201, body = Envelope<ProjectView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the organization is archived")
    )
)]
#[post("/api/v1/projects")]
pub async fn create(
    access: OrganizationAccess<ProjectsWrite>,
    body: Json<NewProject>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<ProjectView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    let (name, description): (Name, _) = (body.name.parse()?, body.description.as_deref().unwrap_or_default().trim());
    let project = projects.create(&by, access.organization_id, &name, description).await?;
    Ok(Answer::created(ProjectView::new(project, &access.role)))
}

/// A project that I reach.
#[utoipa::path(
    operation_id = "getProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<ProjectView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}")]
pub async fn get(access: ProjectAccess<ProjectsRead>, projects: web::Data<Projects>) -> Result<Answer<ProjectView>, ApiError> {
    let project = projects.get(access.organization_id, access.project_id).await?;
    Ok(Answer::ok(ProjectView::new(project, &access.role)))
}

/// Changes name and description of a project.
#[utoipa::path(
    operation_id = "updateProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    request_body = ProjectUpdate,
    responses(
        (status = 200, body = Envelope<ProjectView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it or its organization is archived")
    )
)]
#[patch("/api/v1/projects/{project_id}")]
pub async fn update(
    access: ProjectAccess<ProjectsWrite>,
    body: Json<ProjectUpdate>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<ProjectView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    let name = body.name.as_deref().map(str::parse).transpose()?;
    let change = ProjectChange { name, description: body.description.as_deref().map(|text| text.trim().to_owned()) };
    let project = projects.update(&by, access.organization_id, access.project_id, change).await?;
    Ok(Answer::ok(ProjectView::new(project, &access.role)))
}

/// Deletes a project: it is out of reach and its API keys are refused. It can be restored for 30 days.
#[utoipa::path(
    operation_id = "deleteProject",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[delete("/api/v1/projects/{project_id}")]
pub async fn delete(
    access: ProjectAccess<EvenArchived<ProjectsDelete>>,
    origin: Origin,
    projects: web::Data<Projects>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    projects.delete(&by, access.organization_id, access.project_id).await?;
    Ok(Answer::ok(Nothing {}))
}
