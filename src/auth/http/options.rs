//! `GET /api/v1/auth/options`: what the pages of signing in have to know.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Accounts, LONGEST, SHORTEST};
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope};
use crate::infra::mail::Mailer;

/// How people get in.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthOptions {
    /// Who may sign up: `closed`, `invitation`, `domain` or `open`.
    #[schema(value_type = String)]
    sign_up: crate::settings::SignUpMode,
    /// Whether mail leaves the installation. Without it, links come from administrators.
    mail: bool,
    password: PasswordRules,
}

/// What a password must be.
#[derive(Debug, Serialize, ToSchema)]
pub struct PasswordRules {
    /// Characters.
    min_length: usize,
    max_length: usize,
}

/// Who may sign up, whether mail is sent, and what a password must be.
#[utoipa::path(operation_id = "getAuthOptions", tag = "auth", responses((status = 200, body = Envelope<AuthOptions>)))]
#[get("/api/v1/auth/options")]
pub async fn options(accounts: web::Data<Accounts>, mailer: web::Data<Mailer>) -> Result<Answer<AuthOptions>, ApiError> {
    Ok(Answer::ok(AuthOptions {
        sign_up: accounts.sign_up_mode().await?,
        mail: mailer.delivers(),
        password: PasswordRules { min_length: SHORTEST, max_length: LONGEST },
    }))
}
