//! `POST /api/v1/auth/refresh`.

use actix_web::{HttpRequest, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::cookie::NAME;
use super::{RefreshCookie, Session, with_cookie};
use crate::auth::Sessions;
use crate::common::origin::Origin;
use crate::error::{ApiError, Code};
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};

/// For callers without cookies.
#[derive(Deserialize, ToSchema)]
pub struct Refresh {
    /// The value of the cookie `brokle_refresh`.
    refresh_token: String,
}

/// Exchanges the refresh token for a new one and a new access token. The cookie is looked at first; the body may be missing.
#[utoipa::path(
    operation_id = "refreshSession",
    tag = "auth",
    request_body = Option<Refresh>,
    responses(
        (status = 200, body = Envelope<Session>, description = "and the cookie `brokle_refresh`"),
        (status = 401, body = ErrorEnvelope, description = "`REFRESH_EXPIRED`: sign in again")
    )
)]
#[post("/api/v1/auth/refresh")]
pub async fn refresh(
    request: HttpRequest,
    body: web::Bytes,
    origin: Origin,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<Session>, ApiError> {
    let token = match request.cookie(NAME) {
        Some(cookie) => cookie.value().to_owned(),
        // Browsers send the cookie and an empty body, whatever its content type: so the body is read only when it is needed.
        None if body.is_empty() => return Err(ApiError::new(Code::RefreshExpired, "no refresh token was sent; sign in")),
        None => {
            serde_json::from_slice::<Refresh>(&body)
                .map_err(|error| ApiError::validation("refresh_token", error.to_string()))?
                .refresh_token
        }
    };
    let signed_in = sessions.refresh(&token, origin).await?;
    Ok(with_cookie(signed_in, **cookie))
}
