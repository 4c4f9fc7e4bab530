//! `POST /api/v1/auth/logout`.

use actix_web::{post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::RefreshCookie;
use crate::auth::Sessions;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::SignedIn;

/// Nothing to tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedOut {}

/// Ends the session of the access token, and takes the cookie away.
#[utoipa::path(
    operation_id = "logout",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<SignedOut>), (status = 401, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/logout")]
pub async fn logout(
    caller: SignedIn,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<SignedOut>, ApiError> {
    sessions.logout(caller.session_id).await?;
    Ok(Answer::ok(SignedOut {}).with_cookie(cookie.clear()))
}
