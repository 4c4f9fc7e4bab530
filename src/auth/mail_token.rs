//! Tokens that are sent by mail: whoever has one reads the mail of the address. Each is good once, for a while, for one purpose.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::Error;
use super::secret::sha256_hex;
use super::store::user_tokens as store;
use crate::common::id::UserId;

/// No second mail of a kind goes out within this time.
const COOL_DOWN: TimeDelta = TimeDelta::seconds(60);
/// Most mails of a kind that others can cause in a day.
const MOST_A_DAY: u64 = 10;
/// Rows are kept this long after their end, then forgotten.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    ResetPassword,
    VerifyEmail,
    /// Good for nothing: remembers that its owner was told, so that nobody's mailbox is filled by others.
    Notice,
    /// The same of a lock.
    LockNotice,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::Notice => "notice",
            Self::LockNotice => "lock_notice",
        }
    }

    const fn ttl(self) -> TimeDelta {
        match self {
            Self::ResetPassword => TimeDelta::hours(1),
            Self::VerifyEmail => TimeDelta::hours(24),
            Self::Notice | Self::LockNotice => TimeDelta::zero(),
        }
    }
}

/// Whether somebody has got so many, or one so recently, that there shall be no other yet.
pub(super) async fn is_enough(db: &impl ConnectionTrait, user: UserId, purpose: Purpose, now: DateTime<Utc>) -> Result<bool, Error> {
    let recent = store::count_since(db, user, purpose.name(), now - COOL_DOWN).await?;
    Ok(recent > 0 || store::count_since(db, user, purpose.name(), now - TimeDelta::days(1)).await? >= MOST_A_DAY)
}

/// Makes a token and when it ends. Those made before stay good until one is used: else whoever asks for mails in somebody's name
/// would spoil each link before it is opened.
pub(super) async fn issue(
    txn: &impl ConnectionTrait,
    user: UserId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(String, DateTime<Utc>), Error> {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let end = now + purpose.ttl();
    store::delete_expired(txn, user, now - KEPT).await?;
    store::insert(txn, user, purpose.name(), sha256_hex(&token), now, end).await?;
    Ok((token, end))
}

/// Makes the tokens of somebody for a purpose useless, as part of the caller's transaction.
pub(super) async fn withdraw(txn: &impl ConnectionTrait, user: UserId, purpose: Purpose, now: DateTime<Utc>) -> Result<(), Error> {
    store::update_all_used(txn, user, purpose.name(), now).await?;
    Ok(())
}

/// Makes the links useless with which somebody could set a new password, as part of the caller's transaction: for operators.
///
/// # Errors
/// When the database does not answer.
pub async fn withdraw_resets(txn: &impl ConnectionTrait, user: UserId, now: DateTime<Utc>) -> Result<(), Error> {
    withdraw(txn, user, Purpose::ResetPassword, now).await
}

/// Whose token this is, without using it up.
pub(super) async fn owner(db: &impl ConnectionTrait, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<UserId, Error> {
    store::find_open(db, purpose.name(), &sha256_hex(token), now).await?.ok_or(Error::BadToken)
}

/// Uses a token of `user` up, and with it the others for the same purpose.
pub(super) async fn consume(
    txn: &impl ConnectionTrait,
    user: UserId,
    purpose: Purpose,
    token: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if !store::update_used(txn, purpose.name(), &sha256_hex(token), now).await? {
        return Err(Error::BadToken);
    }
    withdraw(txn, user, purpose, now).await
}
