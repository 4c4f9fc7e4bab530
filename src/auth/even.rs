//! Answers that take the same time whether or not somebody has an account.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How long such an answer takes: longer than writing what is written for an account and not for none.
pub(super) const FLOOR: Duration = Duration::from_millis(300);

/// Does `work` and returns its outcome [`FLOOR`] after the beginning, or later when the work took longer.
pub(super) async fn even<T>(work: impl Future<Output = T>) -> T {
    let end = Instant::now() + FLOOR;
    let outcome = work.await;
    sleep_until(end).await;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn neither_a_success_nor_a_failure_is_told_early() {
        for outcome in [Ok(1), Err("no")] {
            let begun = Instant::now();
            assert_eq!(even(async { outcome }).await, outcome);
            assert!(begun.elapsed() >= FLOOR);
        }
    }
}
