//! Identifiers: ULIDs with a type around them, so that a project's id cannot stand where a user's belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// A fresh ULID (26 characters, sortable by time of creation).
///
/// Source: <https://github.com/ulid/spec>.
#[must_use]
pub fn fresh() -> Ulid {
    Ulid::from_parts(now_ms(), rand::random())
}

#[expect(clippy::disallowed_methods, reason = "the time inside an id only orders it; it decides nothing")]
fn now_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// A text that is no ULID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id (26 characters, ULID)")]
pub struct InvalidId(pub String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Ulid);

        impl $name {
            /// A new, unused id.
            #[must_use]
            pub fn fresh() -> Self {
                Self(fresh())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Ulid::from_string(text).map(Self).map_err(|_| InvalidId(text.chars().take(64).collect()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A person.
    UserId;
    /// An organisation: the tenant that pays.
    OrganizationId;
    /// A project: the tenant of every span.
    ProjectId;
    /// An API key.
    ApiKeyId;
    /// A signed-in device.
    SessionId;
    /// A person's place in an organisation or a project.
    MemberId;
    /// An invitation to an organisation.
    InvitationId;
    /// A role that somebody defined.
    RoleId;
    /// A token that was sent by mail.
    UserTokenId;
    /// A recovery code of a second factor.
    RecoveryCodeId;
    /// A stored value of a setting.
    SettingId;
    /// A change of a setting.
    SettingChangeId;
    /// A line of the audit log.
    AuditId;
    /// A job of the queue.
    JobId;
    /// A mail in the outbox.
    MailId;
    /// An own price for a model.
    ModelPriceId;
    /// A re-pricing of stored spans.
    RepricingId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_print() {
        let id = ProjectId::fresh();
        assert_eq!(id.to_string().parse::<ProjectId>(), Ok(id));
        assert_eq!(id.to_string().len(), 26);
        assert!("not an id".parse::<ProjectId>().is_err());
    }

    #[test]
    fn fresh_ids_differ() {
        assert_ne!(UserId::fresh(), UserId::fresh());
    }
}
