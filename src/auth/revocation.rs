//! What was taken back, told to everybody who keeps it in memory.

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use super::KeyHash;
use crate::common::id::{SessionId, UserId};

/// Something that is valid no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Revoked {
    ApiKey(KeyHash),
    Session(SessionId),
    /// All sessions of a person.
    User(UserId),
    /// Nobody knows what was missed (a bus that reconnected): forget everything.
    Everything,
}

/// Where revocations of this process are announced. Whoever connects the processes subscribes, publishes what it receives, and
/// hands what other processes published to `ApiKeys::apply` and `Sessions::apply`; a receiver that lagged publishes `Everything`.
#[derive(Debug, Clone)]
pub struct Revocations(broadcast::Sender<Revoked>);

impl Revocations {
    /// A place without listeners.
    #[must_use]
    pub fn new() -> Self {
        Self(broadcast::Sender::new(1024))
    }

    /// What is revoked in this process from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Revoked> {
        self.0.subscribe()
    }

    pub(super) fn announce(&self, revoked: Revoked) {
        // No listener is no error: a standalone process has none.
        let _ = self.0.send(revoked);
    }
}

impl Default for Revocations {
    fn default() -> Self {
        Self::new()
    }
}
