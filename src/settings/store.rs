//! Rows of `settings` and `setting_changes`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};

use super::Scope;
use super::entity::setting_changes::{self as changes, Entity as Changes};
use super::entity::settings::{ActiveModel, Column, Entity, Model};
use crate::common::id::{SettingChangeId, SettingId, UserId};
use crate::infra::db::{Error, stored};

pub use super::entity::setting_changes::Model as Change;
pub use super::entity::settings::Model as Row;

/// The values of one scope.
fn of(scope: Scope) -> sea_orm::Select<Entity> {
    Entity::find().filter(Column::ScopeType.eq(scope.level().name())).filter(Column::ScopeId.eq(scope.id()))
}

/// The changes of one setting in one scope.
fn changes_of(scope: Scope, key: &str) -> sea_orm::Select<Changes> {
    Changes::find()
        .filter(changes::Column::ScopeType.eq(scope.level().name()))
        .filter(changes::Column::ScopeId.eq(scope.id()))
        .filter(changes::Column::Key.eq(key))
}

pub async fn list(db: &impl ConnectionTrait, scope: Scope) -> Result<Vec<Row>, Error> {
    Ok(of(scope).all(db).await?)
}

pub async fn find(db: &impl ConnectionTrait, scope: Scope, key: &str) -> Result<Option<Row>, Error> {
    Ok(of(scope).filter(Column::Key.eq(key)).one(db).await?)
}

/// The version of the last change, a reset included; 0 where there was none.
pub async fn find_last_version(db: &impl ConnectionTrait, scope: Scope, key: &str) -> Result<i64, Error> {
    let last = changes_of(scope, key).order_by_desc(changes::Column::Version).one(db).await?;
    Ok(last.map_or(0, |change| change.version))
}

/// Newest first.
pub async fn list_changes(db: &impl ConnectionTrait, scope: Scope, key: &str, most: u64) -> Result<Vec<Change>, Error> {
    Ok(changes_of(scope, key).order_by_desc(changes::Column::Version).limit(most).all(db).await?)
}

/// A value to be written.
#[derive(Debug)]
pub struct Written<'a> {
    pub scope: Scope,
    pub key: &'a str,
    /// JSON; none: back to what is inherited.
    pub value: Option<String>,
    pub version: i64,
    pub by: Option<UserId>,
    pub now: DateTime<Utc>,
}

pub async fn insert(db: &impl ConnectionTrait, written: &Written<'_>) -> Result<(), Error> {
    let now = stored(written.now);
    let row = Model {
        id: SettingId::fresh(),
        scope_type: written.scope.level().name().to_owned(),
        scope_id: written.scope.id(),
        key: written.key.to_owned(),
        value: written.value.clone().unwrap_or_default(),
        version: written.version,
        updated_by: written.by,
        created_at: now,
        updated_at: now,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// Replaces the value of version `from`; false when somebody else was faster.
pub async fn update(db: &impl ConnectionTrait, id: SettingId, from: i64, written: &Written<'_>) -> Result<bool, Error> {
    let change = ActiveModel {
        value: Set(written.value.clone().unwrap_or_default()),
        version: Set(written.version),
        updated_by: Set(written.by),
        updated_at: Set(stored(written.now)),
        ..Default::default()
    };
    let result = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Version.eq(from)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Takes the value of version `from` out; false when somebody else was faster.
pub async fn delete(db: &impl ConnectionTrait, id: SettingId, from: i64) -> Result<bool, Error> {
    let result = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::Version.eq(from)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

pub async fn insert_change(db: &impl ConnectionTrait, written: &Written<'_>) -> Result<(), Error> {
    let row = Change {
        id: SettingChangeId::fresh(),
        scope_type: written.scope.level().name().to_owned(),
        scope_id: written.scope.id(),
        key: written.key.to_owned(),
        value: written.value.clone(),
        version: written.version,
        changed_by: written.by,
        changed_at: stored(written.now),
    };
    Changes::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// The addresses of people, for lists that say who changed something.
pub async fn list_emails(db: &impl ConnectionTrait, users: &[UserId]) -> Result<HashMap<UserId, String>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=users.len()).map(|place| format!("${place}")).collect();
    let query = format!("SELECT id, email FROM users WHERE id IN ({})", places.join(", "));
    let backend: DbBackend = db.get_database_backend();
    let rows = db.query_all_raw(Statement::from_sql_and_values(backend, query, users.iter().map(|id| (*id).into()))).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "email")?))).collect()
}
