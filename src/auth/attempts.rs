//! Guessing made slow: failed sign-ins are counted, whether or not there is such an account.
//!
//! A password is counted thrice: for the account at one address, for the address, and loosely for the account from everywhere. So
//! a stranger who fails on purpose holds up himself, and not the owner elsewhere; an address from which the owner has signed in is
//! never held up by what others do. A code of the second factor, and a password that is shown again during a session, have
//! counters of their own: only who is half in can reach them.
//!
//! After some free failures each further attempt has to wait, twice as long as the one before; after more there is a lock of a
//! quarter of an hour. Who has to wait is answered without any hashing. Each counter is a leaky bucket: one failure is forgotten at
//! a time, so that many people behind one address do not add up for ever. An attempt counts as failed from its beginning and is
//! forgiven when it succeeds: many at once get no more guesses than one after another.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::Error;
use super::secret::sha256_hex;
use super::store::attempts as store;
use crate::common::clock::SharedClock;
use crate::common::id::UserId;
use crate::config;
use crate::infra::db::Database;

/// The longest pause between two attempts, and how long a lock lasts.
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// The longest pause that failures elsewhere cause.
const LONGEST_ELSEWHERE: TimeDelta = TimeDelta::minutes(1);
/// How often one failure of an account is forgotten.
const ACCOUNT_LEAK: TimeDelta = TimeDelta::hours(2);
/// The same of an address: twenty an hour are free with the defaults.
const ADDRESS_LEAK: TimeDelta = TimeDelta::minutes(3);
/// How much more an account may fail from everywhere than from one address.
const ELSEWHERE: u32 = 10;
/// How long an address is known from which somebody has signed in.
const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// How often a process takes out what is forgotten.
const SWEEP: TimeDelta = TimeDelta::minutes(10);

/// Failures that are free, and that lead to a lock.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub free: u32,
    pub lock: u32,
}

/// The limits of an account at one address, and of an address.
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

/// What somebody tries to show.
#[derive(Debug, Clone, Copy)]
pub(super) enum Guess<'a> {
    /// The password of an account: an e-mail address as it was typed.
    Password(&'a str),
    /// A code of the second factor, after the password.
    Code(UserId),
    /// The password, or a code, once more during a session.
    Confirmation(UserId),
}

/// One of the things that are counted.
#[derive(Debug, Clone)]
struct Counter {
    subject: String,
    limit: Limit,
    leak: TimeDelta,
    longest: TimeDelta,
}

impl Counter {
    /// Failures that are not forgotten yet.
    fn level(&self, drained_ms: i64, now: DateTime<Utc>) -> u32 {
        let left = drained_ms.saturating_sub(now.timestamp_millis()).max(0);
        let leak = self.leak.num_milliseconds().max(1);
        u32::try_from(left / leak + i64::from(left % leak > 0)).unwrap_or(u32::MAX)
    }

    /// Seconds to wait before the next attempt.
    fn wait(&self, row: &store::Attempts, now: DateTime<Utc>) -> u32 {
        let over = self.level(row.drained_ms, now).checked_sub(self.limit.free);
        // 2^10 s are more than the longest pause.
        let seconds = over.map_or(0, |over| 1_i64 << over.min(10)).min(self.longest.num_seconds());
        let end = row.last_failure_at.map(|last| last + TimeDelta::seconds(seconds));
        let end = row.locked_until.into_iter().chain(end).max().unwrap_or(now);
        let left = (end - now).num_milliseconds().max(0);
        u32::try_from(left / 1000 + i64::from(left % 1000 > 0)).unwrap_or(u32::MAX)
    }

