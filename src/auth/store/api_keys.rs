//! Rows of `api_keys`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Select, Statement,
};

use crate::auth::KeyHash;
use crate::auth::entity::api_keys::{ActiveModel, Column, Entity, Model};
use crate::common::id::{ApiKeyId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{Error, stored};

pub use crate::auth::entity::api_keys::Model as ApiKey;

/// The keys of one project that were not revoked.
fn in_project(project: ProjectId) -> Select<Entity> {
    Entity::find().filter(Column::ProjectId.eq(project)).filter(Column::RevokedAt.is_null())
}

/// What a key stands for.
#[derive(Debug, Clone, sea_orm::FromQueryResult)]
pub struct Holder {
    pub id: ApiKeyId,
    pub project_id: ProjectId,
    pub organization_id: OrganizationId,
    pub created_by: Option<UserId>,
    pub expires_at: Option<DateTime<Utc>>,
    pub scopes: String,
}

/// The key with this hash, unless it was revoked or its project or organisation deleted or archived.
pub async fn find_holder(db: &impl ConnectionTrait, hash: KeyHash) -> Result<Option<Holder>, Error> {
    const QUERY: &str = "SELECT k.id, k.project_id, p.organization_id, k.created_by, k.expires_at, k.scopes FROM api_keys k \
        JOIN projects p ON p.id = k.project_id AND p.deleted_at IS NULL AND p.archived_at IS NULL \
        JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL AND o.archived_at IS NULL \
        WHERE k.key_hash = $1 AND k.revoked_at IS NULL";
    let backend: DbBackend = db.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, QUERY, [hash.to_hex().into()]);
    let row = db.query_one_raw(statement).await?;
    Ok(row.map(|row| <Holder as sea_orm::FromQueryResult>::from_query_result(&row, "")).transpose()?)
}

pub async fn find(db: &impl ConnectionTrait, project: ProjectId, id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
    Ok(in_project(project).filter(Column::Id.eq(id)).one(db).await?)
}

/// The same, held until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, project: ProjectId, id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
    Ok(in_project(project).filter(Column::Id.eq(id)).lock(LockType::NoKeyUpdate).one(db).await?)
}

/// The keys of a project that were not revoked with the addresses of those who made them, newest first.
pub async fn list(db: &impl ConnectionTrait, project: ProjectId) -> Result<Vec<(ApiKey, Option<String>)>, Error> {
    const QUERY: &str = "SELECT k.*, u.email AS maker FROM api_keys k LEFT JOIN users u ON u.id = k.created_by \
        WHERE k.project_id = $1 AND k.revoked_at IS NULL ORDER BY k.id DESC";
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), QUERY, [project.into()])).await?;
    let read = |row: &sea_orm::QueryResult| Ok((Model::from_query_result(row, "")?, row.try_get("", "maker")?));
    rows.iter().map(read).collect::<Result<_, sea_orm::DbErr>>().map_err(Error::from)
}

/// Whether a key that is not revoked was made to replace this one.
pub async fn exists_successor(db: &impl ConnectionTrait, id: ApiKeyId) -> Result<bool, Error> {
    let next = Entity::find().filter(Column::ReplacesId.eq(id)).filter(Column::RevokedAt.is_null());
    Ok(next.one(db).await?.is_some())
}

/// Where a project stands.
#[derive(Debug, Clone, sea_orm::FromQueryResult)]
pub struct Tenancy {
    pub organization_id: OrganizationId,
    pub archived_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
    pub organization_archived_at: Option<DateTime<Utc>>,
    pub organization_deleted_at: Option<DateTime<Utc>>,
}

impl Tenancy {
    /// Whether it was deleted, or its organisation.
    pub fn deleted(&self) -> bool {
        self.deleted_at.is_some() || self.organization_deleted_at.is_some()
    }
}

pub async fn find_tenancy(db: &impl ConnectionTrait, project: ProjectId) -> Result<Option<Tenancy>, Error> {
    const QUERY: &str = "SELECT p.organization_id, p.archived_at, p.deleted_at, o.archived_at AS organization_archived_at, \
        o.deleted_at AS organization_deleted_at FROM projects p JOIN organizations o ON o.id = p.organization_id WHERE p.id = $1";
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), QUERY, [project.into()])).await?;
    Ok(row.map(|row| Tenancy::from_query_result(&row, "")).transpose()?)
}

/// Whether a key with this hash was ever made, revoked or not.
pub async fn exists(db: &impl ConnectionTrait, hash: KeyHash) -> Result<bool, Error> {
    Ok(Entity::find().filter(Column::KeyHash.eq(hash.to_hex())).one(db).await?.is_some())
}

/// Keys of the whole installation that were not revoked, oldest first: for operators only.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<ApiKey>, Error> {
    Ok(Entity::find().filter(Column::RevokedAt.is_null()).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await?)
}

/// Keys of the whole installation that `name` may mean, revoked ones too: for operators only.
pub async fn named(db: &impl ConnectionTrait, name: &str) -> Result<Vec<ApiKey>, Error> {
    let mut meant = sea_orm::Condition::any().add(Column::KeyHash.eq(KeyHash::of(name).to_hex())).add(Column::KeyPreview.eq(name));
    if let Ok(id) = name.parse::<ApiKeyId>() {
        meant = meant.add(Column::Id.eq(id));
    }
    Ok(Entity::find().filter(meant).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await?)
}

pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

pub async fn update_name(db: &impl ConnectionTrait, id: ApiKeyId, name: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let change = ActiveModel { name: Set(name.to_owned()), updated_at: Set(stored(now)), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

pub async fn update_expiry(db: &impl ConnectionTrait, id: ApiKeyId, end: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Error> {
    let change = ActiveModel { expires_at: Set(Some(stored(end))), updated_at: Set(stored(now)), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Revokes a key; false when it was revoked already.
pub async fn update_revoked(db: &impl ConnectionTrait, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool, Error> {
    let now = stored(now);
    let change = ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
    let result = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::RevokedAt.is_null()).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Moves the time of last use forward, never back.
pub async fn update_last_used(db: &impl ConnectionTrait, id: ApiKeyId, at: DateTime<Utc>) -> Result<(), Error> {
    let at = stored(at);
    Entity::update_many()
        .set(ActiveModel { last_used_at: Set(Some(at)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(sea_orm::Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(at)))
        .exec(db)
        .await?;
    Ok(())
}
