//! `POST /api/v1/auth/logout` and `POST /api/v1/auth/logout-all`.

use actix_web::{post, web};

use super::{Done, EndedSessions, RefreshCookie};
use crate::auth::Sessions;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::SignedIn;

/// Ends the session of the access token, and takes the cookie away.
#[utoipa::path(
    operation_id = "logout",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<Done>), (status = 401, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/logout")]
pub async fn logout(
    caller: SignedIn,
    origin: Origin,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<Done>, ApiError> {
    sessions.logout(&caller, origin).await?;
    Ok(Answer::ok(Done {}).with_cookie(cookie.clear()))
}

/// Ends all sessions of the caller, on every device, this one included.
#[utoipa::path(
    operation_id = "logoutAll",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<EndedSessions>), (status = 401, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/logout-all")]
pub async fn logout_all(
    caller: SignedIn,
    origin: Origin,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<EndedSessions>, ApiError> {
    let ended = sessions.end_everywhere(&caller, false, origin).await?;
    Ok(Answer::ok(EndedSessions { ended }).with_cookie(cookie.clear()))
}
