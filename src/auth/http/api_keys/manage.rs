//! `PATCH` and `DELETE /api/v1/projects/{project_id}/api-keys/{api_key_id}`.

use actix_web::{delete, patch, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::OneKey;
use crate::audit::By;
use crate::auth::permission::{ApiKeysDelete, ApiKeysUpdate, EvenArchived};
use crate::auth::{ApiKeyView, ApiKeys};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, Path, ProjectAccess};

/// What a key is called.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct ApiKeyName {
    #[garde(length(chars, min = 2, max = 100))]
    name: String,
}

/// A key that is no more.
#[derive(Debug, Serialize, ToSchema)]
pub struct RevokedApiKey {}

/// Gives an API key another name.
#[utoipa::path(
    operation_id = "renameApiKey",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("api_key_id" = String, Path)),
    request_body = ApiKeyName,
    responses(
        (status = 200, body = Envelope<ApiKeyView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the project or its organization is archived")
    )
)]
#[patch("/api/v1/projects/{project_id}/api-keys/{api_key_id}")]
pub async fn rename(
    access: ProjectAccess<ApiKeysUpdate>,
    path: Path<OneKey>,
    body: Json<ApiKeyName>,
    origin: Origin,
    keys: web::Data<ApiKeys>,
) -> Result<Answer<ApiKeyView>, ApiError> {
    keys.rename(access.project_id, path.api_key_id, &body.name, &By::user(access.user.user_id, origin)).await?;
    Ok(Answer::ok(keys.get(access.project_id, path.api_key_id).await?))
}

/// Revokes an API key: it is refused at once, by every server. Also in an archived project.
#[utoipa::path(
    operation_id = "revokeApiKey",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("api_key_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<RevokedApiKey>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[delete("/api/v1/projects/{project_id}/api-keys/{api_key_id}")]
pub async fn revoke(
    access: ProjectAccess<EvenArchived<ApiKeysDelete>>,
    path: Path<OneKey>,
    origin: Origin,
    keys: web::Data<ApiKeys>,
) -> Result<Answer<RevokedApiKey>, ApiError> {
    keys.revoke(access.project_id, path.api_key_id, &By::user(access.user.user_id, origin)).await?;
    Ok(Answer::ok(RevokedApiKey {}))
}
