//! `POST /api/v1/auth/forgot-password` and `POST /api/v1/auth/reset-password`.

use actix_web::{post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Done, about_field};
use crate::auth::Accounts;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::Json;

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema, Validate)]
pub struct ForgotPassword {
    #[garde(length(chars, min = 1, max = 320))]
    email: String,
}

/// Sends a link to set a new password, at most once a minute. The answer is the same whether or not there is such an account.
#[utoipa::path(
    operation_id = "forgotPassword",
    tag = "auth",
    request_body = ForgotPassword,
    responses((status = 200, body = Envelope<Done>), (status = 400, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/forgot-password")]
pub async fn forgot_password(body: Json<ForgotPassword>, origin: Origin, accounts: web::Data<Accounts>) -> Result<Answer<Done>, ApiError> {
    accounts.forgot_password(&body.email, &origin).await?;
    Ok(Answer::ok(Done {}))
}

/// The token of the link in the mail, and the password to be set.
#[derive(Deserialize, ToSchema, Validate)]
pub struct ResetPassword {
    #[garde(length(chars, min = 1, max = 200))]
    token: String,
    #[garde(length(chars, min = 1, max = 512))]
    new_password: String,
}

/// Sets a new password, and ends all sessions. A token is good once, for an hour.
#[utoipa::path(
    operation_id = "resetPassword",
    tag = "auth",
    request_body = ResetPassword,
    responses(
        (status = 200, body = Envelope<Done>),
        (status = 400, body = ErrorEnvelope, description = "the token is not valid (any more), or the password is not good enough")
    )
)]
#[post("/api/v1/auth/reset-password")]
pub async fn reset_password(body: Json<ResetPassword>, origin: Origin, accounts: web::Data<Accounts>) -> Result<Answer<Done>, ApiError> {
    let reset = accounts.reset_password(&body.token, &body.new_password, &origin).await;
    reset.map_err(|error| about_field(error, "new_password"))?;
    Ok(Answer::ok(Done {}))
}
