//! What was taken back, told to everybody who keeps it in memory.

use serde::{Deserialize, Serialize};

use super::KeyHash;
use crate::common::id::{OrganizationId, SessionId, UserId};
use crate::infra::bus::{Bus, Heard, Topic};

/// Something that is valid no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Revoked {
    ApiKey(KeyHash),
    Session(SessionId),
    /// All sessions of a person.
    User(UserId),
    /// Keys of an organisation, which or a project of which was archived, deleted, or brought back.
    KeysOf(OrganizationId),
    /// Nobody knows what was missed (a bus that reconnected): forget everything.
    Everything,
}

/// Where revocations are announced: over the bus, to every process.
#[derive(Debug, Clone)]
pub struct Revocations(Bus);

impl Revocations {
    /// Announced over `bus`.
    #[must_use]
    pub fn new(bus: Bus) -> Self {
        Self(bus)
    }

    /// All sessions of `user` have ended.
    pub fn user(&self, user: UserId) {
        self.announce(&Revoked::User(user));
    }

    pub(super) fn announce(&self, revoked: &Revoked) {
        // An enum of ids is always written.
        if let Ok(text) = serde_json::to_string(revoked) {
            self.0.publish(Topic::Revocation, text);
        }
    }
}

impl Revoked {
    /// What of it concerns revocations; none for other topics.
    #[must_use]
    pub fn of(heard: &Heard) -> Option<Self> {
        match heard {
            Heard::Missed => Some(Self::Everything),
            // A newer server may say things this one does not know.
            Heard::Notice(notice) if notice.topic == Topic::Revocation => {
                Some(serde_json::from_str(&notice.body).unwrap_or(Self::Everything))
            }
            Heard::Notice(notice) if notice.topic == Topic::Tenants => Some(notice.body.parse().map_or(Self::Everything, Self::KeysOf)),
            Heard::Notice(_) => None,
        }
    }
}
