//! Staying signed in, signing out, and which devices are signed in. (How one gets in is in `sign_in`.)

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::basis::Basis;
use super::cache::{Kept, RevocableCache};
use super::revocation::{Revocations, Revoked};
use super::secret::sha256_hex;
use super::store::sessions::{self as store, Place, Rotation};
use super::token::{TokenSettings, Tokens};
use super::{Error, SecondFactors};
use crate::audit::{By, Event, Outcome};
use crate::common::id::{SessionId, UserId};
use crate::common::origin::Origin;
use crate::infra::db;
use crate::user::{User, UserView};

/// How long a replaced refresh token still yields its successor: two tabs that refresh at once, an answer lost on the way.
const GRACE: TimeDelta = TimeDelta::seconds(10);
/// How long the state of a session is kept in memory; a revocation takes it out at once.
const KEEP_OPEN: Duration = Duration::from_secs(30);
/// The same for one that has ended.
const KEEP_ENDED: Duration = Duration::from_secs(5);
const CACHED_SESSIONS: u64 = 20_000;
/// How often the times at which sessions were seen last are written.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// Where somebody calls from; kept with the session for its owner to recognise it.
pub type Device = Origin;

/// Somebody who is signed in, as handlers see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserContext {
    pub user_id: UserId,
    pub session_id: SessionId,
    /// Platform administrator.
    pub is_admin: bool,
}

/// What a sign-in or a refresh yields.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub access_token: String,
    /// Seconds that the access token is valid.
    pub expires_in: u64,
    pub refresh_token: String,
    /// How long the refresh token is valid.
    pub refresh_ttl: Duration,
    pub user: UserView,
}

