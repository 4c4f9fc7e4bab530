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
/// Rows are kept this long after their end, then forgotten.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    ResetPassword,
    VerifyEmail,
    /// Good for nothing: remembers that its owner was told, so that nobody's mailbox is filled by others.
    Notice,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::Notice => "notice",
        }
    }

    const fn ttl(self) -> TimeDelta {
        match self {
            Self::ResetPassword => TimeDelta::hours(1),
            Self::VerifyEmail => TimeDelta::hours(24),
            Self::Notice => TimeDelta::zero(),
        }
    }
}

/// Whether somebody got one so recently that there shall be no other yet.
pub(super) async fn is_recent(db: &impl ConnectionTrait, user: UserId, purpose: Purpose, now: DateTime<Utc>) -> Result<bool, Error> {
    let last = store::last_made_at(db, user, purpose.name()).await?;
    Ok(last.is_some_and(|last| now - last < COOL_DOWN))
}

/// Makes a token and when it ends; those made before for the same purpose are of no use any more.
pub(super) async fn issue(
    txn: &impl ConnectionTrait,
    user: UserId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<(String, DateTime<Utc>), Error> {
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let end = now + purpose.ttl();
    store::update_all_used(txn, user, purpose.name(), now).await?;
    store::delete_expired(txn, user, now - KEPT).await?;
    store::insert(txn, user, purpose.name(), sha256_hex(&token), now, end).await?;
    Ok((token, end))
}

/// Makes the tokens of somebody for a purpose useless, as part of the caller's transaction.
pub(super) async fn withdraw(txn: &impl ConnectionTrait, user: UserId, purpose: Purpose, now: DateTime<Utc>) -> Result<(), Error> {
    store::update_all_used(txn, user, purpose.name(), now).await?;
    Ok(())
}

/// Whose token this is, without using it up.
pub(super) async fn owner(db: &impl ConnectionTrait, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<UserId, Error> {
    store::find_open(db, purpose.name(), &sha256_hex(token), now).await?.ok_or(Error::BadToken)
}

/// Uses a token up.
pub(super) async fn consume(txn: &impl ConnectionTrait, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<(), Error> {
    if store::update_used(txn, purpose.name(), &sha256_hex(token), now).await? { Ok(()) } else { Err(Error::BadToken) }
}
