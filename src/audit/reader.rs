//! Reading the log.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::entity::audit_logs::Model;
use super::{Audit, store};
use crate::common::id::{AuditId, OrganizationId, ProjectId};
use crate::infra::db;

/// Which lines: those of one organisation, or those that belong to none. The rest narrows them down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// None: lines about the installation and about people, never lines of an organisation.
    pub organization: Option<OrganizationId>,
    pub project: Option<ProjectId>,
    pub actor_id: Option<String>,
    pub action: Option<String>,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    /// `success`, `denied` or `failure`.
    pub outcome: Option<String>,
    /// From this time on.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub to: Option<DateTime<Utc>>,
}

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AuditLine {
    #[schema(value_type = String)]
    pub id: AuditId,
    #[schema(value_type = Option<String>)]
    pub organization_id: Option<OrganizationId>,
    #[schema(value_type = Option<String>)]
    pub project_id: Option<ProjectId>,
    /// `user`, `api_key`, `operator`, `system` or `anonymous`.
    pub actor_type: String,
    pub actor_id: Option<String>,
    /// Of an actor who is a person, as it is now.
    pub actor_email: Option<String>,
    /// `resource.verb`, such as `member.update`.
    pub action: String,
    pub target_type: String,
    pub target_id: Option<String>,
    /// What the target was called at that time.
    pub target_name: Option<String>,
    /// `success`, `denied` or `failure`.
    pub outcome: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    /// What was, where something changed.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// What is, where something changed.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    pub created_at: DateTime<Utc>,
}

impl Audit {
    /// Up to `limit` lines, newest first; `after` is the last line of the page before.
    pub async fn list(&self, filter: &AuditFilter, limit: u64, after: Option<AuditId>) -> Result<Vec<AuditLine>, db::Error> {
        let rows = store::list(self.db.conn(), filter, limit, after).await?;
        let people: HashSet<String> = rows.iter().filter(|row| row.actor_type == "user").filter_map(|row| row.actor_id.clone()).collect();
        let emails = store::list_emails(self.db.conn(), people).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let actor_email = row.actor_id.as_ref().and_then(|id| emails.get(id)).cloned();
                AuditLine { actor_email, ..AuditLine::from(row) }
            })
            .collect())
    }
}

impl From<Model> for AuditLine {
    fn from(row: Model) -> Self {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id: row.id,
            organization_id: row.organization_id,
            project_id: row.project_id,
            actor_type: row.actor_type,
            actor_id: row.actor_id,
            actor_email: None,
            action: row.action,
            target_type: row.target_type,
            target_id: row.target_id,
            target_name: row.target_name,
            outcome: row.outcome,
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            request_id: row.request_id,
            before: json(row.before),
            after: json(row.after),
            created_at: row.created_at,
        }
    }
}
