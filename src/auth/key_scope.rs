//! What an API key is good for.
//!
//! A handler under `/v1` states the scope it needs as a type in its signature (`ApiKeyAuth<Ingest>`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Error;

/// One thing that a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Send traces, metrics, logs and scores.
    Ingest,
    /// Read what the project holds.
    Read,
    /// Call models through the gateway.
    Gateway,
    /// All of it, and what is added later.
    Full,
}

impl KeyScope {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Gateway, Self::Full];

    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Gateway => "gateway",
            Self::Full => "full",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Ingest => 1,
            Self::Read => 2,
            Self::Gateway => 4,
            Self::Full => 8,
        }
    }
}

/// The scopes of a key. Never empty in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyScopes(u8);

impl KeyScopes {
    /// Everything.
    pub const FULL: Self = Self(KeyScope::Full.bit());

    /// Whether a key with these scopes may be used for `scope`.
    #[must_use]
    pub const fn allow(self, scope: KeyScope) -> bool {
        self.0 & (scope.bit() | KeyScope::Full.bit()) != 0
    }

    /// The scopes, one by one.
    #[must_use]
    pub fn list(self) -> Vec<KeyScope> {
        KeyScope::ALL.into_iter().filter(|scope| self.0 & scope.bit() != 0).collect()
    }

    /// These scopes together.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(scopes: &[KeyScope]) -> Result<Self, Error> {
        let bits = scopes.iter().fold(0, |bits, scope| bits | scope.bit());
        if bits == 0 { Err(Error::NoKeyScope) } else { Ok(Self(bits)) }
    }
}

impl fmt::Display for KeyScopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.list().into_iter().map(KeyScope::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for KeyScopes {
    type Err = Error;

    /// Reads what [`KeyScopes::to_string`] wrote; names that this program does not know grant nothing.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bits = text
            .split(' ')
            .filter_map(|name| KeyScope::ALL.into_iter().find(|scope| scope.name() == name))
            .fold(0, |bits, scope| bits | scope.bit());
        Ok(Self(bits))
    }
}

/// A scope as a type, for a handler's signature.
pub trait RequiredScope: 'static {
    const SCOPE: KeyScope;
}

/// [`KeyScope::Ingest`] as a type.
#[derive(Debug, Clone, Copy)]
pub struct Ingest;

impl RequiredScope for Ingest {
    const SCOPE: KeyScope = KeyScope::Ingest;
}

/// [`KeyScope::Read`] as a type.
#[derive(Debug, Clone, Copy)]
pub struct Read;

impl RequiredScope for Read {
    const SCOPE: KeyScope = KeyScope::Read;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_key_may_do_everything_and_an_unknown_scope_nothing() {
        for scope in KeyScope::ALL {
            assert!(KeyScopes::FULL.allow(scope));
            assert!(!"".parse::<KeyScopes>().unwrap().allow(scope));
            assert!(!"everything".parse::<KeyScopes>().unwrap().allow(scope));
        }
        let ingest = KeyScopes::of(&[KeyScope::Ingest]).unwrap();
        assert!(ingest.allow(KeyScope::Ingest) && !ingest.allow(KeyScope::Read) && !ingest.allow(KeyScope::Full));
        let both = KeyScopes::of(&[KeyScope::Read, KeyScope::Ingest, KeyScope::Read]).unwrap();
        assert_eq!((both.to_string().as_str(), both.to_string().parse::<KeyScopes>().unwrap()), ("ingest read", both));
        assert!(KeyScopes::of(&[]).is_err());
    }
}
