//! `POST /api/v1/projects/{project_id}/api-keys/{api_key_id}/rotate`.

use actix_web::{post, web};
use chrono::TimeDelta;
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{MadeApiKey, OneKey};
use crate::audit::By;
use crate::auth::ApiKeys;
use crate::auth::permission::ApiKeysUpdate;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, Path, ProjectAccess};

/// How long the old key stays good.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct Rotation {
    /// 0 to 168; with 0 the old key is revoked at once.
    #[garde(range(min = 0, max = 168))]
    #[serde(default = "a_day")]
    #[schema(default = 24, minimum = 0, maximum = 168)]
    overlap_hours: u32,
}

fn a_day() -> u32 {
    24
}

/// Makes an API key in place of another, with its name, scopes and time to live. Both are good for a while, so that programs can be
/// given the new one. It is in this answer and nowhere else afterwards.
#[utoipa::path(
    operation_id = "rotateApiKey",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("api_key_id" = String, Path)),
    request_body = Rotation,
    responses(
        (status = 201, body = Envelope<MadeApiKey>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the key has expired or was rotated already, or the project is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/api-keys/{api_key_id}/rotate")]
pub async fn rotate(
    access: ProjectAccess<ApiKeysUpdate>,
    path: Path<OneKey>,
    body: Json<Rotation>,
    origin: Origin,
    keys: web::Data<ApiKeys>,
) -> Result<Answer<MadeApiKey>, ApiError> {
    let overlap = TimeDelta::hours(body.overlap_hours.into());
    let (view, key) = keys.rotate(access.project_id, path.api_key_id, overlap, &By::user(access.user.user_id, origin)).await?;
    Ok(Answer::created(MadeApiKey::new(view, &key)))
}
