//! API keys: what SDKs send, and what each stands for.

mod manage;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::IntCounterVec;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

pub use manage::NewKey;

use super::cache::{Kept, RevocableCache};
use super::entity::api_keys::Model;
use super::revocation::{Revocations, Revoked};
use super::secret::KeyHash;
use super::store::api_keys::{self as store, Holder};
use super::{Error, KeyScope, KeyScopes};
use crate::audit::Audit;
use crate::common::clock::SharedClock;
use crate::common::id::{ApiKeyId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{self, Database};

/// How long "there is no such key" is kept: long enough to blunt a flood, short enough for a key made a moment ago.
const KEEP_UNKNOWN: Duration = Duration::from_secs(5);
const CACHED_KEYS: u64 = 50_000;
/// How often the times of last use are written.
const FLUSH_EVERY: Duration = Duration::from_secs(30);

/// What a valid key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyContext {
    #[schema(value_type = String)]
    pub api_key_id: ApiKeyId,
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    #[schema(value_type = String)]
    pub organization_id: OrganizationId,
    /// Who made the key; null for keys made by an operator.
    #[schema(value_type = Option<String>)]
    pub user_id: Option<UserId>,
    #[serde(skip)]
    pub scopes: KeyScopes,
}

/// A key in an answer; never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiKeyView {
    #[schema(value_type = String)]
    pub id: ApiKeyId,
    #[schema(value_type = String)]
    pub project_id: ProjectId,
    pub name: String,
    /// `bk_AbCd...XyZa`.
    pub key_preview: String,
    pub scopes: Vec<KeyScope>,
    /// `active` or `expired`.
    pub status: String,
    pub created_at: DateTime<Utc>,
    /// Null: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Up to half a minute late; null: never used.
    pub last_used: Option<DateTime<Utc>>,
    #[schema(value_type = Option<String>)]
    pub created_by: Option<UserId>,
    /// Only where people look at keys, never to whoever holds the key.
    pub created_by_email: Option<String>,
    /// The key that this one was made to replace.
    #[schema(value_type = Option<String>)]
    pub replaces_id: Option<ApiKeyId>,
}

/// The API keys of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct ApiKeys(Arc<Inner>);

struct Inner {
    db: Database,
    clock: SharedClock,
    audit: Audit,
    revocations: Revocations,
    keep: Duration,
    known: RevocableCache<KeyHash, Option<Holder>>,
    /// Uses that are not written yet.
    used: Mutex<HashMap<ApiKeyId, DateTime<Utc>>>,
    /// Look-ups by outcome; not set where nobody counts.
    lookups: OnceLock<IntCounterVec>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl ApiKeys {
    /// Keys kept in `db`; a looked-up key stays in memory for `keep`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, revocations: Revocations, keep: Duration) -> Self {
        Self(Arc::new(Inner {
            db,
            clock,
            audit,
            revocations,
            keep,
            known: RevocableCache::new(CACHED_KEYS),
            used: Mutex::default(),
            lookups: OnceLock::new(),
        }))
    }

    /// Counts look-ups from now on, by outcome: `hit` (in memory), `miss` (asked of the database), `failed`.
    pub fn count_lookups(&self, counter: IntCounterVec) {
        let _ = self.0.lookups.set(counter);
    }

    /// What `key` stands for; none when it is malformed, unknown, revoked or expired. Asks the database only for keys that are
    /// not in memory.
    pub async fn authenticate(&self, key: &str) -> Result<Option<KeyContext>, Error> {
        if !crate::config::is_api_key(key) {
            return Ok(None);
        }
        let hash = KeyHash::of(key);
        let asked = AtomicBool::new(false);
        let load = || {
            asked.store(true, Ordering::Relaxed);
            self.0.load(hash)
        };
        let found = self.0.known.get_or_load(hash, load).await;
        if let Some(lookups) = self.0.lookups.get() {
            let outcome = match (&found, asked.into_inner()) {
                (Err(_), _) => "failed",
                (Ok(_), true) => "miss",
                (Ok(_), false) => "hit",
            };
            lookups.with_label_values(&[outcome]).inc();
        }
        let holder = found.map_err(Error::Shared)?;
        let now = self.0.clock.now();
        let Some(holder) = holder.filter(|holder| holder.expires_at.is_none_or(|end| now < end)) else { return Ok(None) };
        self.0.used().insert(holder.id, now);
        Ok(Some(KeyContext {
            api_key_id: holder.id,
            project_id: holder.project_id,
            organization_id: holder.organization_id,
            user_id: holder.created_by,
            scopes: holder.scopes.parse()?,
        }))
    }

