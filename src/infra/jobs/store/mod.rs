//! Rows of `jobs`: putting in and looking. `claims` has what a runner does with them.

pub mod claims;
pub mod runners;
pub mod schedules;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::entity::jobs::{ActiveModel, Column, Entity, Model};
use super::{Filter, Status};
use crate::common::id::JobId;
use crate::infra::db::{Error, stored};

/// Adds a job; false when one with its key is open already.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, Error> {
    let inserted =
        Entity::insert(row.into_active_model()).on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(db).await?;
    Ok(inserted == 1)
}

pub async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// The same, kept from runners until the transaction ends.
pub async fn find_locked(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// Newest first.
pub async fn list(db: &impl ConnectionTrait, filter: &Filter, before: Option<JobId>, limit: u64) -> Result<Vec<Model>, Error> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(limit);
    if let Some(status) = filter.status {
        select = select.filter(Column::Status.eq(status.name()));
    }
    if let Some(kind) = &filter.kind {
        select = select.filter(Column::Kind.eq(kind));
    }
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before));
    }
    Ok(select.all(db).await?)
}

/// How many there are, by kind and status.
pub async fn count(db: &impl ConnectionTrait) -> Result<Vec<(String, String, i64)>, Error> {
    Ok(Entity::find()
        .select_only()
        .columns([Column::Kind, Column::Status])
        .column_as(Column::Id.count(), "count")
        .group_by(Column::Kind)
        .group_by(Column::Status)
        .order_by_asc(Column::Kind)
        .order_by_asc(Column::Status)
        .into_tuple()
        .all(db)
        .await?)
}

/// How many there are that are neither done nor cancelled, by status.
pub async fn count_open(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>, Error> {
    let counted = [Status::Queued, Status::Running, Status::Dead].map(Status::name);
    Ok(Entity::find()
        .select_only()
        .column(Column::Status)
        .column_as(Column::Id.count(), "count")
        .filter(Column::Status.is_in(counted))
        .group_by(Column::Status)
        .into_tuple()
        .all(db)
        .await?)
}

/// Since when the job waits that has waited longest.
pub async fn oldest_due(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Error> {
    let oldest = Entity::find()
        .select_only()
        .column(Column::RunAt)
        .filter(Column::Status.eq(Status::Queued.name()))
        .filter(Column::RunAt.lte(stored(now)))
        .order_by_asc(Column::RunAt)
        .limit(1)
        .into_tuple();
    Ok(oldest.one(db).await?)
}

/// Puts a job back into the queue, as new.
pub async fn update_queued(db: &impl ConnectionTrait, id: JobId, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let change = ActiveModel {
        status: Set(Status::Queued.name().to_owned()),
        run_at: Set(now),
        attempts: Set(0),
        cancel_requested: Set(false),
        updated_at: Set(now),
        finished_at: Set(None),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Ends a job that waits.
pub async fn update_cancelled(db: &impl ConnectionTrait, id: JobId, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let change = ActiveModel {
        status: Set(Status::Cancelled.name().to_owned()),
        cancel_requested: Set(true),
        updated_at: Set(now),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Asks the runner of a job to stop it.
pub async fn update_cancel_requested(db: &impl ConnectionTrait, id: JobId, now: DateTime<Utc>) -> Result<(), Error> {
    let change = ActiveModel { cancel_requested: Set(true), updated_at: Set(stored(now)), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Deletes jobs with one of these statuses that ended before; how many.
pub async fn delete_ended(db: &impl ConnectionTrait, statuses: &[Status], before: DateTime<Utc>) -> Result<u64, Error> {
    let result = Entity::delete_many()
        .filter(Column::Status.is_in(statuses.iter().map(|status| status.name())))
        .filter(Column::FinishedAt.lt(stored(before)))
        .exec(db)
        .await?;
    Ok(result.rows_affected)
}
