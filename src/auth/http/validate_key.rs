//! `POST /v1/auth/validate-key`: SDKs ask at start whether their key is good.

use actix_web::{HttpRequest, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{ApiKeyView, ApiKeys};
use crate::common::id::{ApiKeyId, OrganizationId, ProjectId, UserId};
use crate::error::{ApiError, Code};
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{api_key, authenticate_key};
use crate::http::limit;

/// A good key and what it stands for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValidKey {
    api_key: ApiKeyView,
    auth_context: KeyOwner,
    #[schema(value_type = String)]
    project_id: ProjectId,
    #[schema(value_type = String)]
    organization_id: OrganizationId,
    /// Always true.
    valid: bool,
}

/// Whose key it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyOwner {
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    #[schema(value_type = String)]
    api_key_id: ApiKeyId,
}

/// Tells whether the API key of the request is good, and what it stands for.
#[utoipa::path(
    operation_id = "validateApiKey",
    tag = "auth",
    security(("api_key" = []), ("api_key_bearer" = [])),
    responses(
        (status = 200, body = Envelope<ValidKey>),
        (status = 400, body = ErrorEnvelope, description = "no key was sent"),
        (status = 401, body = ErrorEnvelope, description = "the key is unknown, revoked or expired")
    )
)]
#[post("/v1/auth/validate-key")]
pub async fn validate_key(request: HttpRequest, keys: web::Data<ApiKeys>) -> Result<Answer<ValidKey>, ApiError> {
    // Not the extractor: SDKs count on 400 for a key that is missing.
    let Some(key) = api_key(&request) else {
        limit::stranger(&request).await?;
        return Err(ApiError::new(Code::BadRequest, "no API key: send it as X-API-Key or as Authorization: Bearer bk_…"));
    };
    let refused = || ApiError::new(Code::Unauthorized, "the API key is unknown, revoked or expired");
    let context = authenticate_key(&request, key).await?;
    let api_key = keys.find(context.project_id, context.api_key_id).await?.ok_or_else(refused)?;
    Ok(Answer::ok(ValidKey {
        api_key,
        auth_context: KeyOwner { user_id: context.user_id, api_key_id: context.api_key_id },
        project_id: context.project_id,
        organization_id: context.organization_id,
        valid: true,
    }))
}