/// A device that somebody is signed in on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionView {
    #[schema(value_type = String)]
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The sessions of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Sessions(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub basis: Basis,
    pub second_factors: SecondFactors,
    revocations: Revocations,
    pub tokens: Tokens,
    /// Who holds a session; none once it ended.
    open: RevocableCache<SessionId, Option<UserContext>>,
    /// Sessions seen since the last time these were written.
    seen: Mutex<HashMap<SessionId, DateTime<Utc>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions kept where `basis` says.
    pub fn new(basis: Basis, second_factors: SecondFactors, revocations: Revocations, settings: &TokenSettings) -> Self {
        let (tokens, open) = (Tokens::new(settings), RevocableCache::new(CACHED_SESSIONS));
        Self(Arc::new(Inner { basis, second_factors, revocations, tokens, open, seen: Mutex::default() }))
    }

    /// Opens a session for somebody whose identity is beyond doubt, as part of the caller's transaction.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`] when the password was changed or the account suspended since `user` was read: a sign-in that
    /// had to wait must not outlive what has ended all others.
    pub(super) async fn open(&self, txn: &impl ConnectionTrait, user: &User, origin: &Origin) -> Result<SignedIn, Error> {
        let inner = &*self.0;
        let (session, now) = (SessionId::fresh(), inner.basis.clock.now());
        let refresh = inner.tokens.first_refresh(session);
        store::insert(txn, session, user.id, sha256_hex(&refresh), origin.clone().into(), now, inner.refresh_end(now)).await?;
        // Writes to the row first, so that whoever changes it meanwhile comes before or after, not in between.
        inner.basis.users.signed_in(txn, user.id).await?;
        let now_stored = inner.basis.users.find_in(txn, user.id).await?;
        if now_stored.is_none_or(|stored| !stored.active || stored.password_hash != user.password_hash) {
            return Err(Error::WrongCredentials);
        }
        let event = Event::new("user.sign_in", "user", user.id).named(&user.email);
        inner.basis.audit.record(txn, &By::user(user.id, origin.clone()), event).await?;
        tracing::info!(user.id = %user.id, session.id = %session, "signed in");
        inner.answer(user, session, refresh, now)
    }

    /// Exchanges a refresh token for its successor and a new access token.
    ///
    /// A token that was replaced not longer than ten seconds ago yields the same successor again; one that was replaced earlier
    /// is in the wrong hands (its thief's, or its owner's after the thief used it), so the whole session ends.
    ///
    /// # Errors
    /// [`Error::RefreshExpired`] in every case in which one has to sign in again.
    pub async fn refresh(&self, token: &str, device: Device) -> Result<SignedIn, Error> {
        let inner = &*self.0;
        let id = inner.tokens.read_refresh(token).ok_or(Error::RefreshExpired)?;
        let presented = sha256_hex(token);
        // Twice at most: once as the first to present the token, and once more when somebody else was faster.
        for _ in 0..2 {
            // From the writer: a replica or a reader's older snapshot must not decide about theft.
            let session = store::find_open(inner.basis.db.writer(), id).await?.ok_or(Error::RefreshExpired)?;
            let now = inner.basis.clock.now();
            if session.expires_at <= now {
                return Err(Error::RefreshExpired);
            }
            let Some(user) = inner.basis.users.find(session.user_id).await?.filter(|user| user.active) else {
                self.end(id, "user_inactive").await?;
                return Err(Error::RefreshExpired);
            };
            if presented == session.refresh_hash {
                let salt = hex::encode(rand::random::<[u8; 32]>());
                let successor = inner.tokens.successor(id, token, &salt);
                let rotation = Rotation {
                    from: presented.clone(),
                    to: sha256_hex(&successor),
                    salt,
                    place: device.clone().into(),
                    now,
                    expires_at: inner.refresh_end(now),
                };
                if store::update_rotation(inner.basis.db.writer(), id, rotation).await? {
                    return inner.answer(&user, id, successor, now);
                }
                continue;
            }
            let previous = session.previous_hash.as_deref() == Some(presented.as_str());
            let recent = session.rotated_at.is_some_and(|rotated| now - rotated <= GRACE);
            if let Some(salt) = session.rotation_salt.filter(|_| previous && recent) {
                let successor = inner.tokens.successor(id, token, &salt);
                if sha256_hex(&successor) == session.refresh_hash {
                    return inner.answer(&user, id, successor, now);
                }
            }
            tracing::warn!(user.id = %user.id, session.id = %id, "a refresh token was used again after its replacement; the session is ended");
            self.end(id, "refresh_reuse").await?;
            let event = Event::new("session.reuse", "session", id).named(&user.email).ended(Outcome::Denied);
            inner.basis.audit.noted(&By::user(user.id, device), event).await?;
            return Err(Error::RefreshExpired);
        }
        Err(Error::RefreshExpired)
    }

    /// The devices that somebody is signed in on, the one used last first.
    pub async fn list(&self, caller: &UserContext) -> Result<Vec<SessionView>, Error> {
        let basis = &self.0.basis;
        let seen = self.0.seen().clone();
        let rows = store::list_open(basis.db.conn(), caller.user_id, basis.clock.now()).await?;
        let mut views: Vec<_> = rows
            .into_iter()
            .map(|row| SessionView {
                id: row.id,
                current: row.id == caller.session_id,
                ip_address: row.ip_address,
                user_agent: row.user_agent,
                created_at: row.created_at,
                last_seen_at: seen.get(&row.id).map_or(row.last_seen_at, |seen| row.last_seen_at.max(*seen)),
                expires_at: row.expires_at,
            })
            .collect();
        views.sort_by_key(|view| (std::cmp::Reverse(view.last_seen_at), std::cmp::Reverse(view.id)));
        Ok(views)
    }

    /// Ends the caller's own session: its refresh token at once, its access tokens at once here and as soon as the other processes
    /// hear of it.
    pub async fn logout(&self, caller: &UserContext, origin: Origin) -> Result<(), Error> {
        self.end_one(caller, caller.session_id, ("logout", "user.sign_out"), origin).await.map(drop)
    }

    /// Ends one session of the caller's.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], also for sessions of others.
    pub async fn revoke(&self, caller: &UserContext, session: SessionId, origin: Origin) -> Result<(), Error> {
        let ended = self.end_one(caller, session, ("revoked", "session.revoke"), origin).await?;
        if ended { Ok(()) } else { Err(Error::SessionNotFound) }
    }

    /// Ends all sessions of the caller's, or all but the one that asks; returns how many.
    pub async fn end_everywhere(&self, caller: &UserContext, keep_this: bool, origin: Origin) -> Result<u64, Error> {
        let (reason, action) = if keep_this { ("revoked", "session.revoke") } else { ("logout", "user.sign_out") };
        let basis = &self.0.basis;
        let txn = basis.db.begin().await?;
        let kept = keep_this.then_some(caller.session_id);
        let ended = self.end_others(&txn, caller.user_id, kept, reason).await?;
        let event = Event::new(action, "user", caller.user_id).change(None, serde_json::json!({"sessions": ended}));
        basis.audit.record(&txn, &By::user(caller.user_id, origin), event).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.forget_user(caller.user_id);
        Ok(ended)
    }

    /// Ends all sessions of somebody but `kept`, as part of the caller's transaction. Call [`Sessions::forget_user`] once it is
    /// committed.
    pub(super) async fn end_others(
        &self,
        txn: &impl ConnectionTrait,
        user: UserId,
        kept: Option<SessionId>,
        reason: &str,
    ) -> Result<u64, Error> {
        Ok(store::update_all_ended(txn, user, kept, reason, self.0.basis.clock.now()).await?)
    }

    /// Ends a session of the caller's, with its line in the log; false when it is none of theirs, or has ended.
    async fn end_one(
        &self,
        caller: &UserContext,
        session: SessionId,
        (reason, action): (&str, &'static str),
        origin: Origin,
    ) -> Result<bool, Error> {
        let basis = &self.0.basis;
        let txn = basis.db.begin().await?;
        let ended = store::update_ended(&txn, session, Some(caller.user_id), reason, basis.clock.now()).await?;
        if ended {
            basis.audit.record(&txn, &By::user(caller.user_id, origin), Event::new(action, "session", session)).await?;
        }
        txn.commit().await.map_err(db::Error::from)?;
        if ended {
            self.0.open.invalidate(&session).await;
            self.0.revocations.announce(&Revoked::Session(session));
        }
        Ok(ended)
    }

    /// Ends every session of somebody, as part of the caller's transaction. Call [`Sessions::forget_user`] once it is committed.
    pub async fn end_all(&self, txn: &impl ConnectionTrait, user: UserId, reason: &str) -> Result<u64, Error> {
        self.end_others(txn, user, None, reason).await
    }

    /// Makes the end of somebody's sessions known, here and to the other processes.
    pub fn forget_user(&self, user: UserId) {
        self.0.open.invalidate_all();
        self.0.revocations.user(user);
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// [`Error::InvalidAccessToken`] for one that is not ours, has expired, or whose session has ended.
    pub async fn authenticate_access(&self, token: &str) -> Result<UserContext, Error> {
        let inner = &*self.0;
        let (user, session) = inner.tokens.read_access(token, inner.basis.clock.now()).ok_or(Error::InvalidAccessToken)?;
        let context = inner.open.get_or_load(session, || inner.load(session)).await.map_err(Error::Shared)?;
        let context = context.filter(|context| context.user_id == user).ok_or(Error::InvalidAccessToken)?;
        inner.seen().insert(session, inner.basis.clock.now());
        Ok(context)
    }

    /// Writes down when sessions were seen last, until `stop`; the last time then.
    pub async fn keep_last_seen(&self, stop: CancellationToken) {
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(SEEN_EVERY)).await.is_none();
            if let Err(error) = self.flush_last_seen().await {
                tracing::warn!("the times at which sessions were seen last are not written yet: {}", crate::error::chain(&error));
            }
            if stopped {
                return;
            }
        }
    }

    /// Writes down when sessions were seen last.
    pub async fn flush_last_seen(&self) -> Result<(), Error> {
        let batch = std::mem::take(&mut *self.0.seen());
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.0.write_seen(&batch).await;
        if written.is_err() {
            let mut seen = self.0.seen();
            for (id, at) in batch {
                seen.entry(id).or_insert(at);
            }
        }
        written
    }

    /// Takes in what another process revoked.
    pub async fn apply(&self, revoked: &Revoked) {
        match revoked {
            Revoked::Session(session) => self.0.open.invalidate(session).await,
            // Sessions are not indexed by person, and this is rare.
            Revoked::User(_) | Revoked::Everything => self.0.open.invalidate_all(),
            Revoked::ApiKey(_) | Revoked::KeysOf(_) => {}
        }
    }

    async fn end(&self, session: SessionId, reason: &str) -> Result<(), Error> {
        store::update_ended(self.0.basis.db.writer(), session, None, reason, self.0.basis.clock.now()).await?;
        self.0.open.invalidate(&session).await;
        self.0.revocations.announce(&Revoked::Session(session));
        Ok(())
    }
}

