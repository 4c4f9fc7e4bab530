//! Sealing what must be read again and must not lie in the database in clear: secrets of second factors, keys of providers.
//!
//! AES-256-GCM with the installation's AI_KEY_ENCRYPTION_KEY. Whom a sealed text belongs to is authenticated with it, so that a row
//! copied to another owner does not open.

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sea_orm::ConnectionTrait;

use super::db::{self, installation};
use crate::common::clock::SharedClock;
use crate::config::Secret;
use crate::error::{Code, Coded};

/// First byte of a sealed text: this form of it.
const VERSION: u8 = 1;
const NONCE: usize = 12;
/// The fact that tells which key credentials were sealed with.
const FINGERPRINT: &str = "ai_key_encryption_key.fingerprint";

/// Something that cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("AI_KEY_ENCRYPTION_KEY must be base64 of exactly 32 bytes; make one with: openssl rand -base64 32")]
    InvalidKey,
    #[error(
        "this installation has no AI_KEY_ENCRYPTION_KEY, so it cannot store secrets; an operator has to set it on every server (openssl rand -base64 32)"
    )]
    NoKey,
    #[error(
        "credentials of this installation were sealed with another AI_KEY_ENCRYPTION_KEY (fingerprint {known}, this one has {given}); set the one that was used before, the same on every server"
    )]
    OtherKey { known: String, given: String },
    #[error(
        "credentials of this installation were sealed with an AI_KEY_ENCRYPTION_KEY (fingerprint {0}), and none is set; set the one that was used before"
    )]
    KeyMissing(String),
    #[error("a stored secret cannot be opened: it was sealed with another key or for somebody else, or was damaged")]
    Sealed,
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoKey | Self::KeyMissing(_) => Code::Unavailable,
            Self::InvalidKey | Self::OtherKey { .. } | Self::Sealed => Code::Internal,
            Self::Database(error) => error.code(),
        }
    }
}

struct Keys {
    cipher: Aes256Gcm,
    mac: [u8; 32],
    fingerprint: String,
}

/// Seals and opens; a clone shares the key. Prints as nothing.
#[derive(Clone, Default)]
pub struct Sealer(Option<Arc<Keys>>);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl Sealer {
    /// With the installation's key, where it has one.
    #[must_use]
    pub fn new(key: Option<[u8; 32]>) -> Self {
        Self(key.map(|key| {
            Arc::new(Keys {
                cipher: Aes256Gcm::new(&key.into()),
                mac: blake3::derive_key("brokle 2026-11 hashes of short secrets", &key),
                fingerprint: blake3::Hash::from(blake3::derive_key("brokle 2026-11 encryption key fingerprint", &key))
                    .to_hex()
                    .chars()
                    .take(16)
                    .collect(),
            })
        }))
    }

    /// With a key as it is configured: base64 of 32 bytes; empty where there is none.
    ///
    /// # Errors
    /// [`Error::InvalidKey`]
    pub fn configured(key: &Secret) -> Result<Self, Error> {
        if key.is_empty() {
            return Ok(Self(None));
        }
        let bytes = STANDARD.decode(key.expose().trim()).map_err(|_| Error::InvalidKey)?;
        Ok(Self::new(Some(bytes.try_into().map_err(|_| Error::InvalidKey)?)))
    }

