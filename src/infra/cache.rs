//! Look-ups kept in memory that a revocation takes out for certain.
//!
//! The danger is a look-up that started before the revocation and ends after it: it would put the stale answer back for the
//! whole time to live. Hence the epoch: whoever loaded while it moved throws the answer away and looks again.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

/// An answer and how long it may be kept.
#[derive(Debug, Clone)]
pub struct Kept<V> {
    pub value: V,
    pub keep: Duration,
}

#[derive(Debug)]
struct ByValue;

impl<K, V> Expiry<K, Kept<V>> for ByValue {
    fn expire_after_create(&self, _key: &K, kept: &Kept<V>, _created_at: Instant) -> Option<Duration> {
        Some(kept.keep)
    }
}

/// The cache; callers that miss the same key at once share one look-up.
pub struct RevocableCache<K, V> {
    cache: Cache<K, Kept<V>>,
    epoch: AtomicU64,
}

impl<K, V> std::fmt::Debug for RevocableCache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevocableCache").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Times that a look-up overtaken by revocations is done again before its answer is used without being kept.
const TRIES: u32 = 3;

impl<K: Hash + Eq + Clone + Send + Sync + 'static, V: Clone + Send + Sync + 'static> RevocableCache<K, V> {
    /// Room for `capacity` answers.
    pub fn new(capacity: u64) -> Self {
        Self { cache: Cache::builder().max_capacity(capacity).expire_after(ByValue).build(), epoch: AtomicU64::new(0) }
    }

    /// The kept answer, or the one that `load` finds.
    pub async fn get_or_load<E, F>(&self, key: K, load: impl Fn() -> F) -> Result<V, Arc<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<Kept<V>, E>>,
    {
        if let Some(kept) = self.cache.get(&key).await {
            return Ok(kept.value);
        }
        let mut tries = 0;
        loop {
            let epoch = self.epoch.load(Ordering::SeqCst);
            let entry = self.cache.entry(key.clone()).or_try_insert_with(load()).await?;
            tries += 1;
            let overtaken = entry.is_fresh() && self.epoch.load(Ordering::SeqCst) != epoch;
            if !overtaken {
                return Ok(entry.into_value().value);
            }
            self.cache.invalidate(&key).await;
            if tries == TRIES {
                return Ok(entry.into_value().value);
            }
        }
    }

    /// Forgets one answer, one that is being looked up included.
    pub async fn invalidate(&self, key: &K) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate(key).await;
    }

    /// Forgets everything.
    pub fn invalidate_all(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_look_up_overtaken_by_a_revocation_is_done_again() {
        let cache = Arc::new(RevocableCache::<u8, &'static str>::new(10));
        let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let calls = Arc::new(AtomicU64::new(0));
        let slow = {
            let (cache, reached, go_on, calls) = (Arc::clone(&cache), Arc::clone(&reached), Arc::clone(&go_on), Arc::clone(&calls));
            async move {
                cache
                    .get_or_load(1, || async {
                        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
                        if first {
                            reached.notify_one();
                            go_on.notified().await;
                        }
                        Ok::<_, Infallible>(Kept { value: if first { "stale" } else { "revoked" }, keep: Duration::from_mins(1) })
                    })
                    .await
            }
        };
        let revoke = async {
            reached.notified().await;
            cache.invalidate(&1).await;
            go_on.notify_one();
        };
        let (answer, ()) = tokio::join!(slow, revoke);
        assert_eq!(answer.unwrap(), "revoked");
        let again = cache.get_or_load(1, || async { Ok::<_, Infallible>(Kept { value: "loaded", keep: Duration::ZERO }) }).await;
        assert_eq!(again.unwrap(), "revoked", "the second answer was kept");
    }
}
