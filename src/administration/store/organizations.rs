//! Organisations with how much there is of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Filter, places};
use crate::common::id::OrganizationId;
use crate::infra::db::Error;

/// An organisation as an administrator sees one.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Tenant {
    pub id: OrganizationId,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub member_count: i64,
    pub project_count: i64,
}

const TENANT: &str = "SELECT o.id, o.name, o.created_at, o.archived_at, o.deleted_at, \
    (SELECT COUNT(*) FROM organization_members m JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL \
        WHERE m.organization_id = o.id) AS member_count, \
    (SELECT COUNT(*) FROM projects p WHERE p.organization_id = o.id AND p.deleted_at IS NULL) AS project_count \
    FROM organizations o WHERE";

/// Newest first, deleted ones included.
pub async fn list(db: &impl ConnectionTrait, filter: &Filter) -> Result<Vec<Tenant>, Error> {
    let query = format!(
        "{TENANT} ($1 = '' OR o.id < $1) \
         AND ($2 = '' OR $2 = CASE WHEN o.deleted_at IS NOT NULL THEN 'deleted' WHEN o.archived_at IS NOT NULL THEN 'archived' ELSE 'active' END) \
         AND ($3 = '' OR lower(o.name) LIKE $3 ESCAPE '!') ORDER BY o.id DESC LIMIT $4"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, filter.values())).await?;
    rows.iter().map(|row| Ok(Tenant::from_query_result(row, "")?)).collect()
}

pub async fn find(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<Tenant>, Error> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), format!("{TENANT} o.id = $1"), [id.into()]);
    Ok(db.query_one_raw(statement).await?.map(|row| Tenant::from_query_result(&row, "")).transpose()?)
}

/// The addresses of the owners, in their order.
pub async fn list_owners(db: &impl ConnectionTrait, tenants: &[OrganizationId]) -> Result<HashMap<OrganizationId, Vec<String>>, Error> {
    let mut owners: HashMap<OrganizationId, Vec<String>> = HashMap::new();
    if tenants.is_empty() {
        return Ok(owners);
    }
    let query = format!(
        "SELECT m.organization_id, u.email FROM organization_members m JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL \
         WHERE m.role = 'owner' AND m.organization_id IN ({}) ORDER BY u.email",
        places(tenants.len())
    );
    let values = tenants.iter().map(|id| (*id).into());
    for row in db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, values)).await? {
        owners.entry(row.try_get("", "organization_id")?).or_default().push(row.try_get("", "email")?);
    }
    Ok(owners)
}
