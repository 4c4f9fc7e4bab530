//! What a job is.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Running;

/// A piece of work: its data, how it is done, and how often it is tried. One file each, named like an order (`SendMail`).
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name it is stored by; never changes.
    const KIND: &'static str;
    /// How often it is tried before it is dead.
    const ATTEMPTS: u32 = 10;
    /// Jobs of a higher priority are taken first.
    const PRIORITY: i32 = 0;
    /// The services it needs.
    type Context: Clone + Send + Sync + 'static;

    /// Of two open jobs of a kind with the same key, the second is not made.
    fn key(&self) -> Option<String> {
        None
    }

    /// Does the work. It may have been done before, wholly or in part: doing it again must change nothing. It may end at any
    /// `await`, when the process stops or has lost the job to another.
    ///
    /// # Errors
    /// [`Failure`] says whether to try again. Its text is shown to operators: no secrets in it.
    fn run(&self, context: &Self::Context, running: &Running) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A job that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// May succeed later; without `after`, the pause doubles from one attempt to the next.
    #[error("{reason}")]
    Retry { reason: String, after: Option<Duration> },
    /// Will never succeed.
    #[error("{0}")]
    Fatal(String),
    /// Somebody asked for it to be stopped.
    #[error("cancelled")]
    Cancelled,
}

impl Failure {
    /// Worth another try, with the ordinary pause.
    pub fn retry(reason: impl std::fmt::Display) -> Self {
        Self::Retry { reason: reason.to_string(), after: None }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waits for its time, or for a runner.
    Queued,
    /// A runner holds it.
    Running,
    Done,
    /// Given up: it failed for good, or too often.
    Dead,
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Dead, Self::Cancelled];

    /// As stored in `jobs.status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A status that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the status of a job is queued, running, done, dead or cancelled")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(UnknownStatus)
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// The ordinary pause after the attempt with this number, from 1: a second, doubled each time, an hour at most. `spread` (0 to 1)
/// makes it up to a quarter longer, so that jobs that failed together do not come back together.
pub(super) fn pause_after(attempt: u32, spread: f64) -> Duration {
    let plain = Duration::from_secs(1_u64 << attempt.saturating_sub(1).min(12)).min(LONGEST_PAUSE);
    plain.mul_f64(1.0 + spread.clamp(0.0, 1.0) / 4.0).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<u64> = (1..=14).map(|attempt| pause_after(attempt, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
        assert_eq!(pause_after(3, 1.0), Duration::from_secs(5));
        assert_eq!(pause_after(u32::MAX, 1.0), LONGEST_PAUSE);
    }
}
