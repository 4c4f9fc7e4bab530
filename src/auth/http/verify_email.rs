//! `POST /api/v1/auth/verify-email` and `POST /api/v1/auth/resend-verification`.

use actix_web::{post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Done;
use crate::auth::Accounts;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::Json;

/// The token of the link in the mail.
#[derive(Deserialize, ToSchema, Validate)]
pub struct VerifyEmail {
    #[garde(length(chars, min = 1, max = 200))]
    token: String,
}

/// Proves that an e-mail address is one's own. A token is good once, for 24 hours.
#[utoipa::path(
    operation_id = "verifyEmail",
    tag = "auth",
    request_body = VerifyEmail,
    responses((status = 200, body = Envelope<Done>), (status = 400, body = ErrorEnvelope, description = "the token is not valid (any more)"))
)]
#[post("/api/v1/auth/verify-email")]
pub async fn verify_email(body: Json<VerifyEmail>, origin: Origin, accounts: web::Data<Accounts>) -> Result<Answer<Done>, ApiError> {
    accounts.verify_email(&body.token, &origin).await?;
    Ok(Answer::ok(Done {}))
}

/// Whom to send it to.
#[derive(Deserialize, ToSchema, Validate)]
pub struct ResendVerification {
    #[garde(length(chars, min = 1, max = 320))]
    email: String,
}

/// Sends the mail with the link once more, at most once a minute. The answer is the same whether or not there is such an account.
#[utoipa::path(
    operation_id = "resendVerification",
    tag = "auth",
    request_body = ResendVerification,
    responses((status = 200, body = Envelope<Done>), (status = 400, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/resend-verification")]
pub async fn resend_verification(body: Json<ResendVerification>, accounts: web::Data<Accounts>) -> Result<Answer<Done>, ApiError> {
    accounts.resend_verification(&body.email).await?;
    Ok(Answer::ok(Done {}))
}
