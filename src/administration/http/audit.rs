//! `/api/v1/admin/audit-logs`.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Page;
use crate::administration::InstallationLog;
use crate::administration::store::audit::Line;
use crate::common::id::AuditId;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{PlatformAdmin, Query};

/// A line of the audit log that belongs to no organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstallationAuditLine {
    #[schema(value_type = String)]
    id: AuditId,
    /// Always null here.
    organization_id: Option<String>,
    /// Always null here.
    project_id: Option<String>,
    actor_type: String,
    actor_id: Option<String>,
    actor_email: Option<String>,
    action: String,
    target_type: String,
    target_id: Option<String>,
    target_name: Option<String>,
    outcome: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    created_at: DateTime<Utc>,
}

impl From<Line> for InstallationAuditLine {
    fn from(line: Line) -> Self {
        let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)));
        Self {
            id: line.id,
            organization_id: None,
            project_id: None,
            actor_type: line.actor_type,
            actor_id: line.actor_id,
            actor_email: line.actor_email,
            action: line.action,
            target_type: line.target_type,
            target_id: line.target_id,
            target_name: line.target_name,
            outcome: line.outcome,
            ip_address: line.ip_address,
            user_agent: line.user_agent,
            request_id: line.request_id,
            before: json(line.before),
            after: json(line.after),
            created_at: line.created_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// 1 to 100; 50 without it.
    #[garde(inner(range(min = 1, max = 100)))]
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    #[garde(skip)]
    cursor: Option<String>,
}

/// What was done to the installation itself, newest first.
#[utoipa::path(
    operation_id = "listInstallationAuditLogs",
    tag = "administration",
    security(("access_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<InstallationAuditLine>>),
        (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/admin/audit-logs")]
pub async fn list(
    _admin: PlatformAdmin,
    query: Query<ListQuery>,
    log: web::Data<InstallationLog>,
) -> Result<Answer<Vec<InstallationAuditLine>>, ApiError> {
    let page = Page::of(query.limit, query.cursor.as_deref())?;
    let filter = page.filter(None, None);
    let mut rows = log.list(filter.before.as_deref(), filter.limit).await?;
    let pagination = page.cut(&mut rows, |line| line.id.to_string())?;
    Ok(Answer::page(rows.into_iter().map(InstallationAuditLine::from).collect(), pagination))
}
