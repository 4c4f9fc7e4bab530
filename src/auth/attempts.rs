//! Guessing made slow: failed sign-ins are counted for each account and each address, whether or not there is such an account.
//!
//! After some free failures each further attempt has to wait, twice as long as the one before; after more, the account or the
//! address is locked for a quarter of an hour. Who has to wait is answered without any hashing. An attempt counts as failed from
//! its beginning and is forgiven when it succeeds: many at once get no more guesses than one after another.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::Error;
use super::secret::sha256_hex;
use super::store::attempts as store;
use crate::common::clock::SharedClock;
use crate::config;
use crate::infra::db::Database;

/// The longest pause between two attempts, and how long a lock lasts.
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// A failure is forgotten after this time.
const MEMORY: TimeDelta = TimeDelta::days(1);
/// How often a process takes out what is forgotten.
const SWEEP: TimeDelta = TimeDelta::minutes(10);

/// Failures that are free, and that lead to a lock.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub free: u32,
    pub lock: u32,
}

/// The limits of an account and of an address.
#[derive(Debug, Clone, Copy)]
pub struct LoginLimits {
    pub account: Limit,
    pub ip: Limit,
}

impl LoginLimits {
    /// As configured.
    #[must_use]
    pub fn configured(auth: &config::Auth) -> Self {
        Self {
            account: Limit { free: auth.login_free_failures, lock: auth.login_lock_failures },
            ip: Limit { free: auth.login_ip_free_failures, lock: auth.login_ip_lock_failures },
        }
    }
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self { account: Limit { free: 5, lock: 20 }, ip: Limit { free: 20, lock: 100 } }
    }
}

/// Counts failed sign-ins; a clone shares everything.
#[derive(Clone)]
pub struct Attempts {
    db: Database,
    clock: SharedClock,
    limits: LoginLimits,
    /// Second of the last sweep.
    swept: Arc<AtomicI64>,
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// An attempt that may be made. It counts as failed until it is forgiven.
#[derive(Debug)]
pub(super) struct Admission {
    account: String,
    ip: Option<String>,
    before: Option<store::Attempts>,
    failures: u32,
}

impl Attempts {
    /// Failures kept in `db`.
    pub fn new(db: Database, clock: SharedClock, limits: LoginLimits) -> Self {
        Self { db, clock, limits, swept: Arc::default() }
    }

    /// Lets somebody try to be `account` (an e-mail address as it was typed).
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] with the seconds to wait.
    pub(super) async fn admit(&self, account: &str, ip: Option<IpAddr>) -> Result<Admission, Error> {
        let now = self.clock.now();
        let (account, ip) = (account_subject(account), ip.map(ip_subject));
        let before = store::find(self.db.conn(), &account).await?.filter(|row| row.last_failure_at >= now - MEMORY);
        let mut wait = before.as_ref().map_or(0, |row| pause(row, self.limits.account, now));
        if let Some(ip) = &ip
            && let Some(row) = store::find(self.db.conn(), ip).await?
        {
            wait = wait.max(pause(&row, self.limits.ip, now));
        }
        if wait > 0 {
            return Err(Error::TooManyAttempts(wait));
        }
        let failures = positive(store::count(self.db.writer(), &account, now, now - MEMORY).await?);
        let admission = Admission { account, ip, before, failures };
        let expected = admission.before.as_ref().map_or(0, |row| positive(row.failures)) + 1;
        // Somebody else was admitted meanwhile, and the free failures are used up: one of the two has to wait.
        if failures > expected && failures > self.limits.account.free {
            self.forgive(&admission).await?;
            return Err(Error::TooManyAttempts(1));
        }
        Ok(admission)
    }

    /// The attempt has not failed: it was right, or was not looked at.
    pub(super) async fn forgive(&self, admission: &Admission) -> Result<(), Error> {
        Ok(store::uncount(self.db.writer(), &admission.account, admission.before.as_ref()).await?)
    }

