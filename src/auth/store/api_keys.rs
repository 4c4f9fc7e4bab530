//! Rows of `api_keys`.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select, Statement,
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

pub async fn update_revoked(db: &impl ConnectionTrait, id: ApiKeyId, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let change = ActiveModel { revoked_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::RevokedAt.is_null()).exec(db).await?;
    Ok(())
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
