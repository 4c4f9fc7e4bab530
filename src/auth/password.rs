//! Passwords: hashed and verified here and nowhere else.
//!
//! Argon2id takes tens of milliseconds and 19 MiB a time on purpose, so it runs on the blocking threads and only a few at once:
//! a flood of sign-ins can neither starve the requests nor eat the memory.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::Error;
use crate::user::PasswordHash;

/// Fewest characters of a new password.
pub const SHORTEST: usize = 8;
/// Most characters; longer ones only cost time.
pub const LONGEST: usize = 512;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and verifies passwords; a clone shares the bound.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    params: Params,
    /// Verified against when there is no hash, so that an unknown person costs as much time as a known one.
    decoy: Arc<OnceLock<Option<PasswordHash>>>,
}

impl Passwords {
    /// Argon2id with 19 MiB, 2 passes, 1 lane; at most one hash per core at a time, four at most.
    ///
    /// Source: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>.
    #[must_use]
    pub fn new() -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
        Self { turns: Arc::new(Semaphore::new(at_once)), params: Params::default(), decoy: Arc::default() }
    }

    /// The hash of a new password.
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, Error> {
        if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
            return Err(Error::PasswordLength(SHORTEST, LONGEST));
        }
        let password = password.to_owned();
        self.run(move |argon2| hash(argon2, &password)).await?.ok_or_else(|| Error::Internal("a password could not be hashed".to_owned()))
    }

    /// Whether `password` belongs to `hash`. Takes the same time when there is no hash; the answer is no then.
    pub async fn verify(&self, password: &str, stored: Option<&PasswordHash>) -> Result<bool, Error> {
        let (password, stored, decoy) = (password.to_owned(), stored.cloned(), Arc::clone(&self.decoy));
        self.run(move |argon2| {
            let known = stored.is_some();
            let Some(hash) = stored.or_else(|| decoy.get_or_init(|| hash(argon2, "nobody has this password")).clone()) else {
                return false;
            };
            argon2.verify_password(password.as_bytes(), hash.0.as_str()).is_ok() && known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static) -> Result<T, Error> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await.map_err(|_| Error::Busy)?;
        let turn = turn.map_err(|closed| Error::Internal(closed.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let done = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also when the caller has gone away.
            let _turn = turn;
            work(&argon2)
        });
        done.await.map_err(|error| Error::Internal(format!("password work failed: {error}")))
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Option<PasswordHash> {
    argon2.hash_password(password.as_bytes()).ok().map(|hash| PasswordHash(hash.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
        assert!(passwords.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("battery staple", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("nobody has this password", None).await.unwrap());
        assert!(!passwords.verify("x", Some(&PasswordHash("not a hash".to_owned()))).await.unwrap());
    }

    #[tokio::test]
    async fn length_is_bounded() {
        let passwords = Passwords::new();
        assert!(matches!(passwords.hash("short").await, Err(Error::PasswordLength(8, 512))));
        assert!(matches!(passwords.hash(&"x".repeat(513)).await, Err(Error::PasswordLength(..))));
    }

    #[tokio::test]
    async fn an_unknown_person_costs_the_same_work() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        let _ = passwords.verify("warm up", None).await;
        let time = async |stored: Option<&PasswordHash>| {
            let started = std::time::Instant::now();
            for _ in 0..5 {
                let _ = passwords.verify("wrong password", stored).await;
            }
            started.elapsed()
        };
        let (known, unknown) = (time(Some(&hash)).await, time(None).await);
        // The work is equal by construction; the bound is wide because the machine is shared.
        assert!(unknown * 4 > known && known * 4 > unknown, "known {known:?}, unknown {unknown:?}");
    }
}
