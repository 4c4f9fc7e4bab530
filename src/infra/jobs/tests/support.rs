//! A queue with a clock that stands still, jobs that do as they are told, and runners that are processes of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::common::clock::FixedClock;
use crate::common::id::JobId;
use crate::infra::bus::Bus;
use crate::infra::db::testing::{TestDatabase, test_databases};
use crate::infra::jobs::{Failure, Job, Jobs, Queued, Registry, Runner, Running, Settings, StoredJob};
use crate::infra::metrics::Metrics;

/// The lease of every runner here. Its renewal comes in real time and so, unless a test asks for it, not within a test.
pub const LEASE: Duration = Duration::from_mins(10);

/// What the jobs of a test share.
#[derive(Clone, Default)]
pub struct Told(Arc<Inner>);

#[derive(Default)]
struct Inner {
    runs: Mutex<Vec<String>>,
    /// What each run of a job returns, first to last; then success.
    failures: Mutex<HashMap<String, Vec<Failure>>>,
    go: Notify,
    ended: Mutex<Vec<String>>,
}

impl Told {
    /// The names of the runs that were begun, in order.
    pub fn runs(&self) -> Vec<String> {
        self.0.runs.lock().unwrap().clone()
    }

    /// The names of waiting jobs that were dropped or let go.
    pub fn ended(&self) -> Vec<String> {
        self.0.ended.lock().unwrap().clone()
    }

    /// The next runs of `name` fail like this.
    pub fn fail(&self, name: &str, failures: impl IntoIterator<Item = Failure>) {
        self.0.failures.lock().unwrap().insert(name.to_owned(), failures.into_iter().collect());
    }

    /// Lets a waiting job go on.
    pub fn go(&self) {
        self.0.go.notify_waiters();
    }
}

/// Does nothing, and returns what it was told to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plain {
    pub name: String,
    pub key: Option<String>,
}

impl Job for Plain {
    const KIND: &'static str = "plain";
    const ATTEMPTS: u32 = 3;
    type Context = Told;

    fn key(&self) -> Option<String> {
        self.key.clone()
    }

    async fn run(&self, told: &Told, running: &Running) -> Result<(), Failure> {
        told.0.runs.lock().unwrap().push(self.name.clone());
        running.progress(1, Some(2), "half");
        let mut failures = told.0.failures.lock().unwrap();
        match failures.get_mut(&self.name) {
            Some(left) if !left.is_empty() => Err(left.remove(0)),
            _ => Ok(()),
        }
    }
}

/// The same, in a hurry.
#[derive(Debug, Serialize, Deserialize)]
pub struct Urgent {
    pub name: String,
}

impl Job for Urgent {
    const KIND: &'static str = "urgent";
    const PRIORITY: i32 = 5;
    type Context = Told;

    async fn run(&self, told: &Told, _: &Running) -> Result<(), Failure> {
        told.0.runs.lock().unwrap().push(self.name.clone());
        Ok(())
    }
}

/// Waits until it is let go.
#[derive(Debug, Serialize, Deserialize)]
pub struct Waiting {
    pub name: String,
    /// Ends when it is cancelled.
    pub polite: bool,
}

impl Job for Waiting {
    const KIND: &'static str = "waiting";
    type Context = Told;

    async fn run(&self, told: &Told, running: &Running) -> Result<(), Failure> {
        struct Ended<'a>(&'a Told, &'a str);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.0.ended.lock().unwrap().push(self.1.to_owned());
            }
        }
        let _ended = Ended(told, &self.name);
        let go = told.0.go.notified();
        told.0.runs.lock().unwrap().push(self.name.clone());
        tokio::select! {
            () = go => Ok(()),
            () = running.cancelled(), if self.polite => Err(Failure::Cancelled),
        }
    }
}

/// Panics.
#[derive(Debug, Serialize, Deserialize)]
pub struct Panicking {}

impl Job for Panicking {
    const KIND: &'static str = "panicking";
    const ATTEMPTS: u32 = 2;
    type Context = Told;

    async fn run(&self, told: &Told, _: &Running) -> Result<(), Failure> {
        told.0.runs.lock().unwrap().push("panicking".to_owned());
        panic!("oh no");
    }
}

/// A queue.
pub struct Queue {
    pub db: TestDatabase,
    pub clock: Arc<FixedClock>,
    pub jobs: Jobs,
    pub told: Told,
}

/// A queue on each kind of database.
pub async fn queues() -> Vec<Queue> {
    let databases = test_databases().await;
    databases
        .into_iter()
        .map(|db| {
            let clock = Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
            let jobs = Jobs::new(db.db.clone(), clock.clone(), Bus::new());
            Queue { db, clock, jobs, told: Told::default() }
        })
        .collect()
}

pub fn plain(name: &str) -> Plain {
    Plain { name: name.to_owned(), key: None }
}

pub fn waiting(name: &str, polite: bool) -> Waiting {
    Waiting { name: name.to_owned(), polite }
}

impl Queue {
    /// Puts a job into the queue without waking anybody.
    pub async fn put<J: Job>(&self, job: &J) -> JobId {
        self.jobs.enqueue(self.db.writer(), job, Queued::default()).await.unwrap().unwrap()
    }

    pub async fn job(&self, id: JobId) -> StoredJob {
        self.jobs.find(id).await.unwrap().unwrap()
    }

    /// Moves the clock, and has every runner look.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.jobs.wake();
    }

    /// Waits until a job has this status.
    pub async fn wait_for(&self, id: JobId, status: &str) -> StoredJob {
        for _ in 0..3_000 {
            let job = self.job(id).await;
            if job.status == status {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("is not {status}: {:?}", self.job(id).await);
    }

    /// Waits until `what` holds.
    pub async fn until(&self, what: impl Fn(&Told) -> bool) {
        for _ in 0..3_000 {
            if what(&self.told) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never came: runs {:?}, ended {:?}", self.told.runs(), self.told.ended());
    }

    /// The kinds of this file.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        registry.register::<Plain>(self.told.clone());
        registry.register::<Urgent>(self.told.clone());
        registry.register::<Waiting>(self.told.clone());
        registry.register::<Panicking>(self.told.clone());
        registry
    }

    /// Starts a runner.
    pub fn start(&self, name: &str, concurrency: usize) -> Process {
        self.start_with(self.registry(), name, concurrency)
    }

    pub fn start_with(&self, registry: Registry, name: &str, concurrency: usize) -> Process {
        let settings = Settings {
            name: name.to_owned(),
            concurrency,
            lease: LEASE,
            stop_grace: Duration::from_millis(100),
            look: Duration::from_millis(50),
            alone: false,
        };
        self.start_as(registry, settings)
    }

    pub fn start_as(&self, registry: Registry, settings: Settings) -> Process {
        let metrics = Metrics::new().unwrap();
        let (dispatcher, slots) = Runner::new(self.jobs.clone(), registry, settings, metrics.clone()).split();
        let stop = CancellationToken::new();
        let mut tasks: Vec<JoinHandle<()>> = slots.into_iter().map(|slot| tokio::spawn(slot.run())).collect();
        tasks.push(tokio::spawn(dispatcher.run(stop.clone())));
        Process { stop, tasks, metrics }
    }
}

/// A runner that works.
pub struct Process {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    pub metrics: Metrics,
}

impl Process {
    /// Stops it in good order.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    /// Ends it as SIGKILL would.
    pub async fn kill(self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            let _ = task.await;
        }
    }
}
