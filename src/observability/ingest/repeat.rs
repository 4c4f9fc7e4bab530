//! Recognises a request that is sent again: a client that did not hear the first answer must not pay twice.
//!
//! The mark is set only after the first copy was stored or queued; a copy that arrives meanwhile waits for that answer, and
//! a failure leaves no mark. Row keys make a repeat harmless in any case; this saves the work and gives the same answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::watch;

use super::service::PartialSuccess;

/// BLAKE3 over project, body, content type and environment.
pub type Digest = [u8; 32];

type Waiting = HashMap<Digest, watch::Receiver<Option<PartialSuccess>>>;

/// The requests of the last minutes, by digest.
#[derive(Debug, Clone)]
pub struct Repeats {
    done: Cache<Digest, PartialSuccess>,
    in_flight: Arc<Mutex<Waiting>>,
}

/// What [`Repeats::begin`] found.
#[derive(Debug)]
pub enum Turn {
    /// Nobody sent this before: do the work, then [`First::finish`].
    First(First),
    /// Already done, with this result.
    Repeat(PartialSuccess),
}

/// The right to do the work of a digest. Dropped without `finish`, the next copy gets it.
#[derive(Debug)]
pub struct First {
    repeats: Repeats,
    digest: Digest,
    answer: watch::Sender<Option<PartialSuccess>>,
}

impl Repeats {
    /// Remembers digests for `window`, at most 200,000 of them (about 20 MB).
    #[must_use]
    pub fn new(window: Duration) -> Self {
        Self { done: Cache::builder().max_capacity(200_000).time_to_live(window).build(), in_flight: Arc::default() }
    }

    /// Takes the turn of `digest`, after waiting for a copy that is being worked on.
    pub async fn begin(&self, digest: Digest) -> Turn {
        loop {
            let mut receiver = {
                let mut waiting = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(partial) = self.done.get(&digest) {
                    return Turn::Repeat(partial);
                }
                if let Some(receiver) = waiting.get(&digest) {
                    receiver.clone()
                } else {
                    let (answer, receiver) = watch::channel(None);
                    waiting.insert(digest, receiver);
                    return Turn::First(First { repeats: self.clone(), digest, answer });
                }
            };
            // An error means that the first copy failed: try to become the first.
            if receiver.changed().await.is_ok()
                && let Some(partial) = receiver.borrow().clone()
            {
                return Turn::Repeat(partial);
            }
        }
    }
}

impl First {
    /// The work is done and durable: later copies get `partial`.
    pub fn finish(self, partial: PartialSuccess) {
        self.repeats.done.insert(self.digest, partial.clone());
        self.answer.send_replace(Some(partial));
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.repeats.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partial(rejected: i64) -> PartialSuccess {
        PartialSuccess { rejected_spans: rejected, message: String::new() }
    }

    #[tokio::test]
    async fn a_copy_gets_the_answer_of_the_first() {
        let repeats = Repeats::new(Duration::from_secs(60));
        let Turn::First(first) = repeats.begin([1; 32]).await else { panic!("the first is no repeat") };
        let copy = {
            let repeats = repeats.clone();
            async move { repeats.begin([1; 32]).await }
        };
        let copy = tokio::task::spawn(copy);
        tokio::task::yield_now().await;
        first.finish(partial(3));
        assert!(matches!(copy.await.unwrap(), Turn::Repeat(p) if p.rejected_spans == 3));
        assert!(matches!(repeats.begin([1; 32]).await, Turn::Repeat(_)));
        assert!(matches!(repeats.begin([2; 32]).await, Turn::First(_)));
    }

    #[tokio::test]
    async fn a_failure_leaves_no_mark() {
        let repeats = Repeats::new(Duration::from_secs(60));
        let Turn::First(first) = repeats.begin([1; 32]).await else { panic!("the first is no repeat") };
        let copy = {
            let repeats = repeats.clone();
            async move { matches!(repeats.begin([1; 32]).await, Turn::First(_)) }
        };
        let copy = tokio::task::spawn(copy);
        tokio::task::yield_now().await;
        drop(first);
        assert!(copy.await.unwrap(), "the waiting copy does the work itself");
        assert!(repeats.in_flight.lock().unwrap().is_empty());
    }
}
