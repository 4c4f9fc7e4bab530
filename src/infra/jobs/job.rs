//! What a job is.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

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

    /// Does the work. It may have been done before, wholly or in part: doing it again must change nothing.
    ///
    /// # Errors
    /// [`Failure`] says whether to try again.
    fn run(&self, context: &Self::Context) -> impl Future<Output = Result<(), Failure>> + Send;
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
