//! One budget for all request bodies in memory, so that many large requests cannot take the machine down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::IntGauge;

/// Bytes that may be held at once over the whole process.
#[derive(Debug, Clone)]
pub struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
    gauge: Option<IntGauge>,
}

impl Budget {
    /// A budget of `limit` bytes.
    #[must_use]
    pub fn new(limit: usize, gauge: Option<IntGauge>) -> Self {
        Self { limit, used: Arc::default(), gauge }
    }

    /// An empty holding that can grow.
    #[must_use]
    pub fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0 }
    }

    /// Bytes held now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// Bytes taken from a [`Budget`]; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Budget,
    bytes: usize,
}

impl Held {
    /// Takes `more` bytes; false, and nothing taken, when the budget has not that many left.
    #[must_use]
    pub fn grow(&mut self, more: usize) -> bool {
        let taken = self
            .budget
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |used| used.checked_add(more).filter(|total| *total <= self.budget.limit))
            .is_ok();
        if taken {
            self.bytes += more;
            self.publish();
        }
        taken
    }

    /// Gives `less` bytes back, at most all.
    pub fn shrink(&mut self, less: usize) {
        let less = less.min(self.bytes);
        self.bytes -= less;
        self.budget.used.fetch_sub(less, Ordering::AcqRel);
        self.publish();
    }

    /// Whether `more` bytes could be taken if nobody else held any.
    #[must_use]
    pub fn could_grow(&self, more: usize) -> bool {
        self.bytes.checked_add(more).is_some_and(|total| total <= self.budget.limit)
    }

    fn publish(&self) {
        if let Some(gauge) = &self.budget.gauge {
            gauge.set(i64::try_from(self.budget.used()).unwrap_or(i64::MAX));
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::AcqRel);
        self.publish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_taken_and_refuses_the_rest() {
        let budget = Budget::new(100, None);
        let mut first = budget.hold();
        assert!(first.grow(60));
        let mut second = budget.hold();
        assert!(!second.grow(41));
        assert!(second.could_grow(41) && !second.could_grow(101));
        assert!(second.grow(40));
        drop(first);
        assert_eq!(budget.used(), 40);
        second.shrink(15);
        assert_eq!(budget.used(), 25);
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let budget = Budget::new(100, None);
        let mut held = budget.hold();
        assert!(held.grow(1));
        assert!(!held.grow(usize::MAX));
    }
}
