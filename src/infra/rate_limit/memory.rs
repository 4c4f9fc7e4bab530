//! Limits of one process.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use moka::sync::Cache;

use super::{RateLimiter, SLICES, Subject, Unavailable, Verdict, Window};
use crate::common::clock::SharedClock;

/// Subjects that are kept in mind; a flood of more makes the limiter forget the rarest.
const SUBJECTS: u64 = 200_000;
/// The slices of a window, and the one of which only a part lies in it.
#[expect(clippy::cast_possible_truncation, reason = "thirteen")]
const COUNTED: usize = SLICES as usize + 1;

/// What was done, by slice: the number of the slice, and how often.
type Counts = [(u64, u32); COUNTED];

/// Counts in the memory of this process.
pub struct InProcess {
    window: Window,
    clock: SharedClock,
    counts: Cache<Subject, Arc<Mutex<Counts>>>,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess").field("window", &self.window).finish_non_exhaustive()
    }
}

impl InProcess {
    /// Limits over this window.
    pub fn new(window: Window, clock: SharedClock) -> Self {
        // Whoever was idle for that long has nothing left to count.
        let idle = Duration::from_millis(window.slice.saturating_mul(SLICES + 2));
        Self { window, clock, counts: Cache::builder().max_capacity(SUBJECTS).time_to_idle(idle).build() }
    }
}

#[async_trait]
impl RateLimiter for InProcess {
    async fn hit(&self, subject: Subject, limit: u32) -> Result<Verdict, Unavailable> {
        let counts = self.counts.get_with(subject, Arc::default);
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(count(&mut counts, self.window, self.clock.now_us() / 1_000, limit))
    }
}

fn count(counts: &mut Counts, window: Window, now: u64, limit: u32) -> Verdict {
    let current = now / window.slice;
    let oldest = current.saturating_sub(SLICES);
    let mut counted: Vec<(u64, u32)> =
        counts.iter().copied().filter(|(slice, count)| *count > 0 && (oldest..=current).contains(slice)).collect();
    counted.sort_unstable();
    let total: u64 = counted.iter().map(|(_, count)| u64::from(*count)).sum();
    let until = |slice: u64| Duration::from_millis((slice + SLICES + 1) * window.slice - now);
    if total >= u64::from(limit) {
        // Enough of the oldest has to be over: more than one slice, where the limit was lowered meanwhile.
        let mut left = total;
        let over = counted.iter().find(|(_, count)| {
            left -= u64::from(*count);
            left < u64::from(limit)
        });
        return Verdict { allowed: false, limit, remaining: 0, after: until(over.map_or(current, |(slice, _)| *slice)) };
    }
    let place = &mut counts[usize::try_from(current % (SLICES + 1)).unwrap_or_default()];
    let before = if place.0 == current { place.1 } else { 0 };
    *place = (current, before + 1);
    let remaining = u64::from(limit) - total - 1;
    Verdict {
        allowed: true,
        limit,
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
        after: until(counted.first().map_or(current, |(slice, _)| *slice)),
    }
}
