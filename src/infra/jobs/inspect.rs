//! What operators see of the queue and change in it.

use sea_orm::ConnectionTrait;

use super::{Jobs, Status, StoredJob, StoredSchedule, store};
use crate::common::id::JobId;
use crate::infra::db::Error;

/// Which jobs are meant.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub kind: Option<String>,
}

/// How many jobs of a kind have a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub kind: String,
    pub status: String,
    pub count: i64,
}

/// The queue at a glance.
#[derive(Debug, Clone)]
pub struct Summary {
    pub counts: Vec<Count>,
    /// How long the job has waited that has waited longest; none when none waits.
    pub oldest_queued_seconds: Option<i64>,
    /// Processes that take jobs.
    pub runners: u64,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Done; the status before.
    Made(StoredJob),
    /// There is no such job.
    Missing,
    /// Its status does not allow it.
    Refused(StoredJob),
}

impl Jobs {
    /// Jobs, newest first, beginning below `before`.
    pub async fn list(&self, filter: &Filter, before: Option<JobId>, limit: u64) -> Result<Vec<StoredJob>, Error> {
        store::list(self.database().conn(), filter, before, limit).await
    }

    /// A job.
    pub async fn find(&self, id: JobId) -> Result<Option<StoredJob>, Error> {
        store::find(self.database().conn(), id).await
    }

    /// The queue at a glance.
    pub async fn summary(&self) -> Result<Summary, Error> {
        let (db, now) = (self.database().conn(), self.clock().now());
        let counts = store::count(db).await?.into_iter().map(|(kind, status, count)| Count { kind, status, count }).collect();
        let oldest = store::oldest_due(db, now).await?;
        Ok(Summary {
            counts,
            oldest_queued_seconds: oldest.map(|since| (now - since).num_seconds().max(0)),
            runners: store::runners::count(db, now).await?,
        })
    }

    /// Puts a job that ended badly, or waits for its next attempt, to the front of its time: as new, now. Call [`Jobs::wake`]
    /// after the commit. Fails as a duplicate when another job with its key is open.
    pub async fn retry(&self, txn: &impl ConnectionTrait, id: JobId) -> Result<Change, Error> {
        let Some(job) = store::find_locked(txn, id).await? else { return Ok(Change::Missing) };
        if ![Status::Dead, Status::Cancelled, Status::Queued].iter().any(|status| status.name() == job.status) {
            return Ok(Change::Refused(job));
        }
        store::update_queued(txn, id, self.clock().now()).await?;
        Ok(Change::Made(job))
    }

    /// Stops a job: one that waits at once, one that runs as soon as its runner hears of it. Call [`Jobs::tell_change`] after
    /// the commit.
    pub async fn cancel(&self, txn: &impl ConnectionTrait, id: JobId) -> Result<Change, Error> {
        let Some(job) = store::find_locked(txn, id).await? else { return Ok(Change::Missing) };
        let now = self.clock().now();
        match job.status.parse() {
            Ok(Status::Queued) => store::update_cancelled(txn, id, now).await?,
            Ok(Status::Running) => store::update_cancel_requested(txn, id, now).await?,
            _ => return Ok(Change::Refused(job)),
        }
        Ok(Change::Made(job))
    }

    /// What is done again and again.
    pub async fn schedules(&self) -> Result<Vec<StoredSchedule>, Error> {
        store::schedules::all(self.database().conn()).await
    }

    /// A schedule.
    pub async fn schedule(&self, db: &impl ConnectionTrait, name: &str) -> Result<Option<StoredSchedule>, Error> {
        store::schedules::find(db, name).await
    }

    /// Makes a schedule due now; false when there is none of this name. Call [`Jobs::tell_change`] after the commit.
    pub async fn run_schedule(&self, txn: &impl ConnectionTrait, name: &str) -> Result<bool, Error> {
        store::schedules::update_due(txn, name, self.clock().now()).await
    }
}
