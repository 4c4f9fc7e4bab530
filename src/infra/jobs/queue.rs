//! Putting jobs into the queue.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

use super::entity::jobs::Model;
use super::{Job, store};
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

impl Jobs {
    /// A queue kept in `db`, whose runners are woken over `bus`.
    pub fn new(db: Database, clock: SharedClock, bus: Bus) -> Self {
        Self { db, clock, bus }
    }

    /// Puts a job into the queue as part of the caller's transaction; none when one with its key is open already. Call
    /// [`Jobs::wake`] once it is committed, else it waits for the next look.
    pub async fn enqueue<J: Job>(&self, txn: &impl ConnectionTrait, job: &J, queued: Queued) -> Result<Option<JobId>, Error> {
        let now = self.clock.now();
        let payload = serde_json::to_string(job).map_err(|error| sea_orm::DbErr::Custom(format!("a job cannot be written: {error}")))?;
        let row = Model {
            id: JobId::fresh(),
            kind: J::KIND.to_owned(),
            key: job.key(),
            payload,
            status: "queued".to_owned(),
            priority: J::PRIORITY,
            run_at: stored(now + TimeDelta::from_std(queued.delay).unwrap_or_default()),
            attempts: 0,
            max_attempts: i32::try_from(J::ATTEMPTS).unwrap_or(i32::MAX),
            leased_by: None,
            lease_until: None,
            cancel_requested: false,
            progress_done: 0,
            progress_total: None,
            progress_note: None,
            last_error: None,
            organization_id: queued.organization,
            created_at: stored(now),
            updated_at: stored(now),
            finished_at: None,
        };
        let id = row.id;
        Ok(store::insert(txn, row).await?.then_some(id))
    }

    /// Tells the runners that there is work.
    pub fn wake(&self) {
        self.bus.publish(Topic::Jobs, "");
    }

    /// Where the jobs are kept.
    pub(super) fn database(&self) -> &Database {
        &self.db
    }
}
