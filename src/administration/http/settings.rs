//! `/api/v1/admin/settings`: the settings of the installation.

use actix_web::{delete, get, put, web};

use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, Path, PlatformAdmin};
use crate::settings::http::{Key, SetSetting};
use crate::settings::{ChangeView, Scope, Settings, View};

/// What can be set for the installation, as it stands.
#[utoipa::path(
    operation_id = "listInstallationSettings",
    tag = "settings",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<Vec<View>>), (status = 403, body = ErrorEnvelope))
)]
#[get("/api/v1/admin/settings")]
pub async fn list(_admin: PlatformAdmin, settings: web::Data<Settings>) -> Result<Answer<Vec<View>>, ApiError> {
    Ok(Answer::ok(settings.list(Scope::Installation).await?))
}

/// Sets a value for the installation.
#[utoipa::path(
    operation_id = "setInstallationSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("key" = String, Path)),
    request_body = SetSetting,
    responses(
        (status = 200, body = Envelope<View>),
        (status = 400, body = ErrorEnvelope, description = "the value does not fit"),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting"),
        (status = 409, body = ErrorEnvelope, description = "somebody else has changed it meanwhile")
    )
)]
#[put("/api/v1/admin/settings/{key}")]
pub async fn set(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Key>,
    body: Json<SetSetting>,
    settings: web::Data<Settings>,
) -> Result<Answer<View>, ApiError> {
    let by = By::user(admin.user_id, origin);
    Ok(Answer::ok(settings.set(&by, Scope::Installation, &path.key, &body.value, body.version).await?))
}

/// Goes back to the default.
#[utoipa::path(
    operation_id = "resetInstallationSetting",
    tag = "settings",
    security(("access_token" = [])),
    params(("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<View>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting")
    )
)]
#[delete("/api/v1/admin/settings/{key}")]
pub async fn reset(admin: PlatformAdmin, origin: Origin, path: Path<Key>, settings: web::Data<Settings>) -> Result<Answer<View>, ApiError> {
    Ok(Answer::ok(settings.reset(&By::user(admin.user_id, origin), Scope::Installation, &path.key).await?))
}

/// The latest 100 changes of a setting, newest first.
#[utoipa::path(
    operation_id = "getInstallationSettingHistory",
    tag = "settings",
    security(("access_token" = [])),
    params(("key" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ChangeView>>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such setting")
    )
)]
#[get("/api/v1/admin/settings/{key}/history")]
pub async fn history(_admin: PlatformAdmin, path: Path<Key>, settings: web::Data<Settings>) -> Result<Answer<Vec<ChangeView>>, ApiError> {
    Ok(Answer::ok(settings.history(Scope::Installation, &path.key).await?))
}
