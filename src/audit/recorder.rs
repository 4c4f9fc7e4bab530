//! Writing the log.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use sea_orm::ConnectionTrait;

use super::compliance::Compliance;
use super::{By, Event, Outcome, store};
use crate::common::clock::SharedClock;
use crate::infra::db::{self, Database};

/// The same refusal is written once in this time: whoever is refused in a loop fills no table.
const REFUSALS_EVERY: Duration = Duration::from_mins(1);
const REFUSALS_KEPT: u64 = 10_000;

/// The audit log of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Audit {
    pub(super) db: Database,
    clock: SharedClock,
    compliance: Arc<dyn Compliance>,
    refusals: Cache<String, ()>,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

impl Audit {
    /// A log kept in `db` whose times are those of `clock`; `compliance` is told of every line.
    pub fn new(db: Database, clock: SharedClock, compliance: Arc<dyn Compliance>) -> Self {
        let refusals = Cache::builder().max_capacity(REFUSALS_KEPT).time_to_live(REFUSALS_EVERY).build();
        Self { db, clock, compliance, refusals }
    }

    /// Writes a line as part of the caller's transaction: the change and its line are stored together, or neither.
    pub async fn record(&self, txn: &impl ConnectionTrait, by: &By, event: Event) -> Result<(), db::Error> {
        store::insert(txn, by, &event, self.clock.now()).await?;
        self.compliance.recorded(by, &event);
        Ok(())
    }

    /// Writes a line about something that changes nothing else.
    pub async fn noted(&self, by: &By, event: Event) -> Result<(), db::Error> {
        self.record(self.db.writer(), by, event).await
    }

    /// Notes that somebody was refused. The same person and thing leave one line a minute from each process; a failure to write
    /// it changes nothing for the caller, who is refused either way.
    pub async fn refused(&self, by: &By, event: Event) {
        let event = event.ended(Outcome::Denied);
        let place = event.project.map(|id| id.to_string()).or_else(|| event.organization.map(|id| id.to_string()));
        let key = format!("{:?} {:?} {place:?}", by.actor, event.target);
        if !self.refusals.entry(key).or_insert(()).is_fresh() {
            return;
        }
        if let Err(error) = self.record(self.db.writer(), by, event).await {
            tracing::warn!("a refusal is not in the audit log: {}", crate::error::chain(&error));
        }
    }
}
