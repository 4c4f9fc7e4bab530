//! `POST /api/v1/auth/login`.

use actix_web::{HttpRequest, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{RefreshCookie, Session, device};
use crate::auth::Sessions;
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
        (status = 401, body = ErrorEnvelope, description = "wrong e-mail or password")
    )
)]
#[post("/api/v1/auth/login")]
pub async fn login(
    request: HttpRequest,
    body: Json<Login>,
    sessions: web::Data<Sessions>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<Session>, ApiError> {
    let signed_in = sessions.login(&body.email, &body.password, device(&request)).await?;
    let cookie = cookie.set(signed_in.refresh_token.clone(), signed_in.refresh_ttl);
    Ok(Answer::ok(Session::from(signed_in)).with_cookie(cookie))
}
