//! What roles there are, and what they may do.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::OrganizationAccess;
use crate::http::extract::permission::{Permission, PermissionsRead, RolesRead, granted};
use crate::organization::{Organizations, Role};

/// A role that members can have.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleView {
    name: String,
    description: String,
    /// Whether it exists everywhere and cannot be changed.
    built_in: bool,
    /// `installation` or `organization`.
    scope_type: String,
    /// Names, `resource:action`.
    permissions: Vec<String>,
}

/// Something that a role may allow.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionView {
    /// `resource:action`.
    name: &'static str,
    description: &'static str,
}

/// Lists the roles of an organisation with what they may do: the built-in ones, then those that were defined.
#[utoipa::path(
    operation_id = "listRoles",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<RoleView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/roles")]
pub async fn roles(
    access: OrganizationAccess<RolesRead>,
    organizations: web::Data<Organizations>,
) -> Result<Answer<Vec<RoleView>>, ApiError> {
    let built_in = Role::BUILT_IN.iter().map(|role| RoleView {
        name: role.to_string(),
        description: role.description().to_owned(),
        built_in: true,
        scope_type: "installation".to_owned(),
        permissions: granted(role).into_iter().map(|permission| permission.name().to_owned()).collect(),
    });
    let defined = organizations.defined_roles(access.organization_id).await?.into_iter().map(|role| RoleView {
        name: role.name,
        description: role.description,
        built_in: false,
        scope_type: role.scope_type,
        permissions: role.permissions,
    });
    Ok(Answer::ok(built_in.chain(defined).collect()))
}

/// Lists what a role may allow.
#[utoipa::path(
    operation_id = "listPermissions",
    tag = "organizations",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<PermissionView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/permissions")]
pub async fn permissions(_access: OrganizationAccess<PermissionsRead>) -> Result<Answer<Vec<PermissionView>>, ApiError> {
    let all = Permission::ALL.iter().map(|permission| PermissionView { name: permission.name(), description: permission.description() });
    Ok(Answer::ok(all.collect()))
}
