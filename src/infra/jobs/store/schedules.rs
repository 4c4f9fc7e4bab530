//! Rows of `job_schedules`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::super::entity::job_schedules::{ActiveModel, Column, Entity, Model};
use crate::infra::db::{Error, stored};

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, Error> {
    Ok(Entity::find().order_by_asc(Column::Name).all(db).await?)
}

pub async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(name.to_owned()).one(db).await?)
}

/// Adds a schedule, unless another process just did.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(db).await?;
    Ok(())
}

/// Gives a schedule other times.
pub async fn update_cron(
    db: &impl ConnectionTrait,
    name: &str,
    (kind, cron): (&str, &str),
    next_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let change = ActiveModel {
        kind: Set(kind.to_owned()),
        cron: Set(cron.to_owned()),
        next_at: Set(stored(next_at)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Name.eq(name)).exec(db).await?;
    Ok(())
}

/// Takes the tick at `from`; false when another process has it.
pub async fn update_ticked(
    db: &impl ConnectionTrait,
    name: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let now = stored(now);
    let change = ActiveModel { next_at: Set(stored(to)), last_at: Set(Some(now)), updated_at: Set(now), ..Default::default() };
    let result = Entity::update_many().set(change).filter(Column::Name.eq(name)).filter(Column::NextAt.eq(from)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Makes a schedule due.
pub async fn update_due(db: &impl ConnectionTrait, name: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let now = stored(now);
    let change = ActiveModel { next_at: Set(now), updated_at: Set(now), ..Default::default() };
    let result = Entity::update_many().set(change).filter(Column::Name.eq(name)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Deletes schedules that nobody has served since.
pub async fn delete_unserved(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<u64, Error> {
    Ok(Entity::delete_many().filter(Column::NextAt.lt(stored(since))).exec(db).await?.rows_affected)
}
