//! `GET /api/v1/projects/{project_id}/api-keys`.

use actix_web::{get, web};

use crate::auth::permission::ApiKeysRead;
use crate::auth::{ApiKeyView, ApiKeys};
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::ProjectAccess;

/// Lists the API keys of a project that were not revoked, newest first.
#[utoipa::path(
    operation_id = "listApiKeys",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ApiKeyView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/api-keys")]
pub async fn list(access: ProjectAccess<ApiKeysRead>, keys: web::Data<ApiKeys>) -> Result<Answer<Vec<ApiKeyView>>, ApiError> {
    Ok(Answer::ok(keys.list(access.project_id).await?))
}
