//! What a runner does with rows of `jobs`. Everything it writes says by which lease: a runner that lost a job changes nothing.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::super::Status;
use super::super::entity::jobs::{ActiveModel, Column, Entity, Model};
use super::super::running::Progress;
use crate::common::id::JobId;
use crate::infra::db::{Error, stored};

/// A job in the hands of a runner. The number of the attempt tells this lease from a later one of the same runner.
#[derive(Debug, Clone)]
pub struct Lease {
    pub id: JobId,
    pub runner: String,
    pub attempt: i32,
}

impl Lease {
    fn holds(&self) -> Condition {
        Condition::all()
            .add(Column::Id.eq(self.id))
            .add(Column::Status.eq(Status::Running.name()))
            .add(Column::LeasedBy.eq(&self.runner))
            .add(Column::Attempts.eq(self.attempt))
    }
}

/// Jobs whose time has come, and jobs whose runner fell silent.
fn due(kinds: &[&str], now: DateTime<Utc>) -> Condition {
    let now = stored(now);
    let waits = Condition::all().add(Column::Status.eq(Status::Queued.name())).add(Column::RunAt.lte(now));
    let deserted = Condition::all().add(Column::Status.eq(Status::Running.name())).add(Column::LeaseUntil.lt(now));
    Condition::all().add(Condition::any().add(waits).add(deserted)).add(Column::Kind.is_in(kinds.iter().copied()))
}

/// Whether there is anything to take.
pub async fn is_due(db: &impl ConnectionTrait, kinds: &[&str], now: DateTime<Utc>) -> Result<bool, Error> {
    let found: Option<JobId> =
        Entity::find().select_only().column(Column::Id).filter(due(kinds, now)).limit(1).into_tuple().one(db).await?;
    Ok(found.is_some())
}

/// What is to be taken next, locked against the other runners until the transaction ends.
pub async fn find_due(db: &impl ConnectionTrait, kinds: &[&str], limit: u64, now: DateTime<Utc>) -> Result<Vec<Model>, Error> {
    Ok(Entity::find()
        .filter(due(kinds, now))
        .order_by_desc(Column::Priority)
        .order_by_asc(Column::RunAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(db)
        .await?)
}

/// Takes a job that [`find_due`] has locked.
pub async fn update_leased(
    db: &impl ConnectionTrait,
    row: &Model,
    runner: &str,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Lease, Error> {
    let lease = Lease { id: row.id, runner: runner.to_owned(), attempt: row.attempts.saturating_add(1) };
    let change = ActiveModel {
        status: Set(Status::Running.name().to_owned()),
        leased_by: Set(Some(runner.to_owned())),
        lease_until: Set(Some(stored(until))),
        attempts: Set(lease.attempt),
        progress_done: Set(0),
        progress_total: Set(None),
        progress_note: Set(None),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Entity::update_many().set(change).filter(Column::Id.eq(row.id)).exec(db).await?;
    Ok(lease)
}

/// Prolongs the leases that a runner knows of; what it still holds of them, with the attempt and whether somebody wants it stopped.
/// A job that stands under its name and that it knows nothing of is not prolonged, and comes back to the queue in time.
pub async fn update_lease_until(
    db: &impl ConnectionTrait,
    runner: &str,
    known: &[(JobId, i32)],
    until: DateTime<Utc>,
) -> Result<Vec<(JobId, i32, bool)>, Error> {
    let held = known
        .iter()
        .fold(Condition::any(), |any, (id, attempt)| any.add(Lease { id: *id, runner: runner.to_owned(), attempt: *attempt }.holds()));
    let change = ActiveModel { lease_until: Set(Some(stored(until))), ..Default::default() };
    Entity::update_many().set(change).filter(held.clone()).exec(db).await?;
    Ok(Entity::find()
        .select_only()
        .columns([Column::Id, Column::Attempts, Column::CancelRequested])
        .filter(held)
        .into_tuple()
        .all(db)
        .await?)
}

/// How a run ended, as it is stored.
#[derive(Debug, Clone)]
pub struct Ended {
    pub status: Status,
    /// When it is tried again, for one that goes back to the queue.
    pub run_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// Ends a run; false when the lease was lost.
pub async fn update_ended(
    db: &impl ConnectionTrait,
    lease: &Lease,
    ended: &Ended,
    progress: &Progress,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let now = stored(now);
    let mut change = ActiveModel { updated_at: Set(now), ..told(progress) };
    close(&mut change, ended, now);
    let result = Entity::update_many().set(change).filter(lease.holds()).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Ends a deserted job that is not to be taken again; it was locked by [`find_due`].
pub async fn update_deserted(db: &impl ConnectionTrait, id: JobId, ended: &Ended, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let mut change = ActiveModel { updated_at: Set(now), ..Default::default() };
    close(&mut change, ended, now);
    Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

fn close(change: &mut ActiveModel, ended: &Ended, now: DateTime<Utc>) {
    change.status = Set(ended.status.name().to_owned());
    change.leased_by = Set(None);
    change.lease_until = Set(None);
    if let Some(error) = &ended.error {
        change.last_error = Set(Some(error.clone()));
    }
    if let Some(run_at) = ended.run_at {
        change.run_at = Set(stored(run_at));
    } else {
        change.finished_at = Set(Some(now));
    }
}

/// Gives a job back as if it had not been taken; false when the lease was lost.
pub async fn update_released(db: &impl ConnectionTrait, lease: &Lease, now: DateTime<Utc>) -> Result<bool, Error> {
    let change = ActiveModel {
        status: Set(Status::Queued.name().to_owned()),
        leased_by: Set(None),
        lease_until: Set(None),
        attempts: Set(lease.attempt.saturating_sub(1)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    let result = Entity::update_many().set(change).filter(lease.holds()).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Ends the leases of everybody: nobody else is alive.
pub async fn update_all_deserted(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64, Error> {
    let past = stored(now) - chrono::TimeDelta::seconds(1);
    let change = ActiveModel { lease_until: Set(Some(past)), ..Default::default() };
    let result = Entity::update_many().set(change).filter(Column::Status.eq(Status::Running.name())).exec(db).await?;
    Ok(result.rows_affected)
}

fn told(progress: &Progress) -> ActiveModel {
    ActiveModel {
        progress_done: Set(progress.done),
        progress_total: Set(progress.total),
        progress_note: Set(progress.note.clone()),
        ..Default::default()
    }
}

pub async fn update_progress(db: &impl ConnectionTrait, lease: &Lease, progress: &Progress, now: DateTime<Utc>) -> Result<(), Error> {
    let change = ActiveModel { updated_at: Set(stored(now)), ..told(progress) };
    Entity::update_many().set(change).filter(lease.holds()).exec(db).await?;
    Ok(())
}
