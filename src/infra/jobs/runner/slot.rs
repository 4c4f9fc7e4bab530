//! Does one job at a time.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Assignment, Order, Shared};
use crate::common::id::JobId;
use crate::error::chain;
use crate::infra::jobs::job::pause_after;
use crate::infra::jobs::running::Progress;
use crate::infra::jobs::store::claims::{self, Ended, Lease};
use crate::infra::jobs::{Failure, Running, Status};

/// How long a cancelled job may take to end on its own.
const CANCELLING: Duration = Duration::from_secs(5);
/// How often progress is stored at most.
const PROGRESS: Duration = Duration::from_millis(500);
/// Letters of an error that are kept.
const ERROR_LENGTH: usize = 2_000;

/// The part of a runner that does jobs.
pub struct Slot {
    shared: Arc<Shared>,
    inbox: Arc<Mutex<mpsc::Receiver<Assignment>>>,
    report: mpsc::UnboundedSender<(JobId, i32)>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// How the work on a job came to its end.
enum End {
    Returned(Result<(), Failure>),
    Panicked(String),
    Cancelled,
    Lost,
    Released,
}

impl Slot {
    pub(super) fn new(
        shared: Arc<Shared>,
        inbox: Arc<Mutex<mpsc::Receiver<Assignment>>>,
        report: mpsc::UnboundedSender<(JobId, i32)>,
    ) -> Self {
        Self { shared, inbox, report }
    }

    /// Works until its dispatcher has ended.
    pub async fn run(self) {
        loop {
            let next = self.inbox.lock().await.recv().await;
            let Some(assignment) = next else { return };
            let run = (assignment.row.id, assignment.lease.attempt);
            self.work(assignment).await;
            let _ = self.report.send(run);
        }
    }

    async fn work(&self, assignment: Assignment) {
        let Assignment { row, lease, mut orders } = assignment;
        let number = |value: i32| u32::try_from(value).unwrap_or(1);
        let running = Running::new(row.id, number(lease.attempt), number(row.max_attempts));
        let started = Instant::now();
        let end = self.attend(&row.kind, &row.payload, &running, &lease, &mut orders).await;
        self.shared.metrics.jobs_duration.with_label_values(&[row.kind.as_str()]).observe(started.elapsed().as_secs_f64());
        let progress = running.watch().borrow().clone();
        let outcome = self.settle(end, &running, &lease, &progress, &mut orders, &row.kind).await;
        self.shared.metrics.jobs.with_label_values(&[row.kind.as_str(), outcome]).inc();
    }

    /// Runs the job as long as it may run. It is dropped before this returns.
    async fn attend(&self, kind: &str, payload: &str, running: &Running, lease: &Lease, orders: &mut watch::Receiver<Order>) -> End {
        let Some(work) = self.shared.registry.work(kind) else { return End::Released };
        let mut job = std::pin::pin!(AssertUnwindSafe(async { work.run(payload, running).await }).catch_unwind());
        let mut progress = std::pin::pin!(self.keep_progress(running, lease));
        let mut give_up: Option<Instant> = None;
        loop {
            let order = *orders.borrow_and_update();
            let until = match order {
                Order::Work { until } => until,
                Order::Cancel { until } => {
                    running.cancel();
                    (*give_up.get_or_insert_with(|| Instant::now() + CANCELLING)).min(until)
                }
                Order::Lost => return End::Lost,
                Order::Release => return End::Released,
            };
            tokio::select! {
                ended = &mut job => return match ended {
                    Ok(result) => End::Returned(result),
                    Err(panic) => End::Panicked(text_of(panic.as_ref())),
                },
                changed = orders.changed() => if changed.is_err() { return End::Lost },
                () = sleep_until(until) => return if give_up == Some(until) { End::Cancelled } else { End::Lost },
                () = &mut progress => {}
            }
        }
    }

