//! `/api/v1/projects/{project_id}/settings`.

use actix_web::{FromRequest, HttpRequest, delete, get, put, web};

use super::{Key, SetSetting};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{SettingsRead, SettingsSecurity, SettingsWrite};
use crate::http::extract::{Json, Path, ProjectAccess};
use crate::settings::{ChangeView, Guard, Level, Scope, Settings, View};

/// What can be set in a project, as it stands there.
#[utoipa::path(
    operation_id = "listProjectSettings",
    tag = "settings",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<View>>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such project, or not yours")
    )
)]
#[get("/api/v1/projects/{project_id}/settings")]
pub async fn list(access: ProjectAccess<SettingsRead>, settings: web::Data<Settings>) -> Result<Answer<Vec<View>>, ApiError> {
    Ok(Answer::ok(settings.list(scope(&access)).await?))
}

/// Sets a value for a project. What decides who gets in, or how much, takes `settings:security` as well.
#[utoipa::path(
    operation_id = "setProjectSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("key" = String, Path)),
    request_body = SetSetting,
    responses(
        (status = 200, body = Envelope<View>),
        (status = 400, body = ErrorEnvelope, description = "the value does not fit"),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such project, or not yours"),
        (status = 409, body = ErrorEnvelope, description = "somebody else has changed it meanwhile")
    )
)]
#[put("/api/v1/projects/{project_id}/settings/{key}")]
pub async fn set(
    request: HttpRequest,
    access: ProjectAccess<SettingsWrite>,
    origin: Origin,
    path: Path<Key>,
    body: Json<SetSetting>,
    settings: web::Data<Settings>,
) -> Result<Answer<View>, ApiError> {
    guard(&request, &settings, &path.key).await?;
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(settings.set(&by, scope(&access), &path.key, &body.value, body.version).await?))
}

/// Goes back to what a project inherits.
#[utoipa::path(
    operation_id = "resetProjectSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<View>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such project, or not yours")
    )
)]
#[delete("/api/v1/projects/{project_id}/settings/{key}")]
pub async fn reset(
    request: HttpRequest,
    access: ProjectAccess<SettingsWrite>,
    origin: Origin,
    path: Path<Key>,
    settings: web::Data<Settings>,
) -> Result<Answer<View>, ApiError> {
    guard(&request, &settings, &path.key).await?;
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(settings.reset(&by, scope(&access), &path.key).await?))
}

/// The latest 100 changes of a setting in a project, newest first.
#[utoipa::path(
    operation_id = "getProjectSettingHistory",
    tag = "settings",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ChangeView>>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such project, or not yours")
    )
)]
#[get("/api/v1/projects/{project_id}/settings/{key}/history")]
pub async fn history(
    access: ProjectAccess<SettingsRead>,
    path: Path<Key>,
    settings: web::Data<Settings>,
) -> Result<Answer<Vec<ChangeView>>, ApiError> {
    Ok(Answer::ok(settings.history(scope(&access), &path.key).await?))
}

fn scope<P>(access: &ProjectAccess<P>) -> Scope {
    Scope::Project(access.organization_id, access.project_id)
}

/// Asks for what this setting takes beyond `settings:write`.
async fn guard(request: &HttpRequest, settings: &Settings, key: &str) -> Result<(), ApiError> {
    if settings.guard(Level::Project, key)? == Guard::Security {
        ProjectAccess::<SettingsSecurity>::extract(request).await?;
    }
    Ok(())
}
