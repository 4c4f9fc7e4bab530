//! Organisations: list, make, look at, rename, delete.

use actix_web::{delete, get, patch, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::views::{Nothing, OrganizationView};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{EvenArchived, OrganizationsDelete, OrganizationsRead, OrganizationsWrite};
use crate::http::extract::{Json, OrganizationAccess, OrganizationFounder, Query, SignedIn};
use crate::organization::{Name, Organizations, TenantStatus};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Without it, active and archived ones; `deleted`: those that I own and can restore.
    #[param(inline)]
    status: Option<TenantStatus>,
}

/// What an organisation is called.
#[derive(Debug, Deserialize, ToSchema, Validate)]
pub struct OrganizationName {
    /// 1 to 100 characters.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Lists the organisations that I am a member of, oldest first.
#[utoipa::path(
    operation_id = "listOrganizations",
    tag = "organizations",
    security(("access_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<OrganizationView>>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations")]
pub async fn list(
    caller: SignedIn,
    query: Query<ListQuery>,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Vec<OrganizationView>>, ApiError> {
    let list = organizations.list(caller.user_id, query.status).await?;
    Ok(Answer::ok(list.into_iter().map(OrganizationView::from).collect()))
}

/// Makes an organisation that I own. The installation's settings say who may.
#[utoipa::path(
    operation_id = "createOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    request_body = OrganizationName,
    responses(
        (status = 201, body = Envelope<OrganizationView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope, description = "only platform administrators make organizations here")
    )
)]
#[post("/api/v1/organizations")]
pub async fn create(
    founder: OrganizationFounder,
    body: Json<OrganizationName>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let (name, user): (Name, _) = (body.name.parse()?, founder.0.user_id);
    let made = organizations.create(&By::user(user, origin), user, &name).await?;
    Ok(Answer::created(made.into()))
}

/// An organisation that I am a member of.
#[utoipa::path(
    operation_id = "getOrganization",
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
#[get("/api/v1/organizations/{organization_id}")]
pub async fn get(
    access: OrganizationAccess<OrganizationsRead>,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Gives an organisation another name.
#[utoipa::path(
    operation_id = "updateOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    request_body = OrganizationName,
    responses(
        (status = 200, body = Envelope<OrganizationView>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "the organization is archived")
    )
)]
#[patch("/api/v1/organizations/{organization_id}")]
pub async fn update(
    access: OrganizationAccess<OrganizationsWrite>,
    body: Json<OrganizationName>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<OrganizationView>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.rename(&by, access.organization_id, &body.name.parse()?).await?;
    Ok(Answer::ok(organizations.get(access.user.user_id, access.organization_id).await?.into()))
}

/// Deletes an organisation: it and its projects are out of reach, and their API keys are refused. Its owners can restore it for
/// 30 days.
#[utoipa::path(
    operation_id = "deleteOrganization",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Nothing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[delete("/api/v1/organizations/{organization_id}")]
pub async fn delete(
    access: OrganizationAccess<EvenArchived<OrganizationsDelete>>,
    origin: Origin,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Nothing>, ApiError> {
    let by = By::user(access.user.user_id, origin);

    organizations.delete(&by, access.organization_id).await?;
    Ok(Answer::ok(Nothing {}))
}
