//! Lines of the audit log that belong to no organisation.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use crate::common::id::AuditId;
use crate::infra::db::Error;

/// A line, with the address of whoever acted.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Line {
    pub id: AuditId,
    pub actor_type: String,
    pub actor_id: Option<String>,
    pub actor_email: Option<String>,
    pub action: String,
    pub target_type: String,
    pub target_id: Option<String>,
    pub target_name: Option<String>,
    pub outcome: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Newest first, from before this id on.
pub async fn list(db: &impl ConnectionTrait, before: Option<&str>, limit: u32) -> Result<Vec<Line>, Error> {
    const QUERY: &str = "SELECT a.id, a.actor_type, a.actor_id, u.email AS actor_email, a.action, a.target_type, a.target_id, \
        a.target_name, a.outcome, a.ip_address, a.user_agent, a.request_id, a.before, a.after, a.created_at \
        FROM audit_logs a LEFT JOIN users u ON a.actor_type = 'user' AND u.id = a.actor_id \
        WHERE a.organization_id IS NULL AND ($1 = '' OR a.id < $1) ORDER BY a.id DESC LIMIT $2";
    let values = [before.unwrap_or_default().to_owned().into(), i64::from(limit).into()];
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), QUERY, values)).await?;
    rows.iter().map(|row| Ok(Line::from_query_result(row, "")?)).collect()
}
