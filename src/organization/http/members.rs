//! Members of an organisation.

use actix_web::{delete, get, patch, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::views::{MemberView, Nothing};
use crate::audit::By;
use crate::common::id::UserId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{MembersRead, MembersRemove, MembersSuspend, MembersUpdate};
use crate::http::extract::{Json, OrganizationAccess, Path};
use crate::organization::{Organizations, Role};

#[derive(Debug, Deserialize)]
pub struct OneMember {
    user_id: UserId,
}

/// Another role.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct MemberRole {
    /// `owner`, `admin`, `developer`, `viewer`, or `none`: projects by assignment only.
    #[garde(length(chars, min = 1, max = 64))]
    role: String,
}

/// Lists the members of an organisation, with their roles in single projects.
#[utoipa::path(
    operation_id = "listMembers",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<MemberView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/members")]
pub async fn list(
    access: OrganizationAccess<MembersRead>,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Vec<MemberView>>, ApiError> {
    let members = organizations.members(access.organization_id).await?;
    Ok(Answer::ok(members.into_iter().map(MemberView::from).collect()))
}

/// Gives a member another role: none above one's own.
#[utoipa::path(
    operation_id = "updateMember",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("user_id" = String, Path)),
    request_body = MemberRole,
    responses(
        (status = 200, body = Envelope<MemberView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for owners unless one is an owner"),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the last owner, or the organization is archived")
    )
)]
#[patch("/api/v1/organizations/{organization_id}/members/{user_id}")]
pub async fn update(
    access: OrganizationAccess<MembersUpdate>,
    path: Path<OneMember>,
    body: Json<MemberRole>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<MemberView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.change_role(&by, access.organization_id, path.user_id, &Role::built_in(&body.role)?).await?;
    Ok(Answer::ok(organizations.member(access.organization_id, path.user_id).await?.into()))
}

/// Removes a member, with their roles in its projects. API keys that they made stay valid.
#[utoipa::path(
    operation_id = "removeMember",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for owners unless one is an owner"),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the last owner, or the organization is archived")
    )
)]
#[delete("/api/v1/organizations/{organization_id}/members/{user_id}")]
pub async fn remove(
    access: OrganizationAccess<MembersRemove>,
    path: Path<OneMember>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.remove(&by, access.organization_id, path.user_id).await?;
    Ok(Answer::ok(Nothing {}))
}

/// Suspends a member: they reach nothing of the organisation until they are reinstated.
#[utoipa::path(
    operation_id = "suspendMember",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<MemberView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for owners unless one is an owner"),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the last owner, or the organization is archived")
    )
)]
#[post("/api/v1/organizations/{organization_id}/members/{user_id}/suspend")]
pub async fn suspend(
    access: OrganizationAccess<MembersSuspend>,
    path: Path<OneMember>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<MemberView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.suspend(&by, access.organization_id, path.user_id).await?;
    Ok(Answer::ok(organizations.member(access.organization_id, path.user_id).await?.into()))
}

/// Lets a suspended member in again.
#[utoipa::path(
    operation_id = "reinstateMember",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), ("user_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<MemberView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "also for oneself, and for owners unless one is an owner"),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the last owner, or the organization is archived")
    )
)]
#[post("/api/v1/organizations/{organization_id}/members/{user_id}/reinstate")]
pub async fn reinstate(
    access: OrganizationAccess<MembersSuspend>,
    path: Path<OneMember>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<MemberView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.reinstate(&by, access.organization_id, path.user_id).await?;
    Ok(Answer::ok(organizations.member(access.organization_id, path.user_id).await?.into()))
}
