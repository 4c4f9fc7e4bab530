//! Who is on the way to the writers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Something on its way to the queue, counted for as long as this lives: whoever gathers rows may wait for it a little.
#[derive(Debug)]
pub struct Preparing(Arc<AtomicUsize>);

impl Preparing {
    /// Counts one more in `counter`.
    #[must_use]
    pub fn start(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(counter))
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
