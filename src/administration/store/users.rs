//! People with what surrounds them: organisations, second factors, locks.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value};

use super::{Filter, places};
use crate::common::id::UserId;
use crate::infra::db::Error;

/// A person as an administrator sees one.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Account {
    pub id: UserId,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub status: String,
    pub is_admin: bool,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub second_factor: bool,
    pub organization_count: i64,
}

const ACCOUNT: &str = "SELECT u.id, u.email, u.first_name, u.last_name, u.status, u.is_admin, u.email_verified_at, u.last_login_at, \
    u.created_at, \
    EXISTS (SELECT 1 FROM user_second_factors f WHERE f.user_id = u.id AND f.enabled_at IS NOT NULL) AS second_factor, \
    (SELECT COUNT(*) FROM organization_members m JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL \
        WHERE m.user_id = u.id) AS organization_count \
    FROM users u WHERE u.deleted_at IS NULL";

/// Newest first.
pub async fn list(db: &impl ConnectionTrait, filter: &Filter) -> Result<Vec<Account>, Error> {
    let query = format!(
        "{ACCOUNT} AND ($1 = '' OR u.id < $1) AND ($2 = '' OR u.status = $2) \
         AND ($3 = '' OR lower(u.email) LIKE $3 ESCAPE '!' OR lower(u.first_name || ' ' || u.last_name) LIKE $3 ESCAPE '!') \
         ORDER BY u.id DESC LIMIT $4"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, filter.values())).await?;
    rows.iter().map(|row| Ok(Account::from_query_result(row, "")?)).collect()
}

pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Account>, Error> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), format!("{ACCOUNT} AND u.id = $1"), [id.into()]);
    Ok(db.query_one_raw(statement).await?.map(|row| Account::from_query_result(&row, "")).transpose()?)
}

/// Until when these subjects of failed sign-ins are locked.
pub async fn list_locks(
    db: &impl ConnectionTrait,
    beginnings: &[String],
    now: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>)>, Error> {
    let Some(longest) = beginnings.iter().map(String::len).max() else { return Ok(Vec::new()) };
    // What is shorter than the longest is a whole subject.
    let query = format!(
        "SELECT subject, locked_until FROM login_attempts WHERE locked_until IS NOT NULL AND substr(subject, 1, {longest}) IN ({})",
        places(beginnings.len())
    );
    let values = beginnings.iter().map(|beginning| Value::from(beginning.clone()));
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, values)).await?;
    let locks = rows.iter().map(|row| Ok((row.try_get("", "subject")?, row.try_get("", "locked_until")?)));
    let locks: Vec<(String, DateTime<Utc>)> = locks.collect::<Result<_, Error>>()?;
    Ok(locks.into_iter().filter(|(_, until)| *until > now).collect())
}

/// Takes the second factor and its recovery codes away; returns how many factors there were.
pub async fn delete_second_factor(db: &impl ConnectionTrait, user: UserId) -> Result<u64, Error> {
    execute(db, "DELETE FROM user_recovery_codes WHERE user_id = $1", user.into()).await?;
    execute(db, "DELETE FROM user_second_factors WHERE user_id = $1", user.into()).await
}

async fn execute(db: &impl ConnectionTrait, statement: &str, value: Value) -> Result<u64, Error> {
    let result = db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), statement, [value])).await?;
    Ok(result.rows_affected())
}
