//! The prices that count in each project, at hand for conversion.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::model::PriceVersion;
use super::store::{self, PriceRow};
use super::{Error, Scope};
use crate::common::id::{ModelPriceId, OrganizationId, ProjectId};
use crate::error::chain;
use crate::infra::bus::{Bus, Heard, Topic};
use crate::infra::cache::{Kept, RevocableCache};
use crate::infra::db::Database;
use crate::observability::pricing::{OwnPrice, OwnPrices, Owner, PriceFile, Pricer};

/// How long a project's prices are kept where no message says that they changed.
const KEEP: Duration = Duration::from_secs(1);
/// How long spans wait for the database before they are priced by what was last known.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the database is left alone after it kept spans waiting.
const REST: Duration = Duration::from_secs(1);
/// Projects whose prices are kept.
const PROJECTS: u64 = 20_000;

/// Whose prices have changed; what processes tell each other.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
enum Changed {
    Project(ProjectId),
    Organization(OrganizationId),
}

/// The prices of a project, with what they were made from.
#[derive(Debug, Clone)]
struct Page {
    /// Ids and versions of the entries: while they are the same, so is the pricer, with what it remembers.
    made_from: Arc<[(ModelPriceId, i64)]>,
    pricer: Arc<Pricer>,
}

/// The prices of the installation; a clone shares everything.
///
/// A project's prices are read once a second at most, and at once after a change; never for a single span. Projects without
/// prices of their own share one pricer.
#[derive(Debug, Clone)]
pub struct PriceBook(Arc<Inner>);

struct Inner {
    db: Database,
    catalogue: Arc<Pricer>,
    kept: RevocableCache<ProjectId, Page>,
    /// What was last read, kept while the database is away.
    last: moka::sync::Cache<ProjectId, Page>,
    resting: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl PriceBook {
    /// Prices kept in `db`, before those of `catalogue`.
    #[must_use]
    pub fn new(db: Database, catalogue: Arc<Pricer>) -> Self {
        let (kept, last) = (RevocableCache::new(PROJECTS), moka::sync::Cache::new(PROJECTS));
        Self(Arc::new(Inner { db, catalogue, kept, last, resting: Mutex::default() }))
    }

    /// The prices that count in a project.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of(&self, organization: OrganizationId, project: ProjectId) -> Result<Arc<Pricer>, Error> {
        let load = || self.0.load(organization, project);
        Ok(self.0.kept.get_or_load(project, load).await.map_err(Error::Shared)?.pricer)
    }

    /// The same for spans that have come: where the database does not answer, what was last known counts, and the catalogue where
    /// nothing was. Their costs can be set right later by pricing them anew.
    pub async fn of_or_last(&self, organization: OrganizationId, project: ProjectId) -> Arc<Pricer> {
        let last = || self.0.last.get(&project).map_or_else(|| Arc::clone(&self.0.catalogue), |page| page.pricer);
        if self.0.resting().is_some_and(|until| Instant::now() < until) {
            return last();
        }
        let problem = match tokio::time::timeout(PATIENCE, self.of(organization, project)).await {
            Ok(Ok(pricer)) => return pricer,
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("no answer within {} ms", PATIENCE.as_millis()),
        };
        tracing::warn!(problem, "own prices cannot be read; what was last known counts");
        *self.0.resting() = Some(Instant::now() + REST);
        last()
    }

    /// The catalogue alone.
    #[must_use]
    pub fn catalogue(&self) -> &Arc<Pricer> {
        &self.0.catalogue
    }

    /// Takes in what was said on the bus.
    pub async fn apply(&self, heard: &Heard) {
        match heard {
            Heard::Notice(notice) if notice.topic == Topic::Prices => match serde_json::from_str(&notice.body) {
                Ok(Changed::Project(project)) => self.0.kept.invalidate(&project).await,
                // Which projects inherit from an organisation is not known here; prices change seldom.
                Ok(Changed::Organization(_)) | Err(_) => self.0.kept.invalidate_all(),
            },
            // Of a project that is deleted nothing needs to be kept.
            Heard::Notice(notice) if notice.topic == Topic::Tenants => {
                self.0.kept.invalidate_all();
                self.0.last.invalidate_all();
            }
            Heard::Missed => self.0.kept.invalidate_all(),
            Heard::Notice(_) => {}
        }
    }

    /// Forgets the prices of a scope here, and tells the other processes to.
    pub(super) async fn changed(&self, scope: Scope, bus: &Bus) {
        let changed = match scope {
            Scope::Organization(id) => {
                self.0.kept.invalidate_all();
                Changed::Organization(id)
            }
            Scope::Project(_, id) => {
                self.0.kept.invalidate(&id).await;
                Changed::Project(id)
            }
        };
        // An enum of ids is always written.
        if let Ok(text) = serde_json::to_string(&changed) {
            bus.publish(Topic::Prices, text);
        }
    }
}

impl Inner {
    async fn load(&self, organization: OrganizationId, project: ProjectId) -> Result<Kept<Page>, Error> {
        let rows = store::list_for_project(self.db.conn(), organization, project).await?;
        let made_from: Arc<[(ModelPriceId, i64)]> = rows.iter().map(|row| (row.id, row.version)).collect();
        if let Some(page) = self.last.get(&project).filter(|page| page.made_from == made_from) {
            return Ok(Kept { value: page, keep: KEEP });
        }
        let pricer = if rows.is_empty() { Arc::clone(&self.catalogue) } else { Arc::new(self.catalogue.with_own(own_prices(rows)?)) };
        let page = Page { made_from, pricer };
        self.last.insert(project, page.clone());
        Ok(Kept { value: page, keep: KEEP })
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Own prices from their rows. One that cannot be read, which checks before it was stored rule out, is left out with a warning.
fn own_prices(rows: Vec<PriceRow>) -> Result<OwnPrices, Error> {
    let mut own = Vec::with_capacity(rows.len());
    for row in rows {
        match serde_json::from_str::<Vec<PriceVersion>>(&row.prices) {
            Ok(prices) => own.push(OwnPrice {
                owner: if row.scope_type == Owner::Project.name() { Owner::Project } else { Owner::Organization },
                id: row.id.to_string(),
                provider: row.provider,
                model: row.model,
                prices: prices.into_iter().map(PriceFile::from).collect(),
            }),
            Err(error) => tracing::warn!(price = %row.id, error = %error, "a stored price cannot be read; it is left out"),
        }
    }
    Ok(OwnPrices::new(own)?)
}
