//! Making, changing and deleting own prices.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::check::checked;
use super::model::{ModelPrice, ModelPriceInput, PriceMatch, PriceScope, UpdatedBy};
use super::store::{self, Change, PriceRow};
use super::{Error, PriceBook, Scope};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{ModelPriceId, OrganizationId, ProjectId, UserId};
use crate::infra::bus::Bus;
use crate::infra::db::{self, Database, stored};
use crate::observability::convert::provider::normalise_provider;
use crate::observability::pricing::same_model;
use crate::observability::store::TelemetryStore;

/// Own prices of one project or organisation, at most.
const MOST_PRICES: usize = 1_000;

/// Own prices and what they say of stored spans; a clone shares everything.
#[derive(Clone)]
pub struct Prices {
    pub(super) db: Database,
    pub(super) clock: SharedClock,
    audit: Audit,
    bus: Bus,
    pub(super) book: PriceBook,
    pub(super) telemetry: TelemetryStore,
}

impl std::fmt::Debug for Prices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prices").finish_non_exhaustive()
    }
}

impl Prices {
    /// Prices kept in `db`; changes are told to every `book` over `bus`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, bus: Bus, book: PriceBook, telemetry: TelemetryStore) -> Self {
        Self { db, clock, audit, bus, book, telemetry }
    }

    /// The prices that a scope has, and of a project those that it inherits after them: in the order in which they count.
    pub async fn list(&self, scope: Scope) -> Result<Vec<ModelPrice>, Error> {
        // From the writer, which sees what was committed a moment ago.
        let mut rows = store::list(self.db.writer(), scope).await?;
        if let Scope::Project(organization, _) = scope {
            rows.extend(store::list(self.db.writer(), Scope::Organization(organization)).await?);
        }
        self.views(rows).await
    }

    /// Makes a price.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Exists`], [`Error::TooMany`].
    pub async fn create(&self, by: &By, scope: Scope, input: ModelPriceInput) -> Result<ModelPrice, Error> {
        let input = checked(input).map_err(Error::Invalid)?;
        let (txn, now) = (self.db.begin().await?, stored(self.clock.now()));
        let there = store::list(&txn, scope).await?;
        if there.len() >= MOST_PRICES {
            return Err(Error::TooMany(MOST_PRICES));
        }
        refuse_twin(&there, &input, None)?;
        let row = PriceRow {
            id: ModelPriceId::fresh(),
            scope_type: scope.owner().name().to_owned(),
            scope_id: scope.id(),
            provider: input.provider,
            model: input.model,
            prices: serde_json::to_string(&input.prices)?,
            version: 1,
            updated_by: by.user_id(),
            created_at: now,
            updated_at: now,
        };
        store::insert(&txn, row.clone()).await.map_err(duplicate)?;
        self.audit.record(&txn, by, event("model_price.create", scope, &row).change(None, contents(&row))).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.book.changed(scope, &self.bus).await;
        self.view(row).await
    }

    /// Replaces the contents of a price of this scope.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::PriceNotFound`], [`Error::Exists`], [`Error::Changed`].
    pub async fn update(&self, by: &By, scope: Scope, id: ModelPriceId, input: ModelPriceInput) -> Result<ModelPrice, Error> {
        let input = checked(input).map_err(Error::Invalid)?;
        let txn = self.db.begin().await?;
        let before = store::find(&txn, scope, id).await?.ok_or(Error::PriceNotFound)?;
        refuse_twin(&store::list(&txn, scope).await?, &input, Some(id))?;
        let prices = serde_json::to_string(&input.prices)?;
        let change = Change { provider: &input.provider, model: &input.model, prices: &prices, by: by.user_id(), now: self.clock.now() };
        if !store::update(&txn, id, before.version, &change).await.map_err(duplicate)? {
            return Err(Error::Changed);
        }
        let after = store::find(&txn, scope, id).await?.ok_or(Error::PriceNotFound)?;
        let event = event("model_price.update", scope, &after).change(contents(&before), contents(&after));
        self.audit.record(&txn, by, event).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.book.changed(scope, &self.bus).await;
        self.view(after).await
    }

    /// Deletes a price of this scope.
    ///
    /// # Errors
    /// [`Error::PriceNotFound`].
    pub async fn delete(&self, by: &By, scope: Scope, id: ModelPriceId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let before = store::find(&txn, scope, id).await?.ok_or(Error::PriceNotFound)?;
        if !store::delete(&txn, scope, id).await? {
            return Err(Error::PriceNotFound);
        }
        self.audit.record(&txn, by, event("model_price.delete", scope, &before).change(contents(&before), None)).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.book.changed(scope, &self.bus).await;
        Ok(())
    }

    /// What prices a model in a project at a time, in nanoseconds; without one, now.
    pub async fn find_match(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        provider: &str,
        model: &str,
        time_ns: Option<i64>,
    ) -> Result<Option<PriceMatch>, Error> {
        let pricer = self.book.of(organization, project).await?;
        let provider = normalise_provider(provider.trim());
        Ok(pricer.find(&provider, model.trim(), time_ns.unwrap_or_else(|| self.clock.now_ns())).map(PriceMatch::from))
    }

    async fn view(&self, row: PriceRow) -> Result<ModelPrice, Error> {
        self.views(vec![row]).await?.pop().ok_or(Error::PriceNotFound)
    }

    async fn views(&self, rows: Vec<PriceRow>) -> Result<Vec<ModelPrice>, Error> {
        let emails = self.emails(rows.iter().filter_map(|row| row.updated_by)).await?;
        rows.into_iter()
            .map(|row| {
                Ok(ModelPrice {
                    id: row.id,
                    scope: PriceScope::of(&row.scope_type),
                    scope_id: row.scope_id,
                    provider: row.provider,
                    model: row.model,
                    prices: serde_json::from_str(&row.prices)?,
                    created_at: row.created_at,
                    updated_at: row.updated_at,
                    updated_by: row.updated_by.map(|id| UpdatedBy { id, email: emails.get(&id).cloned() }),
                })
            })
            .collect()
    }

    pub(super) async fn emails(&self, users: impl Iterator<Item = UserId>) -> Result<HashMap<UserId, String>, Error> {
        let mut users: Vec<UserId> = users.collect();
        users.sort_unstable();
        users.dedup();
        Ok(store::list_emails(self.db.conn(), &users).await?)
    }
}

/// Two entries whose names are looked up alike would hide each other.
fn refuse_twin(there: &[PriceRow], input: &ModelPriceInput, but: Option<ModelPriceId>) -> Result<(), Error> {
    let twin = |row: &&PriceRow| Some(row.id) != but && row.provider == input.provider && same_model(&row.model, &input.model);
    if there.iter().any(|row| twin(&row)) { Err(Error::Exists) } else { Ok(()) }
}

fn duplicate(error: db::Error) -> Error {
    if error.is_duplicate() { Error::Exists } else { error.into() }
}

fn contents(row: &PriceRow) -> Value {
    json!({"provider": row.provider, "model": row.model, "prices": serde_json::from_str::<Value>(&row.prices).unwrap_or_default()})
}

fn event(action: &'static str, scope: Scope, row: &PriceRow) -> Event {
    let name = if row.provider.is_empty() { row.model.clone() } else { format!("{}/{}", row.provider, row.model) };
    let event = Event::new(action, "model_price", row.id).named(name.chars().take(320).collect::<String>());
    match scope {
        Scope::Organization(organization) => event.in_organization(organization),
        Scope::Project(organization, project) => event.in_project(organization, project),
    }
}
