//! Organisations: archive, restore, hand on, leave.

use actix_web::{post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::views::{Nothing, OrganizationView};
use crate::audit::By;
use crate::common::id::UserId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{EvenArchived, OrganizationsAdmin, OrganizationsDelete};
use crate::http::extract::{DeletedOrganizationAccess, Json, OrganizationAccess, OrganizationMember};
use crate::organization::Organizations;

/// Who shall own it.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Transfer {
    /// A member who is not suspended.
    #[schema(value_type = String)]
    user_id: UserId,
}

/// Restores an organisation that was deleted less than 30 days ago, with its projects. Only whoever owned it may.
#[utoipa::path(
    operation_id = "restoreOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<OrganizationView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[post("/api/v1/organizations/{organization_id}/restore")]
pub async fn restore(
    access: DeletedOrganizationAccess<OrganizationsDelete>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.restore(&by, access.organization_id).await?;
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Archives an organisation: nothing is taken in and nothing changed any more, reading goes on, and its API keys are refused.
#[utoipa::path(
    operation_id = "archiveOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<OrganizationView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it is archived already")
    )
)]
#[post("/api/v1/organizations/{organization_id}/archive")]
pub async fn archive(
    access: OrganizationAccess<OrganizationsAdmin>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.archive(&by, access.organization_id).await?;
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Takes archiving back. API keys count again.
#[utoipa::path(
    operation_id = "unarchiveOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<OrganizationView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[post("/api/v1/organizations/{organization_id}/unarchive")]
pub async fn unarchive(
    access: OrganizationAccess<EvenArchived<OrganizationsAdmin>>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.unarchive(&by, access.organization_id).await?;
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Makes a member the owner. The caller becomes an administrator.
#[utoipa::path(
    operation_id = "transferOwnership",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    request_body = Transfer,
    responses(
        (status = 200, body = Envelope<OrganizationView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "or not a member"),
        (status = 409, body = ErrorEnvelope)
    )
)]
#[post("/api/v1/organizations/{organization_id}/transfer")]
pub async fn transfer(
    access: OrganizationAccess<OrganizationsAdmin>,
    body: Json<Transfer>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.transfer(&by, access.organization_id, access.user.user_id, body.user_id).await?;
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Ends my own membership, with my roles in its projects.
#[utoipa::path(
    operation_id = "leaveOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the last owner cannot leave")
    )
)]
#[post("/api/v1/organizations/{organization_id}/leave")]
pub async fn leave(
    access: OrganizationMember,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.leave(&by, access.organization_id, access.user.user_id).await?;
    Ok(Answer::ok(Nothing {}))
}
