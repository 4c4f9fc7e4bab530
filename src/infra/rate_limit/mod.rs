//! Limits on how often something may be done: so many times in a window that slides.
//!
//! Time is cut into slices, a twelfth of the window each, and what was done is counted by slice. What was done in the last window
//! is the sum of its slices; the oldest, of which only a part lies in the window, counts in full. So never more than the limit
//! fits into any window, and what was done counts for one window and at most one slice more. What is refused is not counted.

mod memory;
mod shared;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
pub use memory::InProcess;
pub use shared::InRedis;

/// Slices of a window.
const SLICES: u64 = 12;

/// What is limited, without telling whom: the hash of an address or an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject([u8; 16]);

impl Subject {
    /// `who` as far as it is limited as `kind`: the same address may be limited in several ways.
    #[must_use]
    pub fn new(kind: &str, who: impl fmt::Display) -> Self {
        let digest = blake3::hash(format!("{kind}:{who}").as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest.as_bytes()[..16]);
        Self(half)
    }

    fn hex(self) -> String {
        hex::encode(self.0)
    }
}

/// How much may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Milliseconds of a slice.
    slice: u64,
}

impl Window {
    /// A window of this length, and up to twelve milliseconds more.
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self { slice: u64::try_from(length.as_millis()).unwrap_or(u64::MAX).div_ceil(SLICES).max(1) }
    }
}

/// What a limiter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    pub limit: u32,
    /// How many more would be allowed right now.
    pub remaining: u32,
    /// Where it was refused: after this it is allowed, if nothing else comes first. Else: after this, more will remain.
    pub after: Duration,
}

/// A limiter that cannot say.
#[derive(Debug, thiserror::Error)]
#[error("the limits on requests cannot be checked: {0}")]
pub struct Unavailable(pub String);

/// Counts what is done, and says when it is too much.
#[async_trait]
pub trait RateLimiter: fmt::Debug + Send + Sync {
    /// Counts one more for `subject`, unless that would be more than `limit`.
    async fn hit(&self, subject: Subject, limit: u32) -> Result<Verdict, Unavailable>;
}
