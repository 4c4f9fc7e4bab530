//! Reading settings.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::scope::Owner;
use super::setting::Definition;
use super::{Error, Scope, Setting, definitions, store};
use crate::audit::Audit;
use crate::common::clock::SharedClock;
use crate::common::id::SettingId;
use crate::infra::bus::{Bus, Heard, Topic};
use crate::infra::cache::{Kept, RevocableCache};
use crate::infra::db::Database;

/// How long values are kept where no message says that they changed.
const KEEP: Duration = Duration::from_secs(1);
/// How long somebody waits for the database who can go on with what was last known.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long the database is left alone after it kept somebody waiting.
const REST: Duration = Duration::from_secs(1);
/// Scopes whose values are kept.
const SCOPES: u64 = 20_000;

/// The values of one scope that can be read, by key.
pub(super) type Values = Arc<HashMap<&'static str, Value>>;

/// The settings of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Settings(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub db: Database,
    pub clock: SharedClock,
    pub audit: Audit,
    pub bus: Bus,
    keep: Duration,
    kept: RevocableCache<Owner, Values>,
    /// What was last read, for those who cannot wait; kept while the database is away.
    last: moka::sync::Cache<Owner, Values>,
    resting: Mutex<Option<Instant>>,
    /// Rows that cannot be read and were warned of.
    unreadable: Mutex<HashSet<(SettingId, i64)>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("keep", &self.keep).finish_non_exhaustive()
    }
}

impl Settings {
    /// Settings kept in `db`, whose changes are told over `bus`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, bus: Bus) -> Self {
        Self::keeping(db, clock, audit, bus, KEEP)
    }

    pub(super) fn keeping(db: Database, clock: SharedClock, audit: Audit, bus: Bus, keep: Duration) -> Self {
        Self(Arc::new(Inner {
            db,
            clock,
            audit,
            bus,
            keep,
            kept: RevocableCache::new(SCOPES),
            last: moka::sync::Cache::new(SCOPES),
            resting: Mutex::default(),
            unreadable: Mutex::default(),
        }))
    }

    /// The value that counts in `scope`.
    pub async fn get<S: Setting>(&self, scope: Scope) -> Result<S::Value, Error> {
        let mut next = Some(scope);
        while let Some(scope) = next {
            if let Some(value) = read::<S>(&*self.0.values(scope).await?) {
                return Ok(value);
            }
            next = scope.parent();
        }
        Ok(S::default())
    }

    /// The value that `scope` itself sets, for those who cannot wait: where the database does not answer, what was last known.
    pub async fn own_or_last<S: Setting>(&self, scope: Scope) -> Option<S::Value> {
        read::<S>(&*self.0.values_or_last(scope).await)
    }

    /// Takes in what was said on the bus.
    pub async fn apply(&self, heard: &Heard) {
        match heard {
            Heard::Missed => self.0.kept.invalidate_all(),
            Heard::Notice(notice) if notice.topic == Topic::Settings => match serde_json::from_str::<Owner>(&notice.body) {
                Ok(owner) => self.0.kept.invalidate(&owner).await,
                // A newer server may have scopes that this one does not know.
                Err(_) => self.0.kept.invalidate_all(),
            },
            Heard::Notice(_) => {}
        }
    }
}

fn read<S: Setting>(values: &HashMap<&'static str, Value>) -> Option<S::Value> {
    // What is kept was checked when it was loaded.
    values.get(S::KEY).and_then(|value| serde_json::from_value(value.clone()).ok())
}

impl Inner {
    pub(super) async fn values(&self, scope: Scope) -> Result<Values, Error> {
        self.kept.get_or_load(scope.owner(), || self.load(scope)).await.map_err(Error::Shared)
    }

    async fn values_or_last(&self, scope: Scope) -> Values {
        let last = || self.last.get(&scope.owner()).unwrap_or_default();
        if self.resting().is_some_and(|until| Instant::now() < until) {
            return last();
        }
        let problem = match tokio::time::timeout(PATIENCE, self.values(scope)).await {
            Ok(Ok(values)) => return values,
            Ok(Err(error)) => crate::error::chain(&error),
            Err(_) => format!("no answer within {} ms", PATIENCE.as_millis()),
        };
        tracing::warn!(problem, "settings cannot be read; what was last known counts");
        *self.resting() = Some(Instant::now() + REST);
        last()
    }

    async fn load(&self, scope: Scope) -> Result<Kept<Values>, Error> {
        let mut values = HashMap::new();
        for row in store::list(self.db.conn(), scope).await? {
            // A setting of a newer version, or of an older one.
            let Some(definition) = definition(&row.key) else { continue };
            if let Some(value) = self.readable(definition, &row) {
                values.insert(definition.key, value);
            }
        }
        let values = Arc::new(values);
        self.last.insert(scope.owner(), Arc::clone(&values));
        Ok(Kept { value: values, keep: self.keep })
    }

    /// The value of a row; none, with a warning, where it cannot be read any more: then what is inherited counts.
    pub(super) fn readable(&self, definition: &Definition, row: &store::Row) -> Option<Value> {
        let value = serde_json::from_str::<Value>(&row.value).map_err(|error| error.to_string());
        match value.and_then(|value| definition.check(&value)) {
            Ok(value) => Some(value),
            Err(problem) => {
                if self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).insert((row.id, row.version)) {
                    let (key, scope, id) = (definition.key, &row.scope_type, &row.scope_id);
                    tracing::warn!(key, scope, id, problem, "a stored setting cannot be read; what is inherited counts");
                }
                None
            }
        }
    }

    /// Forgets the values of a scope here, and tells the other processes to.
    pub(super) async fn changed(&self, scope: Scope) {
        let owner = scope.owner();
        self.kept.invalidate(&owner).await;
        // An enum of ids is always written.
        if let Ok(text) = serde_json::to_string(&owner) {
            self.bus.publish(Topic::Settings, text);
        }
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known under a key.
pub(super) fn definition(key: &str) -> Option<&'static Definition> {
    definitions::ALL.iter().find(|definition| definition.key == key)
}