    /// Stores what the job tells of its progress; never ends.
    async fn keep_progress(&self, running: &Running, lease: &Lease) {
        let mut told = running.watch();
        loop {
            if told.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let progress = told.borrow_and_update().clone();
            let (jobs, now) = (&self.shared.jobs, self.shared.jobs.clock().now());
            if let Err(error) = claims::update_progress(jobs.database().writer(), lease, &progress, now).await {
                tracing::debug!(error = chain(&error), "a job's progress is not stored");
            }
            tokio::time::sleep(PROGRESS).await;
        }
    }

    /// Stores how it ended, and tells it in one word.
    async fn settle(
        &self,
        end: End,
        running: &Running,
        lease: &Lease,
        progress: &Progress,
        orders: &mut watch::Receiver<Order>,
        kind: &str,
    ) -> &'static str {
        let (id, attempt) = (lease.id, running.attempt());
        let failure = match end {
            End::Lost => {
                tracing::warn!(job = %id, kind, attempt, "the lease of a job was lost; another process takes it");
                return "lost";
            }
            End::Released => {
                let now = self.shared.jobs.clock().now();
                match claims::update_released(self.shared.jobs.database().writer(), lease, now).await {
                    Ok(_) => tracing::info!(job = %id, kind, "a job is given back, because the process stops"),
                    Err(error) => {
                        tracing::warn!(job = %id, kind, error = chain(&error), "a job cannot be given back; it waits for its lease");
                    }
                }
                return "released";
            }
            End::Returned(Ok(())) => None,
            End::Returned(Err(failure)) => Some(failure),
            End::Panicked(text) => Some(Failure::retry(format!("panicked: {text}"))),
            End::Cancelled => Some(Failure::Cancelled),
        };
        let now = self.shared.jobs.clock().now();
        let (ended, outcome) = match failure {
            None => {
                tracing::debug!(job = %id, kind, attempt, "job done");
                (Ended { status: Status::Done, run_at: None, error: None }, "done")
            }
            Some(Failure::Cancelled) => {
                tracing::info!(job = %id, kind, attempt, "job cancelled");
                (Ended { status: Status::Cancelled, run_at: None, error: None }, "cancelled")
            }
            Some(Failure::Retry { reason, after }) if !running.is_last_attempt() => {
                let pause = after.unwrap_or_else(|| pause_after(attempt, rand::random()));
                tracing::warn!(job = %id, kind, attempt, reason, seconds = pause.as_secs(), "job failed; it is tried again");
                let run_at = now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::hours(1));
                (Ended { status: Status::Queued, run_at: Some(run_at), error: Some(shortened(&reason)) }, "retried")
            }
            Some(Failure::Retry { reason, .. } | Failure::Fatal(reason)) => {
                tracing::error!(job = %id, kind, attempt, reason, "job failed and is given up; `brokle jobs retry` tries it again");
                (Ended { status: Status::Dead, run_at: None, error: Some(shortened(&reason)) }, "dead")
            }
        };
        if self.store(&ended, lease, progress, orders).await { outcome } else { "lost" }
    }

    /// Stores the end of a run, again and again while the database is away and the job is held; false when it was lost.
    async fn store(&self, ended: &Ended, lease: &Lease, progress: &Progress, orders: &mut watch::Receiver<Order>) -> bool {
        loop {
            let (db, now) = (self.shared.jobs.database(), self.shared.jobs.clock().now());
            match claims::update_ended(db.writer(), lease, ended, progress, now).await {
                Ok(true) => return true,
                Ok(false) => {
                    tracing::warn!(job = %lease.id, "the lease of a job was lost before its end was stored");
                    return false;
                }
                Err(error) => {
                    let held = match *orders.borrow_and_update() {
                        Order::Work { until } | Order::Cancel { until } => Instant::now() < until,
                        Order::Lost | Order::Release => false,
                    };
                    tracing::warn!(job = %lease.id, error = chain(&error), trying_again = held, "the end of a job cannot be stored");
                    if !held {
                        return false;
                    }
                    tokio::time::sleep(PROGRESS).await;
                }
            }
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|character| *character != '\0').take(ERROR_LENGTH).collect()
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
