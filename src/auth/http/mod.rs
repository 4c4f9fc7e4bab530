//! The routes of signing in and of accounts, and the one that checks an API key.

mod api_keys;
mod change_password;
mod cookie;
mod login;
mod logout;
mod options;
mod refresh;
mod reset_password;
mod second_factor;
mod sessions;
mod sign_up;
mod validate_key;
mod verify_email;

pub use cookie::RefreshCookie;
use serde::Serialize;
use utoipa::ToSchema;

use super::SignedIn;
use crate::error::ApiError;
use crate::http::envelope::Answer;
use crate::user::UserView;

/// `/api/v1/auth/…` and `/v1/auth/…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config
        .service(options::options)
        .service(login::login)
        .service(login::complete_login)
        .service(sign_up::sign_up)
        .service(verify_email::verify_email)
        .service(verify_email::resend_verification)
        .service(reset_password::forgot_password)
        .service(reset_password::reset_password)
        .service(change_password::change_password)
        .service(refresh::refresh)
        .service(logout::logout)
        .service(logout::logout_all)
        .service(sessions::list_sessions)
        .service(sessions::revoke_other_sessions)
        .service(sessions::revoke_session)
        .service(second_factor::get_second_factor)
        .service(second_factor::set_up_second_factor)
        .service(second_factor::enable_second_factor)
        .service(second_factor::disable_second_factor)
        .service(second_factor::replace_recovery_codes)
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

/// Nothing to tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {}

/// How many sessions have ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSessions {
    ended: u64,
}

/// A session with its cookie.
fn with_cookie(signed_in: SignedIn, cookie: RefreshCookie) -> Answer<Session> {
    let refresh = cookie.set(signed_in.refresh_token.clone(), signed_in.refresh_ttl);
    Answer::ok(Session::from(signed_in)).with_cookie(refresh)
}

/// An error about a password, as one about the field that the new or the current password was sent in.
fn about_field(error: super::Error, name: &str) -> ApiError {
    let mut error = ApiError::from(error);
    let field = error.details.as_mut().and_then(|details| details.get_mut(0)).and_then(|first| first.get_mut("field"));
    if let Some(field) = field.filter(|field| **field == "password") {
        *field = name.into();
    }
    error
}
