//! `POST /api/v1/users/me/password`.

use actix_web::{post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Done, about_field};
use crate::auth::{Accounts, Error};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, SignedIn};

/// The password that is, and the one that shall be.
#[derive(Deserialize, ToSchema, Validate)]
pub struct ChangePassword {
    #[garde(length(chars, min = 1, max = 512))]
    current_password: String,
    #[garde(length(chars, min = 1, max = 512))]
    new_password: String,
}

/// Changes my password; my other sessions end.
#[utoipa::path(
    operation_id = "changePassword",
    tag = "users",
    security(("access_token" = [])),
    request_body = ChangePassword,
    responses(
        (status = 200, body = Envelope<Done>),
        (status = 400, body = ErrorEnvelope, description = "the current password is wrong, or the new one is not good enough"),
        (status = 401, body = ErrorEnvelope),
        (status = 429, body = ErrorEnvelope, description = "too many wrong passwords; `Retry-After` tells the seconds to wait")
    )
)]
#[post("/api/v1/users/me/password")]
pub async fn change_password(
    caller: SignedIn,
    body: Json<ChangePassword>,
    origin: Origin,
    accounts: web::Data<Accounts>,
) -> Result<Answer<Done>, ApiError> {
    let changed = accounts.change_password(&caller, &body.current_password, &body.new_password, &origin).await;
    changed.map_err(|error| {
        let field = if matches!(error, Error::WrongPassword) { "current_password" } else { "new_password" };
        about_field(error, field)
    })?;
    Ok(Answer::ok(Done {}))
}
