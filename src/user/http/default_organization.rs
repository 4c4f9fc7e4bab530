//! `PUT /api/v1/users/me/default-organization`.

use actix_web::{put, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::{Audit, By};
use crate::common::id::OrganizationId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, SignedIn};
use crate::organization::Directory;
use crate::user::Users;

/// The organization that the web app shall open first.
#[derive(Deserialize, ToSchema, Validate)]
pub struct DefaultOrganization {
    #[garde(skip)]
    #[schema(value_type = String)]
    organization_id: OrganizationId,
}

/// Nothing to tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct DefaultOrganizationSet {}

/// Chooses the organization that the web app opens first.
#[utoipa::path(
    operation_id = "setDefaultOrganization",
    tag = "users",
    security(("access_token" = [])),
    request_body = DefaultOrganization,
    responses(
        (status = 200, body = Envelope<DefaultOrganizationSet>),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no organization of mine")
    )
)]
#[put("/api/v1/users/me/default-organization")]
pub async fn set_default_organization(
    caller: SignedIn,
    body: Json<DefaultOrganization>,
    origin: Origin,
    users: web::Data<Users>,
    directory: web::Data<Directory>,
    audit: web::Data<Audit>,
) -> Result<Answer<DefaultOrganizationSet>, ApiError> {
    if directory.organization_role(caller.user_id, body.organization_id).await?.is_none() {
        return Err(ApiError::not_found("organization"));
    }
    users.choose_organization(&audit, &By::user(caller.user_id, origin), caller.user_id, body.organization_id).await?;
    Ok(Answer::ok(DefaultOrganizationSet {}))
}
