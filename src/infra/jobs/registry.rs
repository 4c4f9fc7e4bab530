//! What a process can do: its kinds of jobs with the services they need, and the schedules.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use croner::Cron;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::queue::NewJob;
use super::{Failure, Job, Running};

/// A schedule whose times cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the times of the schedule {name}, `{cron}`, are not valid: {reason}")]
pub struct BadCron {
    name: &'static str,
    cron: &'static str,
    reason: String,
}

/// A kind of job, its data still written.
pub(super) trait Work: Send + Sync {
    fn run<'a>(&'a self, payload: &'a str, running: &'a Running) -> BoxFuture<'a, Result<(), Failure>>;
}

struct Registered<J: Job> {
    context: J::Context,
    kind: PhantomData<fn() -> J>,
}

impl<J: Job> Work for Registered<J> {
    fn run<'a>(&'a self, payload: &'a str, running: &'a Running) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let job: J = serde_json::from_str(payload)
                .map_err(|error| Failure::Fatal(format!("its data cannot be read; another version of Brokle made it: {error}")))?;
            job.run(&self.context, running).await
        }
        .boxed()
    }
}

/// A job that is made again and again.
pub(super) struct Planned {
    pub name: &'static str,
    pub cron: &'static str,
    times: Cron,
    pub job: NewJob,
}

impl Planned {
    /// The first time after `now`; none when there is none any more.
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.times.find_next_occurrence(&now, false).ok()
    }
}

/// The jobs that this process can do.
#[derive(Default)]
pub struct Registry {
    work: BTreeMap<&'static str, Arc<dyn Work>>,
    pub(super) schedules: Vec<Planned>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("kinds", &self.kinds()).finish_non_exhaustive()
    }
}

impl Registry {
    /// Jobs of this kind are done here, with these services.
    pub fn register<J: Job>(&mut self, context: J::Context) {
        self.work.insert(J::KIND, Arc::new(Registered::<J> { context, kind: PhantomData }));
    }

    /// `job` is put into the queue at the times of `cron` (five fields, UTC): once for each time, however many processes there
    /// are, and once for all the times that passed while there was none. While one is open, no second is made.
    ///
    /// # Errors
    /// When `cron` or the job cannot be written.
    pub fn schedule<J: Job>(&mut self, name: &'static str, cron: &'static str, job: &J) -> Result<(), BadCron> {
        let bad = |reason: String| BadCron { name, cron, reason };
        let times = Cron::from_str(cron).map_err(|error| bad(error.to_string()))?;
        let mut new = NewJob::of(job).map_err(|error| bad(error.to_string()))?;
        new.key.get_or_insert_with(|| format!("schedule:{name}"));
        self.schedules.push(Planned { name, cron, times, job: new });
        Ok(())
    }

    /// The kinds that can be done.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.work.keys().copied().collect()
    }

    /// The schedules, by name and kind of job.
    #[must_use]
    pub fn scheduled(&self) -> Vec<(&'static str, &'static str)> {
        self.schedules.iter().map(|plan| (plan.name, plan.job.kind)).collect()
    }

    pub(super) fn work(&self, kind: &str) -> Option<Arc<dyn Work>> {
        self.work.get(kind).cloned()
    }
}
