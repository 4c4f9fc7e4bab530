//! Takes jobs for the slots, renews their leases, lets schedules tick.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::ticks::Ticks;
use super::{Assignment, Order, Shared};
use crate::common::id::JobId;
use crate::error::chain;
use crate::infra::bus::{Heard, Listener, Topic};
use crate::infra::db::Error;
use crate::infra::jobs::Status;
use crate::infra::jobs::store::{self, claims, runners};

/// How often the size of the queue is measured.
const SAMPLE: Duration = Duration::from_secs(15);
/// How long giving back the jobs of a stopping process may take.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// A job that a slot does.
struct Held {
    attempt: i32,
    orders: watch::Sender<Order>,
}

/// The part of a runner that talks to the queue.
pub struct Dispatcher {
    shared: Arc<Shared>,
    kinds: Vec<&'static str>,
    hand_out: mpsc::Sender<Assignment>,
    finished: mpsc::UnboundedReceiver<(JobId, i32)>,
    held: HashMap<JobId, Held>,
    listener: Listener,
    ticks: Ticks,
    /// The queue did not answer last time: said once, not every second.
    failing: bool,
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>, hand_out: mpsc::Sender<Assignment>, finished: mpsc::UnboundedReceiver<(JobId, i32)>) -> Self {
        let (kinds, listener) = (shared.registry.kinds(), shared.jobs.bus().listen());
        let ticks = Ticks::default();
        Self { shared, kinds, hand_out, finished, held: HashMap::new(), listener, ticks, failing: false }
    }

    /// Works until `stop`, then lets running jobs end for a while and gives back the others.
    pub async fn run(mut self, stop: CancellationToken) {
        let Settled::Ready = self.settle(&stop).await else { return };
        let every = |period: Duration| {
            let mut interval = interval(period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        let (mut renewal, mut sample) = (every(self.shared.settings.lease / 3), every(SAMPLE));
        while !stop.is_cancelled() {
            let looked = self.look().await;
            self.tell(&looked, "look for jobs");
            tokio::select! {
                () = stop.cancelled() => break,
                Some(run) = self.finished.recv() => self.let_go(run),
                heard = self.listener.next() => {
                    let Some(heard) = heard else { break };
                    if self.hear(heard) {
                        self.renew().await;
                    }
                }
                _ = renewal.tick() => self.renew().await,
                _ = sample.tick() => self.sample().await,
                () = tokio::time::sleep(self.shared.settings.look) => {}
            }
            while let Ok(run) = self.finished.try_recv() {
                self.let_go(run);
            }
        }
        self.wind_down(renewal).await;
    }

    /// What has to be done once, before any work; again and again while the database is away.
    async fn settle(&mut self, stop: &CancellationToken) -> Settled {
        loop {
            let settled = self.try_settle().await;
            self.tell(&settled, "prepare the job queue");
            if settled.is_ok() {
                return Settled::Ready;
            }
            tokio::select! {
                () = stop.cancelled() => return Settled::Stopped,
                () = tokio::time::sleep(self.shared.settings.look) => {}
            }
        }
    }

    async fn try_settle(&mut self) -> Result<(), Error> {
        let (db, now) = (self.shared.jobs.database(), self.now());
        if self.shared.settings.alone {
            let left = claims::update_all_deserted(db.writer(), now).await?;
            if left > 0 {
                tracing::info!(jobs = left, "jobs that the last process left are taken up");
            }
        }
        runners::save(db.writer(), &self.shared.settings.name, self.until(now), now).await?;
        self.ticks.declare(&self.shared).await
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.jobs.clock().now()
    }

    fn until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::from_std(self.shared.settings.lease).unwrap_or_default()
    }

    /// Lets due schedules tick, then takes as much as there are free slots for.
    async fn look(&mut self) -> Result<(), Error> {
        self.ticks.tick(&self.shared).await?;
        loop {
            let free = self.shared.settings.concurrency.max(1).saturating_sub(self.held.len());
            if free == 0 || !self.take(free).await? {
                return Ok(());
            }
        }
    }

    /// Takes up to `free` jobs; true when there may be more.
    async fn take(&mut self, free: usize) -> Result<bool, Error> {
        let (db, now) = (self.shared.jobs.database(), self.now());
        // Mostly there is nothing, and then nothing should be locked.
        if self.kinds.is_empty() || !claims::is_due(db.conn(), &self.kinds, now).await? {
            return Ok(false);
        }
        // The lease counts from here: what a slow database takes is not added to it.
        let good_until = Instant::now() + self.shared.settings.lease;
        let txn = db.begin().await?;
        let rows = claims::find_due(&txn, &self.kinds, free as u64, now).await?;
        let found = rows.len();
        let mut taken = Vec::new();
        for row in rows {
            if let Some(ended) = deserted(&row) {
                tracing::warn!(job = %row.id, kind = row.kind, status = ended.status.name(), "a job was left behind by its process");
                claims::update_deserted(&txn, row.id, &ended, now).await?;
                self.shared.metrics.jobs.with_label_values(&[row.kind.as_str(), ended.status.name()]).inc();
                continue;
            }
            let lease = claims::update_leased(&txn, &row, &self.shared.settings.name, self.until(now), now).await?;
            taken.push((row, lease));
        }
        txn.commit().await.map_err(Error::from)?;
        for (row, lease) in taken {
            let (orders, told) = watch::channel(Order::Work { until: good_until });
            let (id, attempt) = (row.id, lease.attempt);
            // There is room for one per slot, and no more are held. A job that nobody does comes back when its lease ends.
            if self.hand_out.try_send(Assignment { row, lease, orders: told }).is_ok() {
                self.held.insert(id, Held { attempt, orders });
            }
        }
        Ok(found == free)
    }

    /// A slot is free again. The job may be held anew already, for its next attempt.
    fn let_go(&mut self, (id, attempt): (JobId, i32)) {
        if self.held.get(&id).is_some_and(|held| held.attempt == attempt) {
            self.held.remove(&id);
        }
    }

    /// Takes in a message; true when leases are to be looked at.
    fn hear(&mut self, first: Heard) -> bool {
        let mut changed = false;
        let mut next = Some(first);
        // One look answers all that was said meanwhile.
        while let Some(heard) = next {
            changed |= match heard {
                Heard::Notice(notice) => notice.topic == Topic::Jobs && !notice.body.is_empty(),
                Heard::Missed => true,
            };
            next = self.listener.next().now_or_never().flatten();
        }
        if changed {
            self.ticks.forget();
        }
        changed
    }

    /// Renews every lease, tells slots what became of theirs, and says that this process is alive.
    async fn renew(&mut self) {
        let renewed = self.try_renew().await;
        self.tell(&renewed, "renew the leases of running jobs");
    }

    async fn try_renew(&mut self) -> Result<(), Error> {
        let (db, now, name) = (self.shared.jobs.database(), self.now(), self.shared.settings.name.clone());
        runners::save(db.writer(), &name, self.until(now), now).await?;
        if self.held.is_empty() {
            return Ok(());
        }
        let until = Instant::now() + self.shared.settings.lease;
        let txn = db.begin().await?;
        let known: Vec<(JobId, i32)> = self.held.iter().map(|(id, held)| (*id, held.attempt)).collect();
        let ours = claims::update_lease_until(&txn, &name, &known, self.until(now)).await?;
        txn.commit().await.map_err(Error::from)?;
        let ours: HashMap<JobId, (i32, bool)> = ours.into_iter().map(|(id, attempt, cancel)| (id, (attempt, cancel))).collect();
        for (id, held) in &self.held {
            held.orders.send_replace(match ours.get(id) {
                Some((attempt, cancel)) if *attempt == held.attempt => {
                    if *cancel {
                        Order::Cancel { until }
                    } else {
                        Order::Work { until }
                    }
                }
                // Also when it has just been finished: nobody listens then.
                _ => Order::Lost,
            });
        }
        Ok(())
    }

    async fn sample(&mut self) {
        let sampled = self.try_sample().await;
        self.tell(&sampled, "count the waiting jobs");
    }

    async fn try_sample(&self) -> Result<(), Error> {
        let (db, now, metrics) = (self.shared.jobs.database().conn(), self.now(), &self.shared.metrics);
        let counts: HashMap<String, i64> = store::count_open(db).await?.into_iter().collect();
        for status in [Status::Queued, Status::Running, Status::Dead] {
            metrics.jobs_open.with_label_values(&[status.name()]).set(counts.get(status.name()).copied().unwrap_or_default());
        }
        let oldest = store::oldest_due(db, now).await?;
        metrics.jobs_oldest.set(oldest.map_or(0, |since| (now - since).num_seconds().max(0)));
        Ok(())
    }

    /// Says that the queue does not answer, and that it does again.
    fn tell<T>(&mut self, outcome: &Result<T, Error>, what: &str) {
        match outcome {
            Ok(_) if self.failing => {
                self.failing = false;
                tracing::info!("the job queue works again");
            }
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::warn!(error = chain(error), "cannot {what}; trying again");
            }
            _ => {}
        }
    }

    /// Waits for the running jobs, a while; then takes them from their slots and gives them back.
    async fn wind_down(mut self, mut renewal: tokio::time::Interval) {
        let ends = Instant::now() + self.shared.settings.stop_grace;
        while !self.held.is_empty() {
            tokio::select! {
                Some(run) = self.finished.recv() => self.let_go(run),
                _ = renewal.tick() => self.renew().await,
                () = tokio::time::sleep_until(ends) => break,
            }
        }
        for held in self.held.values() {
            held.orders.send_replace(Order::Release);
        }
        let ends = Instant::now() + GIVING_BACK;
        while !self.held.is_empty() {
            tokio::select! {
                Some(run) = self.finished.recv() => self.let_go(run),
                () = tokio::time::sleep_until(ends) => break,
            }
        }
        let gone = tokio::time::timeout(GIVING_BACK, runners::delete(self.shared.jobs.database().writer(), &self.shared.settings.name));
        if !matches!(gone.await, Ok(Ok(()))) {
            tracing::debug!("this process stays in the list of runners for a while");
        }
    }
}

enum Settled {
    Ready,
    Stopped,
}

/// How a job ends that was not finished and is not to be taken again.
fn deserted(row: &crate::infra::jobs::StoredJob) -> Option<claims::Ended> {
    let ended = |status, error: Option<&str>| claims::Ended { status, run_at: None, error: error.map(str::to_owned) };
    if row.cancel_requested {
        Some(ended(Status::Cancelled, None))
    } else if row.status == Status::Running.name() && row.attempts >= row.max_attempts {
        // A job that takes its process down must not do so for ever.
        Some(ended(Status::Dead, Some("the process that worked on it ended, or fell silent, during the last attempt")))
    } else {
        None
    }
}
