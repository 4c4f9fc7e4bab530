//! `/api/v1/admin/audit-logs`.

use actix_web::{get, web};

use crate::audit::http::AuditLogQuery;
use crate::audit::{Audit, AuditLine};
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{PlatformAdmin, Query};

/// What was done to the installation itself and to people's accounts, newest first: lines of no organization.
#[utoipa::path(
    operation_id = "listInstallationAuditLogs",
    tag = "administration",
    security(("access_token" = [])),
    params(AuditLogQuery),
    responses(
        (status = 200, body = Envelope<Vec<AuditLine>>, description = "one page; `meta.pagination.next_cursor` leads to the next"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/admin/audit-logs")]
pub async fn list(_admin: PlatformAdmin, query: Query<AuditLogQuery>, audit: web::Data<Audit>) -> Result<Answer<Vec<AuditLine>>, ApiError> {
    let filter = query.filter(None)?;
    let mut lines = audit.list(&filter, u64::from(query.limit()) + 1, query.after()?).await?;
    let page = query.page(&mut lines, |line| line.id)?;
    Ok(Answer::page(lines, page))
}
