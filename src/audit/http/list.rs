//! `GET /api/v1/organizations/{organization_id}/audit-logs`.

use actix_web::{get, web};

use super::AuditLogQuery;
use crate::audit::{Audit, AuditLine};
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::AuditLogsRead;
use crate::http::extract::{OrganizationAccess, Query};

/// Lists what was done in an organisation, newest first.
#[utoipa::path(
    operation_id = "listAuditLogs",
    tag = "audit",
    security(("access_token" = [])),
    params(("organization_id" = String, Path), AuditLogQuery),
    responses(
        (status = 200, body = Envelope<Vec<AuditLine>>, description = "one page; `meta.pagination.next_cursor` leads to the next"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/organizations/{organization_id}/audit-logs")]
pub async fn list(
    access: OrganizationAccess<AuditLogsRead>,
    query: Query<AuditLogQuery>,
    audit: web::Data<Audit>,
) -> Result<Answer<Vec<AuditLine>>, ApiError> {
    let filter = query.filter(Some(access.organization_id))?;
    let mut lines = audit.list(&filter, u64::from(query.limit()) + 1, query.after()?).await?;
    let page = query.page(&mut lines, |line| line.id)?;
    Ok(Answer::page(lines, page))
}
