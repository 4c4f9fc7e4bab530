//! Passwords: hashed and verified here and nowhere else.
//!
//! Argon2id takes tens of milliseconds and 19 MiB a time on purpose, so it runs on the blocking threads and only a few at once:
//! a flood of sign-ins can neither starve the requests nor eat the memory. Those who wait are bounded, too: whoever comes when
//! many wait already is told so at once, instead of after the patience of all.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use prometheus::IntGauge;
use tokio::sync::Semaphore;

use super::Error;
use crate::user::{Email, PasswordHash};

/// Fewest characters of a new password.
pub const SHORTEST: usize = 8;
/// Most characters; longer ones only cost time.
pub const LONGEST: usize = 512;
/// How long a sign-in waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many may wait at once.
const MOST_WAITING: usize = 64;
/// What too many people use, in lower case, one in each line.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Hashes and verifies passwords; a clone shares the bound.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    at_once: usize,
    load: Arc<Load>,
    params: Params,
    /// Verified against when there is no hash, so that an unknown person costs as much time as a known one.
    decoy: Arc<OnceLock<Option<PasswordHash>>>,
}

/// How much is being hashed.
#[derive(Debug, Default)]
struct Load {
    running: AtomicUsize,
    peak: AtomicUsize,
    begun: AtomicUsize,
    waiting: AtomicUsize,
    /// The same as metrics; not set where nobody looks.
    gauges: OnceLock<(IntGauge, IntGauge)>,
}

/// One that is counted in until it is dropped.
struct Counted {
    load: Arc<Load>,
    running: bool,
}

impl Counted {
    fn running(load: &Arc<Load>) -> Self {
        let now = load.running.fetch_add(1, Ordering::SeqCst) + 1;
        load.peak.fetch_max(now, Ordering::SeqCst);
        load.begun.fetch_add(1, Ordering::SeqCst);
        if let Some((running, _)) = load.gauges.get() {
            running.inc();
        }
        Self { load: Arc::clone(load), running: true }
    }

    /// None where enough wait already.
    fn waiting(load: &Arc<Load>) -> Option<Self> {
        // Counted before it is compared: of two that come at once, one finds the other's place taken.
        let counted = Self { load: Arc::clone(load), running: false };
        let before = load.waiting.fetch_add(1, Ordering::SeqCst);
        if let Some((_, waiting)) = load.gauges.get() {
            waiting.inc();
        }
        (before < MOST_WAITING).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let count = if self.running { &self.load.running } else { &self.load.waiting };
        count.fetch_sub(1, Ordering::SeqCst);
        if let Some((running, waiting)) = self.load.gauges.get() {
            if self.running { running.dec() } else { waiting.dec() }
        }
    }
}

impl Passwords {
    /// Argon2id with 19 MiB, 2 passes, 1 lane; on half of the cores at most, four at most: the others answer requests meanwhile.
    ///
    /// Source: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>.
    #[must_use]
    pub fn new() -> Self {
        Self::with_params(Params::default())
    }

    fn with_params(params: Params) -> Self {
        let at_once = (std::thread::available_parallelism().map_or(1, usize::from) / 2).clamp(1, 4);
        Self { turns: Arc::new(Semaphore::new(at_once)), at_once, load: Arc::default(), params, decoy: Arc::default() }
    }

    /// Hashes as cheaply as can be, for tests of what becomes of old hashes.
    #[cfg(test)]
    pub(super) fn cheap() -> Self {
        Self::with_params(Params::new(8, 1, 1, None).unwrap_or_default())
    }

    /// Shows on these gauges from now on how many hashes are being made, and how many wait for their turn.
    pub fn show_on(&self, running: IntGauge, waiting: IntGauge) {
        let _ = self.load.gauges.set((running, waiting));
    }

