//! The routes of signing in, and the one that checks an API key.

mod api_keys;
mod cookie;
mod login;
mod logout;
mod refresh;
mod validate_key;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
pub use cookie::RefreshCookie;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Device, SignedIn};
use crate::user::UserView;

/// `/api/v1/auth/…` and `/v1/auth/…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config
        .service(login::login)
        .service(refresh::refresh)
        .service(logout::logout)
        .service(validate_key::validate_key)
        .configure(api_keys::routes);
}

/// An open session. The refresh token is in the cookie `brokle_refresh`, out of reach of scripts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token is valid.
    expires_in: u64,
    user: UserView,
}

impl From<SignedIn> for Session {
    fn from(signed_in: SignedIn) -> Self {
        Self { access_token: signed_in.access_token, token_type: "Bearer", expires_in: signed_in.expires_in, user: signed_in.user }
    }
}

/// Where a request comes from.
fn device(request: &HttpRequest) -> Device {
    Device {
        ip: request.peer_addr().map(|address| address.ip()),
        user_agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned),
    }
}
