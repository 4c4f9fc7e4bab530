//! Forgetting jobs that ended long ago.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Failure, Job, Jobs, Running, Status, store};
use crate::error::chain;

/// Days that a job is kept after it succeeded or was cancelled, and after it was given up.
const ENDED_DAYS: i64 = 7;
const DEAD_DAYS: i64 = 90;
/// Days after which a schedule is no program's any more.
const UNSERVED_DAYS: i64 = 30;

/// Deletes jobs that ended long ago.
#[derive(Debug, Serialize, Deserialize)]
pub struct PruneJobs {}

impl Job for PruneJobs {
    const KIND: &'static str = "prune_jobs";
    type Context = Jobs;

    async fn run(&self, jobs: &Jobs, _: &Running) -> Result<(), Failure> {
        let now = jobs.clock().now();
        let prune = async {
            let db = jobs.database().writer();
            let ended = store::delete_ended(db, &[Status::Done, Status::Cancelled], now - TimeDelta::days(ENDED_DAYS)).await?;
            let dead = store::delete_ended(db, &[Status::Dead], now - TimeDelta::days(DEAD_DAYS)).await?;
            store::schedules::delete_unserved(db, now - TimeDelta::days(UNSERVED_DAYS)).await?;
            store::runners::delete_expired(db, now - TimeDelta::days(1)).await?;
            Ok::<_, crate::infra::db::Error>((ended, dead))
        };
        let (ended, dead) = prune.await.map_err(|error| Failure::retry(chain(&error)))?;
        tracing::debug!(ended, dead, "old jobs deleted");
        Ok(())
    }
}
