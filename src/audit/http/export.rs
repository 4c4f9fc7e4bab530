//! `GET /api/v1/organizations/{organization_id}/audit-logs/export`.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use futures_util::TryStreamExt;
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::AuditLogQuery;
use crate::audit::{Audit, By, Event, Format};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::ErrorEnvelope;
use crate::http::extract::permission::AuditLogsExport;
use crate::http::extract::{OrganizationAccess, Query};

/// The answer has begun, so its status says 200; what tells the caller is that it ends in the middle.
fn broken(error: ApiError) -> std::io::Error {
    tracing::warn!(cause = error.cause, "an export of the audit log broke off: {error}");
    std::io::Error::other(error.to_string())
}

/// The form of the file.
#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct Export {
    /// `csv` or `json`.
    #[param(inline)]
    format: Format,
}

/// Exports what was done in an organisation as a file, newest first. `limit` and `cursor` mean nothing here: it is all lines that
/// the filters leave.
#[utoipa::path(
    operation_id = "exportAuditLogs",
    tag = "audit",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), Export, AuditLogQuery),
    responses(
        (status = 200, description = "the file, as it is read from the database", content((String = "text/csv"), (String = "application/json"))),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/audit-logs/export")]
pub async fn export(
    access: OrganizationAccess<AuditLogsExport>,
    form: Query<Export>,
    query: Query<AuditLogQuery>,
    origin: Origin,
    audit: web::Data<Audit>,
) -> Result<HttpResponse, ApiError> {
    let filter = query.filter(Some(access.organization_id))?;
    let exported = Event::new("audit_log.export", "organization", access.organization_id).in_organization(access.organization_id);
    audit.noted(&By::user(access.user.user_id, origin), exported).await?;
    let name = format!("attachment; filename=\"audit-log-{}.{}\"", access.organization_id, form.format.extension());
    Ok(HttpResponse::Ok()
        .content_type(form.format.content_type())
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(audit.export(filter, form.format).map_err(broken)))
}
