//! `POST /api/v1/auth/login` and `POST /api/v1/auth/second-factor`.

use actix_web::{post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RefreshCookie, Session, with_cookie};
use crate::auth::{Proof, Sessions};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::Json;

/// E-mail and password.
#[derive(Deserialize, ToSchema, Validate)]
pub struct Login {
    #[garde(length(chars, min = 1, max = 320))]
    email: String,
    #[garde(length(chars, min = 1, max = 512))]
    password: String,
}

/// Signs in with e-mail and password.
#[utoipa::path(
    operation_id = "login",
    tag = "auth",
    request_body = Login,
    responses(
        (status = 200, body = Envelope<Session>, description = "and the cookie `brokle_refresh`"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope, description = "wrong e-mail or password; or `SECOND_FACTOR_REQUIRED` with `details.challenge` for `/api/v1/auth/second-factor`"),
        (status = 403, body = ErrorEnvelope, description = "the e-mail address is not verified (`details.reason` is `email_not_verified`)"),
        (status = 429, body = ErrorEnvelope, description = "too many failed sign-ins; `Retry-After` tells the seconds to wait"),
        (status = 503, body = ErrorEnvelope, description = "too many people are signing in")
    )
)]
#[post("/api/v1/auth/login")]
pub async fn login(
    body: Json<Login>,
    origin: Origin,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<Session>, ApiError> {
    let signed_in = sessions.login(&body.email, &body.password, origin).await?;
    Ok(with_cookie(signed_in, **cookie))
}

/// The second step of signing in: one of `code` and `recovery_code`.
#[derive(Deserialize, ToSchema, Validate)]
pub struct CompleteLogin {
    /// From `details.challenge` of the first step.
    #[garde(length(chars, min = 1, max = 4096))]
    challenge: String,
    /// Six digits.
    #[garde(inner(length(chars, min = 1, max = 32)))]
    code: Option<String>,
    #[garde(inner(length(chars, min = 1, max = 64)))]
    recovery_code: Option<String>,
}

/// What of the two was sent.
pub(super) fn proof(code: Option<String>, recovery_code: Option<String>) -> Result<Proof, ApiError> {
    match (code, recovery_code) {
        (Some(code), None) => Ok(Proof::Code(code)),
        (None, Some(code)) => Ok(Proof::RecoveryCode(code)),
        _ => Err(ApiError::validation("code", "send either code or recovery_code")),
    }
}

/// Signs in with the second factor, after the password was right.
#[utoipa::path(
    operation_id = "completeLogin",
    tag = "auth",
    request_body = CompleteLogin,
    responses(
        (status = 200, body = Envelope<Session>, description = "and the cookie `brokle_refresh`"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope, description = "the code is wrong, or the challenge has expired"),
        (status = 429, body = ErrorEnvelope, description = "too many failed sign-ins; `Retry-After` tells the seconds to wait")
    )
)]
#[post("/api/v1/auth/second-factor")]
pub async fn complete_login(
    body: Json<CompleteLogin>,
    origin: Origin,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<Session>, ApiError> {
    let CompleteLogin { challenge, code, recovery_code } = body.into_inner();
    let signed_in = sessions.complete_login(&challenge, &proof(code, recovery_code)?, origin).await?;
    Ok(with_cookie(signed_in, **cookie))
}
