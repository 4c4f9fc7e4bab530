//! `POST /api/v1/auth/signup`.

use actix_web::{post, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RefreshCookie, Session};
use crate::auth::{Accounts, NewAccount, SignedUp};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::Json;
use crate::organization::Name;

/// An account to be made.
#[derive(Deserialize, ToSchema, Validate)]
pub struct NewSignUp {
    #[garde(length(chars, min = 3, max = 320))]
    email: String,
    #[garde(length(chars, min = 1, max = 512))]
    password: String,
    #[garde(length(chars, max = 100))]
    first_name: String,
    #[garde(length(chars, max = 100))]
    last_name: String,
    /// Makes an organization of this name, with a first project. Not looked at with an invitation.
    #[garde(inner(length(chars, min = 1, max = 100)))]
    organization_name: Option<String>,
    /// From the link of an invitation to this address.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    invitation_token: Option<String>,
}

/// What has become of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignUpResult {
    /// `signed_in`, or `verification_sent`: a mail is on its way, whether or not the address had an account before.
    status: &'static str,
    session: Option<Session>,
}

/// Makes an account.
#[utoipa::path(
    operation_id = "signUp",
    tag = "auth",
    request_body = NewSignUp,
    responses(
        (status = 201, body = Envelope<SignUpResult>, description = "with an invitation also the cookie `brokle_refresh`"),
        (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "this installation does not let this address sign up"),
        (status = 409, body = ErrorEnvelope, description = "with an invitation: the address has an account")
    )
)]
#[post("/api/v1/auth/signup")]
pub async fn sign_up(
    body: Json<NewSignUp>,
    origin: Origin,
    accounts: web::Data<Accounts>,
    cookie: web::Data<RefreshCookie>,
) -> Result<Answer<SignUpResult>, ApiError> {
    let NewSignUp { email, password, first_name, last_name, organization_name, invitation_token } = body.into_inner();
    let organization = organization_name.map(|name| name.parse::<Name>());
    let new = NewAccount {
        email: email.parse().map_err(crate::auth::Error::User)?,
        password,
        first_name,
        last_name,
        organization: organization.transpose().map_err(|error| ApiError::validation("organization_name", error.to_string()))?,
        invitation_token,
    };
    match accounts.sign_up(new, origin).await? {
        SignedUp::SignedIn(signed_in) => {
            let refresh = cookie.set(signed_in.refresh_token.clone(), signed_in.refresh_ttl);
            let session = Some(Session::from(*signed_in));
            Ok(Answer::created(SignUpResult { status: "signed_in", session }).with_cookie(refresh))
        }
        SignedUp::VerificationSent => Ok(Answer::created(SignUpResult { status: "verification_sent", session: None })),
    }
}
