//! Signing in, staying signed in, signing out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::cache::{Kept, RevocableCache};
use super::revocation::{Revocations, Revoked};
use super::secret::sha256_hex;
use super::store::sessions::{self as store, Place, Rotation};
use super::token::{TokenSettings, Tokens};
use super::{Error, Passwords};
use crate::common::clock::SharedClock;
use crate::common::id::{SessionId, UserId};
use crate::infra::db::{self, Database};
use crate::user::{Email, User, UserView, Users};

/// How long a replaced refresh token still yields its successor: two tabs that refresh at once, an answer lost on the way.
const GRACE: TimeDelta = TimeDelta::seconds(10);
/// How long the state of a session is kept in memory; a revocation takes it out at once.
const KEEP_OPEN: Duration = Duration::from_secs(30);
/// The same for one that has ended.
const KEEP_ENDED: Duration = Duration::from_secs(5);
const CACHED_SESSIONS: u64 = 20_000;

/// Where somebody calls from; kept with the session for its owner to recognise it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    pub ip: Option<std::net::IpAddr>,
    pub user_agent: Option<String>,
}

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

/// The sessions of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    db: Database,
    clock: SharedClock,
    users: Users,
    passwords: Passwords,
    revocations: Revocations,
    tokens: Tokens,
    /// Who holds a session; none once it ended.
    open: RevocableCache<SessionId, Option<UserContext>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions kept in `db`.
    pub fn new(
        db: Database,
        clock: SharedClock,
        users: Users,
        passwords: Passwords,
        revocations: Revocations,
        settings: &TokenSettings,
    ) -> Self {
        let tokens = Tokens::new(settings);
        Self(Arc::new(Inner { db, clock, users, passwords, revocations, tokens, open: RevocableCache::new(CACHED_SESSIONS) }))
    }

    /// Opens a session for whoever knows the password.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], the same for an unknown e-mail, a wrong password and a suspended person.
    pub async fn login(&self, email: &str, password: &str, device: Device) -> Result<SignedIn, Error> {
        let inner = &*self.0;
        let user = match email.parse::<Email>() {
            Ok(email) => inner.users.find_by_email(&email).await?,
            Err(_) => None,
        };
        // The work is done for nobody, too: the time taken must not tell who has an account.
        let hash = user.as_ref().and_then(|user| user.password_hash.as_ref());
        let right = inner.passwords.verify(password, hash).await?;
        let Some(user) = user.filter(|user| right && user.active) else { return Err(Error::WrongCredentials) };

        let (session, now) = (SessionId::fresh(), inner.clock.now());
        let refresh = inner.tokens.first_refresh(session);
        let txn = inner.db.begin().await?;
        store::insert(&txn, session, user.id, sha256_hex(&refresh), device.into(), now, inner.refresh_end(now)).await?;
        inner.users.signed_in(&txn, user.id).await?;
        txn.commit().await.map_err(db::Error::from)?;
        tracing::info!(user.id = %user.id, session.id = %session, "signed in");
        inner.answer(&user, session, refresh, now)
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
            let session = store::find_open(inner.db.writer(), id).await?.ok_or(Error::RefreshExpired)?;
            let now = inner.clock.now();
            if session.expires_at <= now {
                return Err(Error::RefreshExpired);
            }
            let Some(user) = inner.users.find(session.user_id).await?.filter(|user| user.active) else {
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
                if store::update_rotation(inner.db.writer(), id, rotation).await? {
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
            return Err(Error::RefreshExpired);
        }
        Err(Error::RefreshExpired)
    }

    /// Ends a session: its refresh token at once, its access tokens at once here and as soon as the other processes hear of it.
    pub async fn logout(&self, session: SessionId) -> Result<(), Error> {
        self.end(session, "logout").await
    }

    /// Ends every session of somebody, as part of the caller's transaction. Call [`Sessions::forget_user`] once it is committed.
    pub async fn end_all(&self, txn: &impl ConnectionTrait, user: UserId, reason: &str) -> Result<u64, Error> {
        Ok(store::update_all_ended(txn, user, reason, self.0.clock.now()).await?)
    }

    /// Makes the end of somebody's sessions known, here and to the other processes.
    pub fn forget_user(&self, user: UserId) {
        self.0.open.invalidate_all();
        self.0.revocations.announce(&Revoked::User(user));
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// [`Error::InvalidAccessToken`] for one that is not ours, has expired, or whose session has ended.
    pub async fn authenticate_access(&self, token: &str) -> Result<UserContext, Error> {
        let inner = &*self.0;
        let (user, session) = inner.tokens.read_access(token, inner.clock.now()).ok_or(Error::InvalidAccessToken)?;
        let context = inner.open.get_or_load(session, || inner.load(session)).await.map_err(Error::Shared)?;
        context.filter(|context| context.user_id == user).ok_or(Error::InvalidAccessToken)
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
        store::update_ended(self.0.db.writer(), session, reason, self.0.clock.now()).await?;
        self.0.open.invalidate(&session).await;
        self.0.revocations.announce(&Revoked::Session(session));
        Ok(())
    }
}

impl Inner {
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
        let Some(session) = store::find_open(self.db.conn(), id).await? else { return Ok(ended) };
        if session.expires_at <= self.clock.now() {
            return Ok(ended);
        }
        let user = self.users.find(session.user_id).await?.filter(|user| user.active);
        Ok(user.map_or(ended, |user| Kept {
            value: Some(UserContext { user_id: user.id, session_id: id, is_admin: user.is_admin }),
            keep: KEEP_OPEN,
        }))
    }
}

impl From<Device> for Place {
    fn from(device: Device) -> Self {
        Self {
            ip_address: device.ip.map(|ip| ip.to_string()),
            user_agent: device.user_agent.map(|agent| agent.chars().filter(|character| !character.is_control()).take(512).collect()),
        }
    }
}