    async fn count(&self, db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u32, Error> {
        let drained = store::count(db, &self.subject, now.timestamp_millis(), self.leak.num_milliseconds()).await?;
        Ok(self.level(drained, now))
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
    /// Counted already.
    nearest: Counter,
    failures: u32,
    /// Counted when it fails.
    others: Vec<Counter>,
}

impl Attempts {
    /// Failures kept in `db`.
    pub fn new(db: Database, clock: SharedClock, limits: LoginLimits) -> Self {
        Self { db, clock, limits, swept: Arc::default() }
    }

    /// What a guess is counted by, the nearest first.
    fn counters(&self, guess: Guess<'_>, ip: Option<IpAddr>) -> (Counter, Vec<Counter>) {
        let account = |subject| Counter { subject, limit: self.limits.account, leak: ACCOUNT_LEAK, longest: LONGEST };
        let address = ip.map(|ip| Counter { subject: ip_subject(ip), limit: self.limits.ip, leak: ADDRESS_LEAK, longest: LONGEST });
        match guess {
            Guess::Password(email) => {
                let Limit { free, lock } = self.limits.account;
                let elsewhere = Counter {
                    subject: account_subject(email),
                    limit: Limit { free: free.saturating_mul(ELSEWHERE), lock: lock.saturating_mul(ELSEWHERE) },
                    leak: ACCOUNT_LEAK / ELSEWHERE.cast_signed(),
                    longest: LONGEST_ELSEWHERE,
                };
                (account(at_subject(email, ip)), address.into_iter().chain([elsewhere]).collect())
            }
            Guess::Code(user) => (account(format!("f:{user}")), address.into_iter().collect()),
            Guess::Confirmation(user) => (account(format!("c:{user}")), address.into_iter().collect()),
        }
    }

    /// Lets somebody try.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] with the seconds to wait.
    pub(super) async fn admit(&self, guess: Guess<'_>, ip: Option<IpAddr>) -> Result<Admission, Error> {
        let now = self.clock.now();
        let (nearest, others) = self.counters(guess, ip);
        let known = if let Guess::Password(email) = guess { known_subject(email, ip) } else { String::new() };
        let all = [&nearest].into_iter().chain(&others);
        let subjects: Vec<&str> = all.clone().map(|counter| counter.subject.as_str()).chain([known.as_str()]).collect();
        let rows = store::list(self.db.conn(), &subjects).await?;
        let rows: HashMap<&str, &store::Attempts> = rows.iter().map(|row| (row.subject.as_str(), row)).collect();
        let is_known = rows.get(known.as_str()).is_some_and(|row| row.drained_ms > now.timestamp_millis());
        let counts = |counter: &&Counter| !(is_known && counter.subject.starts_with(ACCOUNT));
        let waits = all.filter(counts).filter_map(|counter| rows.get(counter.subject.as_str()).map(|row| counter.wait(row, now)));
        let wait = waits.max().unwrap_or(0);
        if wait > 0 {
            return Err(Error::TooManyAttempts(wait));
        }
        let expected = rows.get(nearest.subject.as_str()).map_or(0, |row| nearest.level(row.drained_ms, now)) + 1;
        let failures = nearest.count(self.db.writer(), now).await?;
        let admission = Admission { nearest, failures, others };
        // Somebody else was admitted meanwhile, and the free failures are used up: one of the two has to wait.
        if failures > expected && failures > self.limits.account.free {
            self.forgive(&admission).await?;
            return Err(Error::TooManyAttempts(1));
        }
        Ok(admission)
    }

    /// The attempt has not failed: it was right, or was not looked at.
    pub(super) async fn forgive(&self, admission: &Admission) -> Result<(), Error> {
        let Counter { subject, leak, .. } = &admission.nearest;
        Ok(store::uncount(self.db.writer(), subject, leak.num_milliseconds(), self.clock.now().timestamp_millis()).await?)
    }

    /// The attempt has failed. Returns the end of the lock where one of the account begins with it.
    pub(super) async fn fail(&self, txn: &impl ConnectionTrait, admission: &Admission) -> Result<Option<DateTime<Utc>>, Error> {
        let now = self.clock.now();
        let until = now + LONGEST;
        let lock = |failures: u32, counter: &Counter| (failures >= counter.limit.lock).then_some(until);
        let Admission { nearest, failures, others } = admission;
        store::update_failed(txn, &nearest.subject, now, lock(*failures, nearest)).await?;
        // Each failure beyond the limit locks anew; the owner is told of the first of each row, not of all.
        let mut told = failures.is_multiple_of(nearest.limit.lock);
        for counter in others {
            let failures = counter.count(txn, now).await?;
            store::update_failed(txn, &counter.subject, now, lock(failures, counter)).await?;
            told |= counter.subject.starts_with(ACCOUNT) && failures.is_multiple_of(counter.limit.lock);
        }
        let last = self.swept.load(Ordering::Relaxed);
        if now.timestamp() >= last.saturating_add(SWEEP.num_seconds())
            && self.swept.compare_exchange(last, now.timestamp(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            store::delete_before(txn, now).await?;
        }
        Ok(told.then_some(until))
    }

    /// Somebody has signed in, as part of the caller's transaction: their failures here are forgotten, and the address is known.
    pub(super) async fn succeeded(&self, txn: &impl ConnectionTrait, user: UserId, email: &str, ip: Option<IpAddr>) -> Result<(), Error> {
        let passed = [at_subject(email, ip), account_subject(email), format!("f:{user}"), format!("c:{user}")];
        store::delete(txn, &passed).await?;
        if ip.is_some() {
            let until = self.clock.now() + KNOWN_FOR;
            store::upsert(txn, &known_subject(email, ip), until.timestamp_millis()).await?;
        }
        Ok(())
    }

    /// Forgets all failures of an account, as part of the caller's transaction: its owner has shown up, or an administrator says so.
    pub async fn clear(&self, txn: &impl ConnectionTrait, user: UserId, email: &str) -> Result<(), Error> {
        clear(txn, user, email).await
    }
}

/// The same without a service.
///
/// # Errors
/// When the database does not answer.
pub async fn clear(txn: &impl ConnectionTrait, user: UserId, email: &str) -> Result<(), Error> {
    store::delete_of_account(txn, &at_prefix(email)).await?;
    Ok(store::delete(txn, &[account_subject(email), format!("f:{user}"), format!("c:{user}")]).await?)
}

/// Before the hash of an account.
const ACCOUNT: &str = "a:";

/// Short enough that an address fits behind it, long enough that no two accounts meet.
fn hash(email: &str) -> String {
    sha256_hex(&email.trim().to_lowercase())[..32].to_owned()
}

/// `login_attempts.subject` of an account from everywhere: nobody's address can be read there.
#[must_use]
pub fn account_subject(email: &str) -> String {
    format!("{ACCOUNT}{}", hash(email))
}

/// What the subjects of an account at each address begin with.
#[must_use]
pub fn at_prefix(email: &str) -> String {
    format!("p:{}@", hash(email))
}

fn at_subject(email: &str, ip: Option<IpAddr>) -> String {
    format!("{}{}", at_prefix(email), ip.map_or_else(String::new, household))
}

/// The same for an address that is known.
fn known_subject(email: &str, ip: Option<IpAddr>) -> String {
    format!("k:{}@{}", hash(email), ip.map_or_else(String::new, household))
}

fn ip_subject(ip: IpAddr) -> String {
    format!("i:{}", household(ip))
}

/// One household or machine has a whole /64 of IPv6.
fn household(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{}/64", Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter() -> Counter {
        Counter { subject: String::new(), limit: LoginLimits::default().account, leak: ACCOUNT_LEAK, longest: LONGEST }
    }

    fn row(failures: i64, now: DateTime<Utc>) -> store::Attempts {
        let drained_ms = now.timestamp_millis() + failures * ACCOUNT_LEAK.num_milliseconds();
        store::Attempts { subject: String::new(), drained_ms, last_failure_at: Some(now), locked_until: None }
    }

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pauses: Vec<u32> = (3..18).map(|failures| counter().wait(&row(failures, now), now)).collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        let far = store::Attempts { drained_ms: i64::MAX, ..row(0, now) };
        assert_eq!(counter().wait(&far, now), 900);
        assert_eq!(counter().wait(&row(8, now), now + TimeDelta::milliseconds(7_001)), 1, "a started second is a second");
        assert_eq!(counter().wait(&row(8, now), now + TimeDelta::seconds(8)), 0);
        let locked = store::Attempts { locked_until: Some(now + TimeDelta::seconds(60)), ..row(1, now) };
        assert_eq!(counter().wait(&locked, now), 60);
        assert_eq!(counter().wait(&locked, now + TimeDelta::days(2)), 0);
        let in_flight = store::Attempts { last_failure_at: None, ..row(9, now) };
        assert_eq!(counter().wait(&in_flight, now), 0, "what is only looked at has not failed");
    }

    #[test]
    fn failures_are_forgotten_one_at_a_time() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let level = |hours: i64| counter().level(row(5, now).drained_ms, now + TimeDelta::hours(hours));
        assert_eq!([0, 1, 2, 3, 8, 10, 100].map(level), [5, 5, 4, 4, 1, 0, 0]);
    }

    #[test]
    fn addresses_are_counted_by_household() {
        let subject = |text: &str| ip_subject(text.parse().unwrap());
        assert_eq!(subject("203.0.113.7"), "i:203.0.113.7");
        assert_eq!(subject("::ffff:203.0.113.7"), "i:203.0.113.7");
        assert_eq!(subject("2001:db8:1:2:3:4:5:6"), "i:2001:db8:1:2::/64");
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::1"));
        assert_eq!(account_subject(" Ada@Example.com "), account_subject("ada@example.com"));
        let longest = at_subject("ada@example.com", Some("1111:2222:3333:4444::".parse().unwrap()));
        assert!(longest.len() <= 80, "{longest}");
    }
}
