//! Invitations: the organisation's side.

use actix_web::{delete, get, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::views::{InvitationView, Nothing};
use crate::audit::By;
use crate::common::id::InvitationId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{MembersInvite, MembersRead};
use crate::http::extract::{Json, OrganizationAccess, Path, Query};
use crate::organization::invitation::{InvitationStatus, Invite, ProjectGrant};
use crate::organization::{Invitations, Role};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Without it, all.
    #[param(inline)]
    status: Option<InvitationStatus>,
}

#[derive(Debug, Deserialize)]
pub struct OneInvitation {
    pub(super) invitation_id: InvitationId,
}

/// Whom to invite, and as what.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct NewInvitation {
    #[garde(length(chars, min = 3, max = 320))]
    email: String,
    /// `owner`, `admin`, `developer`, `viewer`, or `none`: projects by assignment only. None above one's own.
    #[garde(length(chars, min = 1, max = 64))]
    role: String,
    /// Roles in single projects, in place of the one above.
    #[garde(length(max = 100))]
    #[serde(default)]
    project_roles: Vec<ProjectGrant>,
}

/// Lists the latest invitations to an organisation, newest first.
#[utoipa::path(
    operation_id = "listInvitations",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<InvitationView>>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/invitations")]
pub async fn list(
    access: OrganizationAccess<MembersRead>,
    query: Query<ListQuery>,
    invitations: web::Data<Invitations>,
) -> Result<Answer<Vec<InvitationView>>, ApiError> {
    let list = invitations.list(access.organization_id, query.status).await?;
    Ok(Answer::ok(list.into_iter().map(InvitationView::from).collect()))
}

/// Invites somebody by mail. The link is good for 7 days and once.
#[utoipa::path(
    operation_id = "createInvitation",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    request_body = NewInvitation,
    responses(
        (status = 201, body = Envelope<InvitationView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for a role above one's own"),
        (status = 404, body = ErrorEnvelope, description = "also for a project that the organization does not have"),
        (status = 409, body = ErrorEnvelope, description = "a member or invited already, or archived")
    )
)]
#[post("/api/v1/organizations/{organization_id}/invitations")]
pub async fn create(
    access: OrganizationAccess<MembersInvite>,
    body: Json<NewInvitation>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<InvitationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    let NewInvitation { email, role, project_roles } = body.into_inner();
    let email = email.parse().map_err(crate::organization::Error::from)?;
    let invite = Invite { email, role: Role::built_in(&role)?, project_roles };
    Ok(Answer::created(invitations.create(&by, access.organization_id, invite).await?.into()))
}

/// Sends an invitation again, with another link; the one before is dead. Once a minute at most.
#[utoipa::path(
    operation_id = "resendInvitation",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("invitation_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<InvitationView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "not open any more"),
        (status = 429, body = ErrorEnvelope, description = "sent a moment ago; with `Retry-After`")
    )
)]
#[post("/api/v1/organizations/{organization_id}/invitations/{invitation_id}/resend")]
pub async fn resend(
    access: OrganizationAccess<MembersInvite>,
    path: Path<OneInvitation>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<InvitationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    Ok(Answer::ok(invitations.resend(&by, access.organization_id, path.invitation_id).await?.into()))
}

/// Takes an invitation back: its link is dead.
#[utoipa::path(
    operation_id = "revokeInvitation",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("invitation_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "not open any more")
    )
)]
#[delete("/api/v1/organizations/{organization_id}/invitations/{invitation_id}")]
pub async fn revoke(
    access: OrganizationAccess<MembersInvite>,
    path: Path<OneInvitation>,
    origin: Origin,
    invitations: web::Data<Invitations>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    invitations.revoke(&by, access.organization_id, path.invitation_id).await?;
    Ok(Answer::ok(Nothing {}))
}