    /// Every key of the installation that was not revoked, oldest first: for operators, past every permission.
    pub async fn all(&self) -> Result<Vec<ApiKeyView>, Error> {
        let now = self.0.clock.now();
        Ok(store::all(self.0.db.conn()).await?.into_iter().map(|row| view(row, now)).collect())
    }

    /// Takes in what another process revoked.
    pub async fn apply(&self, revoked: &Revoked) {
        match revoked {
            Revoked::ApiKey(hash) => self.0.known.invalidate(hash).await,
            // Which keys these are only the database knows; it happens seldom enough to look all of them up again.
            Revoked::KeysOf(_) | Revoked::Everything => self.0.known.invalidate_all(),
            Revoked::Session(_) | Revoked::User(_) => {}
        }
    }

    /// Forgets every look-up, so that the next use of each key asks the database.
    pub fn invalidate_all(&self) {
        self.0.known.invalidate_all();
    }

    /// Writes the times of last use that are not written yet; what fails is kept for the next time.
    pub async fn flush_last_used(&self) -> Result<(), Error> {
        let batch = std::mem::take(&mut *self.0.used());
        if batch.is_empty() {
            return Ok(());
        }
        let written = self.0.write_used(&batch).await;
        if written.is_err() {
            let mut used = self.0.used();
            for (id, at) in batch {
                used.entry(id).or_insert(at);
            }
        }
        written
    }

    /// Writes the times of last use every half minute until `stop`, and once more then.
    pub async fn keep_last_used(&self, stop: CancellationToken) {
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(FLUSH_EVERY)).await.is_none();
            if let Err(error) = self.flush_last_used().await {
                tracing::warn!("the times of last use of API keys are not written yet: {}", crate::error::chain(&error));
            }
            if stopped {
                return;
            }
        }
    }
}

impl Inner {
    async fn load(&self, hash: KeyHash) -> Result<Kept<Option<Holder>>, Error> {
        let holder = store::find_holder(self.db.conn(), hash).await?;
        let keep = if holder.is_some() { self.keep } else { KEEP_UNKNOWN.min(self.keep) };
        Ok(Kept { value: holder, keep })
    }

    fn used(&self) -> std::sync::MutexGuard<'_, HashMap<ApiKeyId, DateTime<Utc>>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_used(&self, batch: &HashMap<ApiKeyId, DateTime<Utc>>) -> Result<(), Error> {
        // In the order of ids, so that two servers that flush at once do not deadlock.
        let mut uses: Vec<_> = batch.iter().collect();
        uses.sort_unstable();
        let txn = self.db.begin().await?;
        for (id, at) in uses {
            store::update_last_used(&txn, *id, *at).await?;
        }
        Ok(txn.commit().await.map_err(db::Error::from)?)
    }
}

fn view(row: Model, now: DateTime<Utc>) -> ApiKeyView {
    let expired = row.expires_at.is_some_and(|end| end <= now);
    ApiKeyView {
        id: row.id,
        project_id: row.project_id,
        name: row.name,
        key_preview: row.key_preview,
        scopes: row.scopes.parse::<KeyScopes>().map(KeyScopes::list).unwrap_or_default(),
        status: if expired { "expired" } else { "active" }.to_owned(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used: row.last_used_at,
        created_by: row.created_by,
        created_by_email: None,
        replaces_id: row.replaces_id,
    }
}
