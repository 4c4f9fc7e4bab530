//! Secrets that are made here, and what is kept of them.

use std::fmt;

use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;
use crate::config::is_api_key;

/// An API key in clear: shown once, stored nowhere. Prints as its preview.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(String);

impl SecretKey {
    /// `bk_` and 40 of [A-Za-z0-9], each equally likely (238 bits).
    #[must_use]
    pub fn fresh() -> Self {
        Self(format!("bk_{}", Alphanumeric.sample_string(&mut rand::rng(), 40)))
    }

    /// A key that somebody else made.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if is_api_key(text) { Ok(Self(text.to_owned())) } else { Err(Error::InvalidKeyForm) }
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What identifies it to its owner without giving it away: `bk_AbCd...XyZa`.
    #[must_use]
    pub fn preview(&self) -> String {
        let text = self.0.as_str();
        format!("{}...{}", text.get(..7).unwrap_or_default(), text.get(text.len().saturating_sub(4)..).unwrap_or_default())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.preview())
    }
}

/// SHA-256 of an API key. Enough for a secret of 238 random bits: there is nothing to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key as a caller sent it.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// As stored: 64 hex digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads what [`KeyHash::to_hex`] wrote.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// SHA-256 in hex, for tokens.
pub(super) fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A password for somebody who has none yet: 20 characters, 119 bits.
#[must_use]
pub fn random_password() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_form_and_show_only_their_ends() {
        let key = SecretKey::fresh();
        assert!(is_api_key(key.expose()));
        assert_ne!(key, SecretKey::fresh());
        let fixed = SecretKey::parse("bk_AbCd000000000000000000000000000000000000XyZa").map(|key| key.preview());
        assert!(fixed.is_err(), "44 characters are too many");
        let fixed = SecretKey::parse("bk_AbCd00000000000000000000000000000000XyZa").unwrap();
        assert_eq!(fixed.preview(), "bk_AbCd...XyZa");
        assert_eq!(format!("{fixed:?}"), "bk_AbCd...XyZa");
    }

    #[test]
    fn every_letter_and_digit_is_equally_likely() {
        // 62 symbols, 80,000 draws: each is expected 1290 times, deviation 36. Five deviations make a false alarm very rare.
        let mut seen = std::collections::BTreeMap::<char, u32>::new();
        for _ in 0..2_000 {
            SecretKey::fresh().expose()[3..].chars().for_each(|symbol| *seen.entry(symbol).or_default() += 1);
        }
        assert_eq!(seen.len(), 62);
        assert!(seen.values().all(|count| (1_110..1_470).contains(count)), "{seen:?}");
    }

    #[test]
    fn hashes_read_back() {
        let hash = KeyHash::of("bk_x");
        assert_eq!(KeyHash::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(KeyHash::from_hex("zz"), None);
    }
}
