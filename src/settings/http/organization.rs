//! `/api/v1/organizations/{organization_id}/settings`.

use actix_web::{FromRequest, HttpRequest, delete, get, put, web};

use super::{Key, SetSetting};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{SettingsRead, SettingsSecurity, SettingsWrite};
use crate::http::extract::{Json, OrganizationAccess, Path};
use crate::settings::{ChangeView, Guard, Level, Scope, Settings, View};

/// What can be set in an organization, as it stands there.
#[utoipa::path(
    operation_id = "listOrganizationSettings",
    tag = "settings",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<View>>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such organization, or not yours")
    )
)]
#[get("/api/v1/organizations/{organization_id}/settings")]
pub async fn list(access: OrganizationAccess<SettingsRead>, settings: web::Data<Settings>) -> Result<Answer<Vec<View>>, ApiError> {
    Ok(Answer::ok(settings.list(scope(&access)).await?))
}

/// Sets a value for an organization. What decides who gets in, or how much, takes `settings:security` as well.
#[utoipa::path(
    operation_id = "setOrganizationSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("key" = String, Path)),
    request_body = SetSetting,
    responses(
        (status = 200, body = Envelope<View>),
        (status = 400, body = ErrorEnvelope, description = "the value does not fit"),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such organization, or not yours"),
        (status = 409, body = ErrorEnvelope, description = "somebody else has changed it meanwhile")
    )
)]
#[put("/api/v1/organizations/{organization_id}/settings/{key}")]
pub async fn set(
    request: HttpRequest,
    access: OrganizationAccess<SettingsWrite>,
    origin: Origin,
    path: Path<Key>,
    body: Json<SetSetting>,
    settings: web::Data<Settings>,
) -> Result<Answer<View>, ApiError> {
    guard(&request, &settings, &path.key).await?;
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(settings.set(&by, scope(&access), &path.key, &body.value, body.version).await?))
}

/// Goes back to what an organization inherits.
#[utoipa::path(
    operation_id = "resetOrganizationSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<View>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such organization, or not yours")
    )
)]
#[delete("/api/v1/organizations/{organization_id}/settings/{key}")]
pub async fn reset(
    request: HttpRequest,
    access: OrganizationAccess<SettingsWrite>,
    origin: Origin,
    path: Path<Key>,
    settings: web::Data<Settings>,
) -> Result<Answer<View>, ApiError> {
    guard(&request, &settings, &path.key).await?;
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(settings.reset(&by, scope(&access), &path.key).await?))
}

/// The latest 100 changes of a setting in an organization, newest first.
#[utoipa::path(
    operation_id = "getOrganizationSettingHistory",
    tag = "settings",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ChangeView>>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting, or no such organization, or not yours")
    )
)]
#[get("/api/v1/organizations/{organization_id}/settings/{key}/history")]
pub async fn history(
    access: OrganizationAccess<SettingsRead>,
    path: Path<Key>,
    settings: web::Data<Settings>,
) -> Result<Answer<Vec<ChangeView>>, ApiError> {
    Ok(Answer::ok(settings.history(scope(&access), &path.key).await?))
}

fn scope<P>(access: &OrganizationAccess<P>) -> Scope {
    Scope::Organization(access.organization_id)
}

/// Asks for what this setting takes beyond `settings:write`.
async fn guard(request: &HttpRequest, settings: &Settings, key: &str) -> Result<(), ApiError> {
    if settings.guard(Level::Organization, key)? == Guard::Security {
        OrganizationAccess::<SettingsSecurity>::extract(request).await?;
    }
    Ok(())
}
