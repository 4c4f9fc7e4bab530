//! `POST /api/v1/projects/{project_id}/api-keys`.

use actix_web::{post, web};
use chrono::{DateTime, TimeDelta, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::MadeApiKey;
use crate::audit::By;
use crate::auth::permission::ApiKeysCreate;
use crate::auth::{ApiKeys, KeyScope, KeyScopes, NewKey};
use crate::common::clock::SharedClock;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, ProjectAccess};

/// How long a key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum ExpiryOption {
    #[serde(rename = "30days")]
    ThirtyDays,
    #[serde(rename = "90days")]
    NinetyDays,
    #[serde(rename = "never")]
    Never,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct NewApiKey {
    #[garde(length(chars, min = 2, max = 100))]
    name: String,
    /// Without it, `full`.
    #[garde(inner(length(min = 1, max = 10)))]
    scopes: Option<Vec<KeyScope>>,
    /// Without it and without `expires_at`, never.
    expiry_option: Option<ExpiryOption>,
    /// RFC 3339; in place of `expiry_option`.
    expires_at: Option<DateTime<Utc>>,
}

impl NewApiKey {
    fn expiry(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ApiError> {
        match (self.expiry_option, self.expires_at) {
            (Some(_), Some(_)) => Err(ApiError::validation("expires_at", "say expiry_option or expires_at, not both")),
            (None, Some(at)) if at <= now => Err(ApiError::validation("expires_at", "expires_at must be in the future")),
            (None, at) => Ok(at),
            (Some(ExpiryOption::ThirtyDays), None) => Ok(Some(now + TimeDelta::days(30))),
            (Some(ExpiryOption::NinetyDays), None) => Ok(Some(now + TimeDelta::days(90))),
            (Some(ExpiryOption::Never), None) => Ok(None),
        }
    }
}

/// Makes an API key. It is in this answer and nowhere else afterwards.
#[utoipa::path(
    operation_id = "createApiKey",
    tag = "projects",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    request_body = NewApiKey,
    responses(
        (status = 201, body = Envelope<MadeApiKey>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the project or its organization is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/api-keys")]
pub async fn create(
    access: ProjectAccess<ApiKeysCreate>,
    body: Json<NewApiKey>,
    origin: Origin,
    keys: web::Data<ApiKeys>,
    clock: web::Data<SharedClock>,
) -> Result<Answer<MadeApiKey>, ApiError> {
    let expires_at = body.expiry(clock.now())?;
    let scopes = body.scopes.as_deref().map_or(Ok(KeyScopes::FULL), KeyScopes::of)?;
    let new = NewKey::new(access.project_id, body.name.as_str()).expiring(expires_at).scoped(scopes);
    let (made, key) = keys.create(new, &By::user(access.user.user_id, origin)).await?;
    let view = keys.get(access.project_id, made.id).await?;
    Ok(Answer::created(MadeApiKey::new(view, &key)))
}
