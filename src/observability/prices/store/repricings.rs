//! Rows of `repricings`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::common::id::{ProjectId, RepricingId};
use crate::infra::db::{Error, stored};
use crate::observability::prices::entity::repricings::{ActiveModel, Column, Entity, Model};
use crate::observability::prices::repricing::State;

pub use crate::observability::prices::entity::repricings::Model as RepricingRow;

const OPEN: [&str; 2] = [State::Queued.name(), State::Running.name()];

fn of(project: ProjectId) -> Select<Entity> {
    Entity::find().filter(Column::ProjectId.eq(project))
}

pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

pub async fn find(db: &impl ConnectionTrait, project: ProjectId, id: RepricingId) -> Result<Option<Model>, Error> {
    Ok(of(project).filter(Column::Id.eq(id)).one(db).await?)
}

/// For the job, which holds the id from a trusted place.
pub async fn find_any(db: &impl ConnectionTrait, id: RepricingId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Newest first.
pub async fn list(db: &impl ConnectionTrait, project: ProjectId, most: u64) -> Result<Vec<Model>, Error> {
    Ok(of(project).order_by_desc(Column::Id).limit(most).all(db).await?)
}

/// The newest that changes rows.
pub async fn find_last_apply(db: &impl ConnectionTrait, project: ProjectId) -> Result<Option<Model>, Error> {
    Ok(of(project).filter(Column::Mode.eq("apply")).order_by_desc(Column::Id).one(db).await?)
}

/// The one before this that changes rows.
pub async fn find_apply_before(db: &impl ConnectionTrait, project: ProjectId, id: RepricingId) -> Result<Option<Model>, Error> {
    let before = of(project).filter(Column::Mode.eq("apply")).filter(Column::Id.lt(id));
    Ok(before.order_by_desc(Column::Id).one(db).await?)
}

/// Notes that the run after `run` has begun; false when it has ended, or another run has begun meanwhile.
pub async fn update_begun(db: &impl ConnectionTrait, id: RepricingId, run: i32, now: DateTime<Utc>) -> Result<bool, Error> {
    let change =
        ActiveModel { state: Set(State::Running.name().to_owned()), run: Set(run + 1), updated_at: Set(stored(now)), ..Default::default() };
    update(db, id, run, change).await
}

/// What a run notes of its progress.
#[derive(Debug)]
pub struct Progress {
    pub done: i64,
    pub total: Option<i64>,
    /// JSON
    pub saved: String,
}

/// Notes how far a run is; false when it is not the one that counts any more.
pub async fn update_progress(
    db: &impl ConnectionTrait,
    id: RepricingId,
    run: i32,
    progress: Progress,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let change = ActiveModel {
        progress_done: Set(progress.done),
        progress_total: Set(progress.total),
        saved: Set(Some(progress.saved)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    update(db, id, run, change).await
}

/// Notes how a run ended; false when it is not the one that counts any more.
pub async fn update_ended(
    db: &impl ConnectionTrait,
    id: RepricingId,
    run: i32,
    state: State,
    error: Option<String>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let change = ActiveModel {
        state: Set(state.name().to_owned()),
        error: Set(error),
        updated_at: Set(stored(now)),
        finished_at: Set(Some(stored(now))),
        ..Default::default()
    };
    update(db, id, run, change).await
}

async fn update(db: &impl ConnectionTrait, id: RepricingId, run: i32, change: ActiveModel) -> Result<bool, Error> {
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Run.eq(run)).filter(Column::State.is_in(OPEN));
    Ok(open.exec(db).await?.rows_affected == 1)
}

/// Asks a run to stop; false when it has ended.
pub async fn update_cancel_requested(db: &impl ConnectionTrait, id: RepricingId, now: DateTime<Utc>) -> Result<bool, Error> {
    let change = ActiveModel { cancel_requested: Set(true), updated_at: Set(stored(now)), ..Default::default() };
    let open = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::State.is_in(OPEN));
    Ok(open.exec(db).await?.rows_affected == 1)
}