    /// How many hashes are made at the same time at most.
    #[must_use]
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// The most hashes that were ever made at the same time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.load.peak.load(Ordering::SeqCst)
    }

    /// How many hashes were ever begun.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.load.begun.load(Ordering::SeqCst)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Error::PasswordLength`], [`Error::CommonPassword`]
    pub async fn hash(&self, password: &str) -> Result<PasswordHash, Error> {
        if !(SHORTEST..=LONGEST).contains(&password.chars().count()) {
            return Err(Error::PasswordLength(SHORTEST, LONGEST));
        }
        if COMMON.contains(password.to_lowercase().as_str()) {
            return Err(Error::CommonPassword);
        }
        self.rehash(password).await
    }

    /// The hash of a new password of somebody whose address is known: that is no password either.
    ///
    /// # Errors
    /// As [`Passwords::hash`], and [`Error::PasswordIsAddress`]
    pub async fn hash_for(&self, email: &Email, password: &str) -> Result<PasswordHash, Error> {
        let plain = password.trim().to_lowercase();
        let local = email.as_str().split('@').next().unwrap_or_default();
        if plain == email.as_str() || plain == local {
            return Err(Error::PasswordIsAddress);
        }
        self.hash(password).await
    }

    /// The hash of a password that was good enough before: nobody is asked for another one because our rules have changed.
    pub(super) async fn rehash(&self, password: &str) -> Result<PasswordHash, Error> {
        let password = password.to_owned();
        self.run(move |argon2| hash(argon2, &password)).await?.ok_or_else(|| Error::Internal("a password could not be hashed".to_owned()))
    }

    /// Whether `stored` was made in another way than new ones are.
    #[must_use]
    pub fn is_outdated(&self, stored: &PasswordHash) -> bool {
        let (memory, passes, lanes) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        !stored.0.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
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
        let waiting = Counted::waiting(&self.load).ok_or(Error::Busy)?;
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await.map_err(|_| Error::Busy)?;
        let turn = turn.map_err(|closed| Error::Internal(closed.to_string()))?;
        drop(waiting);
        let running = Counted::running(&self.load);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let done = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, also when the caller has gone away.
            let _until_done = (running, turn);
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
    async fn what_everybody_uses_is_no_password() {
        let passwords = Passwords::new();
        let email: Email = "Ada.Lovelace@example.com".parse().unwrap();
        for common in ["password123", "PassWord123", "1q2w3e4r5t", "iloveyou"] {
            assert!(matches!(passwords.hash(common).await, Err(Error::CommonPassword)), "{common}");
            assert!(matches!(passwords.hash_for(&email, common).await, Err(Error::CommonPassword)), "{common}");
        }
        for own in ["ada.lovelace@example.com", "Ada.Lovelace", " ada.lovelace "] {
            assert!(matches!(passwords.hash_for(&email, own).await, Err(Error::PasswordIsAddress)), "{own}");
        }
        assert!(passwords.hash_for(&email, "ada.lovelace, countess").await.is_ok());
        assert!(COMMON.len() >= 1000 && COMMON.iter().all(|common| common.len() >= SHORTEST && common.to_lowercase() == **common));
    }

    #[tokio::test]
    async fn hashes_of_another_cost_are_told_apart() {
        let (now, before) = (Passwords::new(), Passwords::cheap());
        assert!(!now.is_outdated(&now.hash("correct horse").await.unwrap()));
        let old = before.hash("correct horse").await.unwrap();
        assert!(now.is_outdated(&old) && !before.is_outdated(&old));
        assert!(now.verify("correct horse", Some(&old)).await.unwrap(), "it is still good");
        assert!(now.is_outdated(&PasswordHash("$2b$12$something".to_owned())));
    }

    #[tokio::test]
    async fn a_flood_is_hashed_in_turns_and_its_rest_is_told_at_once() {
        let passwords = Passwords::new();
        let (running, waiting) = (IntGauge::new("r", "r").unwrap(), IntGauge::new("w", "w").unwrap());
        passwords.show_on(running.clone(), waiting.clone());
        let flood = (0..1_000).map(|_| passwords.verify("wrong password", None));
        let answers = futures_util::future::join_all(flood).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Busy))).count();
        let answered = answers.iter().filter(|answer| matches!(answer, Ok(false))).count();
        assert_eq!(refused + answered, 1_000);
        assert!(refused >= 1_000 - MOST_WAITING - 2 * passwords.at_once(), "{refused} were refused");
        assert!((1..=passwords.at_once()).contains(&passwords.peak()), "{} at once", passwords.peak());
        assert_eq!((running.get(), waiting.get()), (0, 0));
        assert!(passwords.verify("wrong password", None).await.is_ok(), "and it is over");
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
