//! Doing the jobs: one dispatcher of a process takes them and keeps the leases, its slots do them.

mod dispatcher;
mod slot;
mod ticks;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

pub use dispatcher::Dispatcher;
pub use slot::Slot;

use super::entity::jobs::Model;
use super::store::claims::Lease;
use super::{Jobs, Registry};
use crate::infra::metrics::Metrics;

/// How a process does jobs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names this process among all runners, and no other ever.
    pub name: String,
    /// Jobs at the same time.
    pub concurrency: usize,
    /// How long a job stays with a process that says nothing.
    pub lease: Duration,
    /// How long running jobs may take to end once the process stops.
    pub stop_grace: Duration,
    /// How often to look for work of which nobody told.
    pub look: Duration,
    /// Whether no other process can hold a job of this database: then nobody has to be waited for at the start.
    pub alone: bool,
}

/// What dispatcher and slots share.
struct Shared {
    jobs: Jobs,
    registry: Registry,
    settings: Settings,
    metrics: Metrics,
}

/// What a slot is told about the job it does.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// The job is held until then.
    Work { until: Instant },
    /// Somebody wants it stopped.
    Cancel { until: Instant },
    /// It is another's now: stop, and write nothing.
    Lost,
    /// The process stops: stop, and give it back.
    Release,
}

/// A job for a slot.
struct Assignment {
    row: Model,
    lease: Lease,
    orders: watch::Receiver<Order>,
}

/// Does the jobs of a queue.
pub struct Runner {
    dispatcher: Dispatcher,
    slots: Vec<Slot>,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner of `jobs` that does what `registry` can. It hears from now on when it is woken.
    pub fn new(jobs: Jobs, registry: Registry, settings: Settings, metrics: Metrics) -> Self {
        let slots = settings.concurrency.max(1);
        let shared = Arc::new(Shared { jobs, registry, settings, metrics });
        let (hand_out, inbox) = mpsc::channel(slots);
        let (report, finished) = mpsc::unbounded_channel();
        let inbox = Arc::new(Mutex::new(inbox));
        let slots = (0..slots).map(|_| Slot::new(Arc::clone(&shared), Arc::clone(&inbox), report.clone())).collect();
        Self { dispatcher: Dispatcher::new(shared, hand_out, finished), slots }
    }

    /// Its parts, each to be run as a task of its own: a job that keeps its thread busy must not keep the leases of the others
    /// from being renewed.
    #[must_use]
    pub fn split(self) -> (Dispatcher, Vec<Slot>) {
        (self.dispatcher, self.slots)
    }
}
