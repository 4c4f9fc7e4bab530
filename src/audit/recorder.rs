//! Writing the log.

use sea_orm::ConnectionTrait;

use super::{By, Event, store};
use crate::common::clock::SharedClock;
use crate::infra::db;

/// The audit log of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Audit {
    clock: SharedClock,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

impl Audit {
    /// A log whose times are those of `clock`.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock }
    }

    /// Writes a line as part of the caller's transaction: the change and its line are stored together, or neither.
    pub async fn record(&self, txn: &impl ConnectionTrait, by: &By, event: Event) -> Result<(), db::Error> {
        store::insert(txn, by, &event, self.clock.now()).await?;
        Ok(())
    }
}
