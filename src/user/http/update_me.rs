//! `PATCH /api/v1/users/me`.

use actix_web::{patch, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::me::{Me, profile};
use crate::audit::{Audit, By};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, SignedIn};
use crate::organization::Directory;
use crate::user::{ProfileChange, Users};

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema, Validate)]
pub struct UpdateMe {
    #[garde(inner(length(chars, max = 100)))]
    first_name: Option<String>,
    #[garde(inner(length(chars, max = 100)))]
    last_name: Option<String>,
}

/// Changes my profile.
#[utoipa::path(
    operation_id = "updateMe",
    tag = "users",
    security(("access_token" = [])),
    request_body = UpdateMe,
    responses((status = 200, body = Envelope<Me>), (status = 400, body = ErrorEnvelope), (status = 401, body = ErrorEnvelope))
)]
#[patch("/api/v1/users/me")]
pub async fn update_me(
    caller: SignedIn,
    body: Json<UpdateMe>,
    origin: Origin,
    users: web::Data<Users>,
    directory: web::Data<Directory>,
    audit: web::Data<Audit>,
) -> Result<Answer<Me>, ApiError> {
    let trimmed = |name: Option<String>| name.map(|name| name.trim().to_owned());
    let UpdateMe { first_name, last_name } = body.into_inner();
    let change = ProfileChange { first_name: trimmed(first_name), last_name: trimmed(last_name) };
    users.update_profile(&audit, &By::user(caller.user_id, origin), caller.user_id, &change).await?;
    Ok(Answer::ok(profile(caller.user_id, &users, &directory).await?))
}
