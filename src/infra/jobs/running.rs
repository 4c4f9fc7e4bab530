//! What a job knows of its own run.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::common::id::JobId;

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: i64,
    /// Not known: none.
    pub total: Option<i64>,
    pub note: Option<String>,
}

/// A job's own run: where it says how far it is, and hears that it is not wanted any more.
#[derive(Debug)]
pub struct Running {
    id: JobId,
    attempt: u32,
    attempts: u32,
    cancelled: CancellationToken,
    progress: watch::Sender<Progress>,
}

impl Running {
    /// The run with the number `attempt` (from 1) of at most `attempts`.
    pub(super) fn new(id: JobId, attempt: u32, attempts: u32) -> Self {
        Self { id, attempt, attempts, cancelled: CancellationToken::new(), progress: watch::Sender::new(Progress::default()) }
    }

    /// The job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether the job is dead when this attempt fails.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.attempt >= self.attempts
    }

    /// Says how far the job is. Cheap: what is said faster than it can be stored is left out.
    pub fn progress(&self, done: u64, total: Option<u64>, note: &str) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let note = (!note.is_empty()).then(|| note.chars().take(500).collect());
        self.progress.send_replace(Progress { done: number(done), total: total.map(number), note });
    }

    /// Whether somebody asked for the job to be stopped: it should return [`Failure::Cancelled`](super::Failure::Cancelled) soon,
    /// before it is ended where it stands.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Waits until somebody asks for that.
    pub async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    pub(super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    pub(super) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }
}