    /// Whether there is a key.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.0.is_some()
    }

    /// Seals `plain` for `owner`. The first time, the installation remembers which key it was.
    ///
    /// # Errors
    /// [`Error::NoKey`], or [`Error::OtherKey`] when other credentials were sealed with another one.
    pub async fn seal(&self, db: &impl ConnectionTrait, clock: &SharedClock, plain: &[u8], owner: &str) -> Result<String, Error> {
        let keys = self.keys()?;
        let known = installation::find_or_set(db, FINGERPRINT, &keys.fingerprint, clock.now()).await?;
        if known != keys.fingerprint {
            return Err(Error::OtherKey { known, given: keys.fingerprint.clone() });
        }
        let nonce: [u8; NONCE] = rand::random();
        let sealed = keys.cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: owner.as_bytes() }).map_err(|_| Error::Sealed)?;
        Ok(STANDARD.encode([&[VERSION][..], &nonce, &sealed].concat()))
    }

    /// Opens what was sealed for `owner`.
    ///
    /// # Errors
    /// [`Error::NoKey`], or [`Error::Sealed`] for another key, another owner, or a damaged text.
    pub fn open(&self, sealed: &str, owner: &str) -> Result<Vec<u8>, Error> {
        let keys = self.keys()?;
        let bytes = STANDARD.decode(sealed).map_err(|_| Error::Sealed)?;
        let (version, rest) = bytes.split_first().ok_or(Error::Sealed)?;
        let (nonce, text) = rest.split_at_checked(NONCE).filter(|_| *version == VERSION).ok_or(Error::Sealed)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Error::Sealed)?;
        keys.cipher.decrypt(&Nonce::from(nonce), Payload { msg: text, aad: owner.as_bytes() }).map_err(|_| Error::Sealed)
    }

    /// A hash that only who has the key can make, in 64 hex digits: for secrets so short that they could be guessed from a plain one.
    ///
    /// # Errors
    /// [`Error::NoKey`]
    pub fn keyed_hash(&self, text: &str, owner: &str) -> Result<String, Error> {
        let mut hasher = blake3::Hasher::new_keyed(&self.keys()?.mac);
        hasher.update(owner.as_bytes()).update(&[0]).update(text.as_bytes());
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// Refuses a key that is not the one credentials of this installation were sealed with. `needed`: none at all is refused, too.
    ///
    /// # Errors
    /// [`Error::OtherKey`], [`Error::KeyMissing`]
    pub async fn check(&self, db: &impl ConnectionTrait, needed: bool) -> Result<(), Error> {
        let Some(known) = installation::find(db, FINGERPRINT).await? else { return Ok(()) };
        match &self.0 {
            Some(keys) if keys.fingerprint == known => Ok(()),
            Some(keys) => Err(Error::OtherKey { known, given: keys.fingerprint.clone() }),
            None if needed => Err(Error::KeyMissing(known)),
            None => Ok(()),
        }
    }

    fn keys(&self) -> Result<&Keys, Error> {
        self.0.as_deref().ok_or(Error::NoKey)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::common::clock::FixedClock;
    use crate::infra::db::testing::test_databases;

    fn clock() -> SharedClock {
        Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()))
    }

    #[tokio::test]
    async fn what_is_sealed_opens_for_its_owner_and_key_only() {
        for db in test_databases().await {
            let sealer = Sealer::new(Some([7; 32]));
            let sealed = sealer.seal(db.writer(), &clock(), b"secret", "ada").await.unwrap();
            assert_eq!(sealer.open(&sealed, "ada").unwrap(), b"secret");
            assert_ne!(sealed, sealer.seal(db.writer(), &clock(), b"secret", "ada").await.unwrap(), "a nonce of its own");
            for (key, text, owner) in [
                ([7; 32], sealed.clone(), "eve"),
                ([8; 32], sealed.clone(), "ada"),
                ([7; 32], sealed[..sealed.len() - 4].to_owned(), "ada"),
                ([7; 32], STANDARD.encode([&[2][..], &STANDARD.decode(&sealed).unwrap()[1..]].concat()), "ada"),
                ([7; 32], String::new(), "ada"),
            ] {
                assert!(matches!(Sealer::new(Some(key)).open(&text, owner), Err(Error::Sealed)), "{text} {owner}");
            }
            assert!(matches!(Sealer::default().open(&sealed, "ada"), Err(Error::NoKey)));
        }
    }

    #[tokio::test]
    async fn the_first_key_that_was_used_is_the_only_one_from_then_on() {
        for db in test_databases().await {
            let (first, other, none) = (Sealer::new(Some([1; 32])), Sealer::new(Some([2; 32])), Sealer::default());
            for sealer in [&first, &other, &none] {
                sealer.check(db.conn(), true).await.unwrap();
            }
            assert!(matches!(none.seal(db.writer(), &clock(), b"x", "ada").await, Err(Error::NoKey)));
            first.seal(db.writer(), &clock(), b"x", "ada").await.unwrap();
            first.check(db.conn(), true).await.unwrap();
            assert!(matches!(other.check(db.conn(), false).await, Err(Error::OtherKey { .. })));
            assert!(matches!(other.seal(db.writer(), &clock(), b"x", "ada").await, Err(Error::OtherKey { .. })));
            assert!(matches!(none.check(db.conn(), true).await, Err(Error::KeyMissing(_))));
            none.check(db.conn(), false).await.unwrap();
        }
    }

    #[test]
    fn keys_are_32_bytes_and_show_nowhere() {
        assert!(!Sealer::configured(&Secret::default()).unwrap().has_key());
        for wrong in ["x", "AAAA", "not base64!"] {
            assert!(matches!(Sealer::configured(&wrong.to_owned().into()), Err(Error::InvalidKey)), "{wrong}");
        }
        let sealer = Sealer::configured(&STANDARD.encode([9; 32]).into()).unwrap();
        assert_eq!(format!("{sealer:?}"), "Sealer(..)");
        assert_ne!(sealer.keyed_hash("a", "b").unwrap(), sealer.keyed_hash("b", "a").unwrap());
    }
}