/// Ends every session of somebody, as part of the caller's transaction: for operators, who have no [`Sessions`]. Announce it with
/// [`Revocations::user`] once it is committed.
pub async fn end_sessions(txn: &impl ConnectionTrait, user: UserId, reason: &str, now: DateTime<Utc>) -> Result<u64, Error> {
    Ok(store::update_all_ended(txn, user, None, reason, now).await?)
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, HashMap<SessionId, DateTime<Utc>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_seen(&self, batch: &HashMap<SessionId, DateTime<Utc>>) -> Result<(), Error> {
        // In the order of ids, so that two servers that flush at once do not deadlock.
        let mut seen: Vec<_> = batch.iter().collect();
        seen.sort_unstable();
        let txn = self.basis.db.begin().await?;
        for (id, at) in seen {
            store::update_last_seen(&txn, *id, *at).await?;
        }
        Ok(txn.commit().await.map_err(db::Error::from)?)
    }

    fn refresh_end(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::from_std(self.tokens.refresh_ttl).unwrap_or_default()
    }

    fn answer(&self, user: &User, session: SessionId, refresh_token: String, now: DateTime<Utc>) -> Result<SignedIn, Error> {
        Ok(SignedIn {
            access_token: self.tokens.access(user.id, session, now)?,
            expires_in: self.tokens.access_seconds(),
            refresh_token,
            refresh_ttl: self.tokens.refresh_ttl,
            user: user.into(),
        })
    }

    async fn load(&self, id: SessionId) -> Result<Kept<Option<UserContext>>, Error> {
        let ended = Kept { value: None, keep: KEEP_ENDED };
        let Some(session) = store::find_open(self.basis.db.conn(), id).await? else { return Ok(ended) };
        if session.expires_at <= self.basis.clock.now() {
            return Ok(ended);
        }
        let user = self.basis.users.find(session.user_id).await?.filter(|user| user.active);
        Ok(user.map_or(ended, |user| Kept {
            value: Some(UserContext { user_id: user.id, session_id: id, is_admin: user.is_admin }),
            keep: KEEP_OPEN,
        }))
    }
}

impl From<Origin> for Place {
    fn from(device: Origin) -> Self {
        Self {
            ip_address: device.ip.map(|ip| ip.to_string()),
            user_agent: device.user_agent.map(|agent| agent.chars().filter(|character| !character.is_control()).take(512).collect()),
        }
    }
}
