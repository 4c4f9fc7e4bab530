//! Starting, stopping and crashing in order.
//!
//! Stopping has two steps. `stop` is asked for by the first signal: no new work is taken in. `drained` is set once the HTTP server
//! and the queue readers have finished what they had: then writers flush and background tasks end. A task that ends before it
//! was asked to has crashed: it is named in the log, the process stops in order and exits non-zero.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The named tasks of a process and the tokens that end them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    stop: CancellationToken,
    drained: CancellationToken,
    intake: TaskTracker,
    tasks: TaskTracker,
    crashed: Arc<Mutex<Option<String>>>,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As asked, with everything finished.
    Orderly,
    /// A task ended on its own.
    Crashed(String),
    /// Something did not finish within the bound.
    TimedOut,
}

impl Lifecycle {
    /// Cancelled when no new work may be taken in.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancelled when all intake has ended.
    #[must_use]
    pub fn drained_token(&self) -> CancellationToken {
        self.drained.clone()
    }

    /// Asks the process to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Runs `task` until it ends. If it ends before stopping began, fails or panics, the process goes down.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.spawn_in(&self.tasks, name, task);
    }

    /// Like [`Lifecycle::spawn`], for a task that takes work in: it ends at `stop`, and the others keep running until it has.
    pub fn spawn_intake(&self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.spawn_in(&self.intake, name, task);
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that starts tasks: it names and awaits them")]
    fn spawn_in(&self, tracker: &TaskTracker, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        let lifecycle = self.clone();
        tokio::spawn(tracker.track_future(async move {
            let reason = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) if lifecycle.stop.is_cancelled() => return,
                Ok(Ok(())) => "ended before it was asked to".to_owned(),
                Ok(Err(error)) => format!("failed: {error:#}"),
                Err(panic) => {
                    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                    format!("panicked: {}", text.unwrap_or("no message"))
                }
            };
            lifecycle.crash(name, &reason);
        }));
    }

    fn crash(&self, name: &str, reason: &str) {
        tracing::error!(task = name, reason, "a task has crashed; the process stops");
        self.crashed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| format!("{name} {reason}"));
        self.stop.cancel();
    }

    /// Waits for the stop, then for intake and all tasks to end, at most `bound`.
    pub async fn finish(self, bound: Duration) -> Ending {
        self.stop.cancelled().await;
        let ending = async {
            self.intake.close();
            self.intake.wait().await;
            self.drained.cancel();
            self.tasks.close();
            self.tasks.wait().await;
        };
        let in_time = tokio::time::timeout(bound, ending).await.is_ok();
        if let Some(crash) = self.crashed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ending::Crashed(crash);
        }
        if in_time { Ending::Orderly } else { Ending::TimedOut }
    }
}

/// Listens for SIGTERM and SIGINT from now on: the first stops `lifecycle`, the second ends the process at once.
///
/// # Errors
/// When the handlers cannot be installed.
#[expect(clippy::disallowed_methods, reason = "must outlive every other task, so that a second signal is always heard")]
pub fn listen_for_signals(lifecycle: &Lifecycle) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let lifecycle = lifecycle.clone();
    tokio::spawn(async move {
        let name = next(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "stopping; a second signal ends the process at once");
        lifecycle.stop();
        let name = next(&mut terminate, &mut interrupt).await;
        tracing::warn!(signal = name, "second signal: ending now");
        // SAFETY: ends the process without running destructors, which is what a second signal asks for.
        unsafe { libc::_exit(130) }
    });
    Ok(())
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_orderly_stop_waits_for_tasks() {
        let lifecycle = Lifecycle::default();
        let (stop, drained) = (lifecycle.stop_token(), lifecycle.drained_token());
        lifecycle.spawn("writer", async move {
            drained.cancelled().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        });
        lifecycle.stop();
        assert!(stop.is_cancelled());
        assert_eq!(lifecycle.finish(Duration::from_secs(5)).await, Ending::Orderly);
    }

    #[tokio::test]
    async fn a_task_that_fails_panics_or_just_ends_takes_the_process_down() {
        let fail = async { Err(anyhow::anyhow!("no more disk")) };
        let lifecycle = Lifecycle::default();
        lifecycle.spawn("writer", fail);
        let Ending::Crashed(reason) = lifecycle.finish(Duration::from_secs(5)).await else { panic!("must be a crash") };
        assert!(reason.contains("writer") && reason.contains("no more disk"), "{reason}");

        let lifecycle = Lifecycle::default();
        lifecycle.spawn("reader", async { panic!("oh") });
        assert_eq!(lifecycle.finish(Duration::from_secs(5)).await, Ending::Crashed("reader panicked: oh".to_owned()));

        let lifecycle = Lifecycle::default();
        lifecycle.spawn("reader", async { Ok(()) });
        assert!(matches!(lifecycle.finish(Duration::from_secs(5)).await, Ending::Crashed(_)));
    }

    #[tokio::test]
    async fn what_does_not_finish_is_left_behind() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn("stuck", std::future::pending());
        lifecycle.stop();
        assert_eq!(lifecycle.finish(Duration::from_millis(50)).await, Ending::TimedOut);
    }
}
