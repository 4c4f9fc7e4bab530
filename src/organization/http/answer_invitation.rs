//! Invitations: the side of whoever was invited.

use actix_web::{get, post, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invitations::OneInvitation;
use super::views::{MyInvitation, Nothing, ValidInvitation};
use crate::audit::By;
use crate::common::id::{InvitationId, OrganizationId};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, Path, SignedIn};
use crate::organization::{Error, Invitations};

/// The token of an invitation's link.
#[derive(Deserialize, ToSchema, Validate)]
pub struct InvitationToken {
    #[garde(length(chars, min = 1, max = 200))]
    token: String,
}

/// Which invitation: by the token of its link, or by its id.
#[derive(Deserialize, ToSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Acceptance {
    #[garde(inner(length(chars, min = 1, max = 200)))]
    token: Option<String>,
    #[schema(value_type = Option<String>)]
    invitation_id: Option<InvitationId>,
}

/// Where I am a member now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Joined {
    #[schema(value_type = String)]
    organization_id: OrganizationId,
}

/// What the token of an invitation is for.
#[utoipa::path(
    operation_id = "validateInvitation",
    tag = "organizations",
    request_body = InvitationToken,
    responses(
        (status = 200, body = Envelope<ValidInvitation>),
        (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "unknown, expired, revoked or used")
    )
)]
#[post("/api/v1/invitations/validate")]
pub async fn validate(body: Json<InvitationToken>, invitations: web::Data<Invitations>) -> Result<Answer<ValidInvitation>, ApiError> {
    let open = invitations.find_open(&body.token).await?.ok_or(Error::InvitationNotFound)?;
    let account_exists = invitations.has_account(&open).await?;
    Ok(Answer::ok(ValidInvitation::new(open, account_exists)))
}

/// Lists the invitations that I can accept: those sent to my e-mail address, once it is verified.
#[utoipa::path(
    operation_id = "listMyInvitations",
    tag = "organizations",
    security(("access_token" = [])),
    responses(
        (status = 200, body = Envelope<Vec<MyInvitation>>),
        (status = 401, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/invitations")]
pub async fn mine(caller: SignedIn, invitations: web::Data<Invitations>) -> Result<Answer<Vec<MyInvitation>>, ApiError> {
    let mine = invitations.mine(caller.user_id).await?;
    Ok(Answer::ok(mine.into_iter().map(MyInvitation::from).collect()))
}

/// Accepts an invitation that was sent to my e-mail address.
#[utoipa::path(
    operation_id = "acceptInvitation",
    tag = "organizations",
    security(("access_token" = [])),
    request_body = Acceptance,
    responses(
        (status = 200, body = Envelope<Joined>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "it is for another address, or mine is not verified"),
        (status = 404, body = ErrorEnvelope, description = "unknown, expired, revoked or used"),
        (status = 409, body = ErrorEnvelope, description = "I am a member already")
    )
)]
#[post("/api/v1/invitations/accept")]
pub async fn accept(
    caller: SignedIn,
    body: Json<Acceptance>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<Joined>, ApiError> {
    let (by, user) = (By::user(caller.user_id, origin), caller.user_id);
    let organization_id = match (&body.token, body.invitation_id) {
        (Some(token), None) => invitations.accept_token(&by, user, token).await?,
        (None, Some(id)) => invitations.accept_id(&by, user, id).await?,
        _ => return Err(ApiError::validation("token", "name the invitation by token or by invitation_id, one of them")),
    };
    Ok(Answer::ok(Joined { organization_id }))
}

/// Turns an invitation down, by the token of its link.
#[utoipa::path(
    operation_id = "declineInvitation",
    tag = "organizations",
    request_body = InvitationToken,
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "unknown, expired, revoked or used")
    )
)]
#[post("/api/v1/invitations/decline")]
pub async fn decline(
    body: Json<InvitationToken>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<Nothing>, ApiError> {
    invitations.decline(&By::anonymous(origin), &body.token).await?;
    Ok(Answer::ok(Nothing {}))
}

/// Turns down an invitation that is in the list of mine.
#[utoipa::path(
    operation_id = "declineMyInvitation",
    tag = "organizations",
    security(("access_token" = [])),
    params(("invitation_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "unknown, expired, revoked, used, or not mine")
    )
)]
#[post("/api/v1/invitations/{invitation_id}/decline")]
pub async fn decline_mine(
    caller: SignedIn,
    path: Path<OneInvitation>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(caller.user_id, origin);
    invitations.decline_id(&by, caller.user_id, path.invitation_id).await?;
    Ok(Answer::ok(Nothing {}))
}
