//! Schedules: each time is taken by one process, which moves the schedule on and puts the job into the queue, or neither.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::Shared;
use crate::infra::db::{Error, stored};
use crate::infra::jobs::registry::Planned;
use crate::infra::jobs::{Queued, StoredSchedule, store};

/// How long what was read of the schedules is believed: somebody may ask for one to run now, and the message may be lost.
const BELIEVED: Duration = Duration::from_secs(10);

/// When to look at the schedules next.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    /// The earliest time, and when that was read; none: not known.
    known: Option<(DateTime<Utc>, Instant)>,
}

impl Ticks {
    /// What was read may be wrong.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Writes down the schedules of this program, with times that have changed.
    pub async fn declare(&mut self, shared: &Shared) -> Result<(), Error> {
        let now = shared.jobs.clock().now();
        let stored = store::schedules::all(shared.jobs.database().conn()).await?;
        for plan in &shared.registry.schedules {
            let Some(next) = plan.next(now) else { continue };
            let db = shared.jobs.database().writer();
            match stored.iter().find(|row| row.name == plan.name) {
                None => store::schedules::insert(db, row(plan, next, now)).await?,
                Some(row) if row.cron != plan.cron || row.kind != plan.job.kind => {
                    store::schedules::update_cron(db, plan.name, (plan.job.kind, plan.cron), next, now).await?;
                }
                Some(_) => {}
            }
        }
        self.forget();
        Ok(())
    }

    /// Lets every schedule tick whose time has come.
    pub async fn tick(&mut self, shared: &Shared) -> Result<(), Error> {
        if shared.registry.schedules.is_empty() {
            return Ok(());
        }
        let now = shared.jobs.clock().now();
        if self.known.is_some_and(|(next, read)| now < next && read.elapsed() < BELIEVED) {
            return Ok(());
        }
        let read = Instant::now();
        let rows = store::schedules::all(shared.jobs.database().conn()).await?;
        let mut earliest: Option<DateTime<Utc>> = None;
        for plan in &shared.registry.schedules {
            let Some(next) = plan.next(now) else { continue };
            let due = match rows.iter().find(|row| row.name == plan.name) {
                Some(row) if row.next_at <= now => {
                    tick(shared, plan, row.next_at, next, now).await?;
                    next
                }
                Some(row) => row.next_at,
                None => {
                    // Another version of the program did not know it any more.
                    store::schedules::insert(shared.jobs.database().writer(), row(plan, next, now)).await?;
                    next
                }
            };
            earliest = Some(earliest.map_or(due, |earliest| earliest.min(due)));
        }
        self.known = earliest.map(|earliest| (earliest, read));
        Ok(())
    }
}

async fn tick(shared: &Shared, plan: &Planned, from: DateTime<Utc>, to: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Error> {
    let txn = shared.jobs.database().begin().await?;
    if store::schedules::update_ticked(&txn, plan.name, from, to, now).await? {
        let made = store::insert(&txn, plan.job.row(now, Queued::default())).await?;
        txn.commit().await?;
        tracing::debug!(schedule = plan.name, made, "a schedule's time has come");
    }
    Ok(())
}

fn row(plan: &Planned, next: DateTime<Utc>, now: DateTime<Utc>) -> StoredSchedule {
    StoredSchedule {
        name: plan.name.to_owned(),
        kind: plan.job.kind.to_owned(),
        cron: plan.cron.to_owned(),
        next_at: stored(next),
        last_at: None,
        created_at: stored(now),
        updated_at: stored(now),
    }
}
