//! Putting jobs into the queue.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::entity::jobs::Model;
use super::{Job, Status, store};
use crate::common::clock::SharedClock;
use crate::common::id::{JobId, OrganizationId};
use crate::infra::bus::{Bus, Topic};
use crate::infra::db::{Database, Error, stored};

/// The queue of the installation; a clone is the same queue.
#[derive(Clone)]
pub struct Jobs {
    db: Database,
    clock: SharedClock,
    bus: Bus,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

/// How a job is put into the queue, beside what it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queued {
    /// Not before this has passed.
    pub delay: Duration,
    /// Whose work it is, where it is somebody's.
    pub organization: Option<OrganizationId>,
}

/// A job as it is written.
#[derive(Debug, Clone)]
pub(super) struct NewJob {
    pub kind: &'static str,
    pub key: Option<String>,
    payload: String,
    priority: i32,
    max_attempts: i32,
}

impl NewJob {
    pub fn of<J: Job>(job: &J) -> Result<Self, serde_json::Error> {
        Ok(Self {
            kind: J::KIND,
            key: job.key(),
            payload: serde_json::to_string(job)?,
            priority: J::PRIORITY,
            max_attempts: i32::try_from(J::ATTEMPTS.max(1)).unwrap_or(i32::MAX),
        })
    }

    pub fn row(&self, now: DateTime<Utc>, queued: Queued) -> Model {
        let now = stored(now);
        Model {
            id: JobId::fresh(),
            kind: self.kind.to_owned(),
            key: self.key.clone(),
            payload: self.payload.clone(),
            status: Status::Queued.name().to_owned(),
            priority: self.priority,
            run_at: stored(now + TimeDelta::from_std(queued.delay).unwrap_or_default()),
            attempts: 0,
            max_attempts: self.max_attempts,
            leased_by: None,
            lease_until: None,
            cancel_requested: false,
            progress_done: 0,
            progress_total: None,
            progress_note: None,
            last_error: None,
            organization_id: queued.organization,
            created_at: now,
            updated_at: now,
            finished_at: None,
        }
    }
}

impl Jobs {
    /// A queue kept in `db`, whose runners are woken over `bus`.
    pub fn new(db: Database, clock: SharedClock, bus: Bus) -> Self {
        Self { db, clock, bus }
    }

    /// Puts a job into the queue as part of the caller's transaction; none when one with its key is open already. Call
    /// [`Jobs::wake`] once it is committed, else it waits for the next look.
    pub async fn enqueue<J: Job>(&self, txn: &impl ConnectionTrait, job: &J, queued: Queued) -> Result<Option<JobId>, Error> {
        let new = NewJob::of(job).map_err(|error| sea_orm::DbErr::Custom(format!("a job cannot be written: {error}")))?;
        let row = new.row(self.clock.now(), queued);
        let id = row.id;
        Ok(store::insert(txn, row).await?.then_some(id))
    }

    /// Tells the runners that there is work.
    pub fn wake(&self) {
        self.bus.publish(Topic::Jobs, "");
    }

    /// Tells the runners that something changed about what they hold or plan: a cancelled job, a schedule that is to run now.
    pub fn tell_change(&self, what: &str) {
        self.bus.publish(Topic::Jobs, what);
    }

    /// Where the jobs are kept.
    pub(in crate::infra) fn database(&self) -> &Database {
        &self.db
    }

    pub(in crate::infra) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }
}