    /// The attempt has failed. Returns the end of the lock where one begins with it.
    pub(super) async fn fail(&self, txn: &impl ConnectionTrait, admission: &Admission) -> Result<Option<DateTime<Utc>>, Error> {
        let now = self.clock.now();
        let until = now + LONGEST;
        if let Some(ip) = &admission.ip {
            let failures = positive(store::count(txn, ip, now, now - MEMORY).await?);
            if failures >= self.limits.ip.lock {
                store::update_locked(txn, ip, until).await?;
            }
        }
        let lock = self.limits.account.lock;
        if admission.failures >= lock {
            store::update_locked(txn, &admission.account, until).await?;
        }
        let last = self.swept.load(Ordering::Relaxed);
        if now.timestamp() >= last.saturating_add(SWEEP.num_seconds())
            && self.swept.compare_exchange(last, now.timestamp(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            store::delete_before(txn, now - MEMORY).await?;
        }
        // Each failure beyond the limit locks anew; the owner is told of the first of each row, not of all.
        Ok(admission.failures.is_multiple_of(lock).then_some(until))
    }

    /// Forgets the failures of an account, as part of the caller's transaction: its owner has shown up, or an administrator says so.
    pub async fn clear(&self, txn: &impl ConnectionTrait, account: &str) -> Result<(), Error> {
        Ok(store::delete(txn, &account_subject(account)).await?)
    }
}

/// Seconds to wait before the next attempt.
fn pause(row: &store::Attempts, limit: Limit, now: DateTime<Utc>) -> u32 {
    if row.last_failure_at < now - MEMORY {
        return 0;
    }
    let over = positive(row.failures).checked_sub(limit.free);
    // 2^10 s are more than the longest pause.
    let seconds = over.map_or(0, |over| 1_i64 << over.min(10)).min(LONGEST.num_seconds());
    let end = row.last_failure_at + TimeDelta::seconds(seconds);
    let end = row.locked_until.map_or(end, |locked| locked.max(end));
    let left = (end - now).num_milliseconds();
    u32::try_from(left.max(0).div_euclid(1000) + i64::from(left.max(0) % 1000 > 0)).unwrap_or(u32::MAX)
}

fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// `login_attempts.subject` of an account: nobody's address can be read there.
#[must_use]
pub fn account_subject(email: &str) -> String {
    format!("a:{}", sha256_hex(&email.trim().to_lowercase()))
}

/// The same of an address; one household or machine has a whole /64 of IPv6.
fn ip_subject(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("i:{ip}"),
        IpAddr::V6(ip) => format!("i:{}/64", Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let limit = LoginLimits::default().account;
        let row = |failures: i32| store::Attempts { subject: String::new(), failures, last_failure_at: now, locked_until: None };
        let pauses: Vec<u32> = (3..18).map(|failures| pause(&row(failures), limit, now)).collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(pause(&row(i32::MAX), limit, now), 900);
        assert_eq!(pause(&row(8), limit, now + TimeDelta::milliseconds(7_001)), 1, "a started second is a second");
        assert_eq!(pause(&row(8), limit, now + TimeDelta::seconds(8)), 0);
        let locked = store::Attempts { locked_until: Some(now + TimeDelta::seconds(60)), ..row(1) };
        assert_eq!(pause(&locked, limit, now), 60);
        assert_eq!(pause(&locked, limit, now + TimeDelta::days(2)), 0);
    }

    #[test]
    fn addresses_are_counted_by_household() {
        let subject = |text: &str| ip_subject(text.parse().unwrap());
        assert_eq!(subject("203.0.113.7"), "i:203.0.113.7");
        assert_eq!(subject("::ffff:203.0.113.7"), "i:203.0.113.7");
        assert_eq!(subject("2001:db8:1:2:3:4:5:6"), "i:2001:db8:1:2::/64");
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::1"));
        assert_eq!(account_subject(" Ada@Example.com "), account_subject("ada@example.com"));
        assert!(account_subject("ada@example.com").len() <= 80);
    }
}
