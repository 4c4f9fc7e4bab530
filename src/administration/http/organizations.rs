//! `/api/v1/admin/organizations`.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Page;
use crate::administration::OrganizationAdministration;
use crate::administration::organizations::Listed;
use crate::audit::By;
use crate::common::id::OrganizationId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, PlatformAdmin, Query};

/// An organization as an administrator sees one: nothing of what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenant {
    #[schema(value_type = String)]
    id: OrganizationId,
    name: String,
    status: TenantStatus,
    member_count: i64,
    project_count: i64,
    /// Whom to ask.
    owner_emails: Vec<String>,
    created_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

/// Whether an organization is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    Active,
    Archived,
    Deleted,
}

impl TenantStatus {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
        }
    }
}

impl From<Listed> for Tenant {
    fn from(listed: Listed) -> Self {
        let tenant = listed.tenant;
        Self {
            id: tenant.id,
            name: tenant.name,
            status: match (tenant.deleted_at, tenant.archived_at) {
                (Some(_), _) => TenantStatus::Deleted,
                (None, Some(_)) => TenantStatus::Archived,
                (None, None) => TenantStatus::Active,
            },
            member_count: tenant.member_count,
            project_count: tenant.project_count,
            owner_emails: listed.owners,
            created_at: tenant.created_at,
            deleted_at: tenant.deleted_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Part of the name, in any case.
    #[garde(inner(length(chars, max = 100)))]
    search: Option<String>,
    #[param(value_type = Option<TenantStatus>)]
    #[garde(skip)]
    status: Option<TenantStatus>,
    /// 1 to 100; 50 without it.
    #[garde(inner(range(min = 1, max = 100)))]
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    #[garde(skip)]
    cursor: Option<String>,
}

/// All organizations, newest first, with those that were deleted and are still there.
#[utoipa::path(
    operation_id = "listAllOrganizations",
    tag = "administration",
    security(("access_token" = [])),
    params(ListQuery),
    responses((status = 200, body = Envelope<Vec<Tenant>>), (status = 400, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope))
)]
#[get("/api/v1/admin/organizations")]
pub async fn list(
    _admin: PlatformAdmin,
    query: Query<ListQuery>,
    organizations: web::Data<OrganizationAdministration>,
) -> Result<Answer<Vec<Tenant>>, ApiError> {
    let query = query.into_inner();
    let status = query.status.map(|status| status.name().to_owned());
    let page = Page::of(query.limit, query.cursor.as_deref())?;
    let filter = page.filter(query.search, status);
    let mut rows = organizations.list(&filter).await?;
    let pagination = page.cut(&mut rows, |listed| listed.tenant.id.to_string())?;
    Ok(Answer::page(rows.into_iter().map(Tenant::from).collect(), pagination))
}

#[derive(Debug, Deserialize)]
pub struct Id {
    organization_id: OrganizationId,
}

/// Takes the deletion of an organization back, while it is still there.
#[utoipa::path(
    operation_id = "adminRestoreOrganization",
    tag = "administration",
    security(("access_token" = [])),
    params(("organization_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Tenant>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no deleted organization has this id")
    )
)]
#[post("/api/v1/admin/organizations/{organization_id}/restore")]
pub async fn restore(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    organizations: web::Data<OrganizationAdministration>,
) -> Result<Answer<Tenant>, ApiError> {
    Ok(Answer::ok(organizations.restore(&By::user(admin.user_id, origin), path.organization_id).await?.into()))
}
