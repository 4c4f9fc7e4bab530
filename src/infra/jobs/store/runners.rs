//! Rows of `job_runners`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use super::super::entity::job_runners::{Column, Entity, Model};
use crate::infra::db::{Error, stored};

/// A runner is alive until then, as far as is known.
pub async fn save(db: &impl ConnectionTrait, name: &str, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let row = Model { name: name.to_owned(), expires_at: stored(expires_at), created_at: now, updated_at: now };
    let renewed = OnConflict::column(Column::Name).update_columns([Column::ExpiresAt, Column::UpdatedAt]).to_owned();
    Entity::insert(row.into_active_model()).on_conflict(renewed).exec_without_returning(db).await?;
    Ok(())
}

pub async fn delete(db: &impl ConnectionTrait, name: &str) -> Result<(), Error> {
    Entity::delete_many().filter(Column::Name.eq(name)).exec(db).await?;
    Ok(())
}

/// Those that are alive.
pub async fn count(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, Error> {
    Ok(Entity::find().filter(Column::ExpiresAt.gte(stored(now))).count(db).await?)
}

pub async fn delete_expired(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, Error> {
    Ok(Entity::delete_many().filter(Column::ExpiresAt.lt(stored(before))).exec(db).await?.rows_affected)
}
