//! What a span cost: tokens by kind times the rate that was valid when the span started.
//!
//! The catalogue is a data file of the repository, `pricing/catalogue.json`, made by `scripts/refresh-prices.py`. A project's
//! own prices ([`Overrides`]) come before it.

mod catalogue;
mod money;
pub mod names;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use moka::sync::Cache;

pub use catalogue::{AboveFile, CatalogueError, PriceFile, RatesFile, ServiceTier};
use catalogue::{Catalogue, Model};
pub use money::{MONEY_LIMIT, Money, parse_money, price_of};
use names::MAX_NAME_BYTES;

use crate::observability::rows::Pairs;
use crate::observability::usage::Tokens;

const BUILT_IN: &[u8] = include_bytes!("../../../pricing/catalogue.json");

/// How many pairs of provider and model are remembered, unknown ones too.
const REMEMBERED: u64 = 10_000;

/// What is to be priced.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Normalised; empty where it is not known.
    pub provider: &'a str,
    /// As the response or the request gave it.
    pub model: &'a str,
    /// When the span started, in nanoseconds since the epoch.
    pub start_ns: i64,
    pub tokens: &'a Tokens,
    pub tier: ServiceTier,
}

/// A price found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Cost by kind of usage, in 10^-12 US dollars.
    pub details: Pairs<Money>,
    /// Their sum; `None` when it is a million dollars or more, which no column holds.
    pub total: Option<Money>,
    /// `project` or `catalogue`.
    pub source: &'static str,
    /// Provider, model and version of the price, such as `openai/gpt-4o@2026-11-22`.
    pub price_id: Arc<str>,
}

/// A project's own price for a model.
#[derive(Debug, Clone)]
pub struct Override {
    /// Normalised; empty for the model at any provider.
    pub provider: String,
    /// A name, or a pattern with `*`.
    pub model: String,
    pub prices: Vec<PriceFile>,
}

/// A project's own prices, ready for look-up.
#[derive(Debug, Default)]
pub struct Overrides(Catalogue);

impl Overrides {
    /// Reads a project's prices.
    ///
    /// # Errors
    /// When an amount, a kind of usage or a date cannot be read.
    pub fn new(prices: &[Override]) -> Result<Self, CatalogueError> {
        let mut catalogue = Catalogue::default();
        for price in prices {
            let id = format!("project/{}", price.model);
            catalogue.add(&price.provider, &price.model, Arc::new(Model::build(&id, &price.prices)?));
        }
        Ok(Self(catalogue))
    }

    fn find(&self, provider: &str, model: &str) -> Option<Arc<Model>> {
        self.0.find(provider, model).or_else(|| self.0.find("", model))
    }
}

/// Prices spans. Cheap to share between threads; look-ups by name are remembered.
#[derive(Debug)]
pub struct Pricer {
    catalogue: Arc<Catalogue>,
    overrides: Overrides,
    remembered: Cache<Box<str>, Option<Known>>,
}

/// A model that was looked up, and whose list it is on.
#[derive(Debug, Clone)]
struct Known {
    model: Arc<Model>,
    source: &'static str,
}

impl Pricer {
    /// A pricer on the catalogue that is compiled in.
    ///
    /// # Errors
    /// When that catalogue cannot be read, which a test rules out.
    pub fn from_catalogue() -> Result<Self, CatalogueError> {
        Self::from_json(BUILT_IN)
    }

    /// A pricer on a catalogue file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_json(json: &[u8]) -> Result<Self, CatalogueError> {
        Ok(Self::build(Arc::new(Catalogue::from_json(json)?), Overrides::default()))
    }

    /// A pricer for a project: its own prices before the same catalogue, which is shared.
    #[must_use]
    pub fn with_overrides(&self, overrides: Overrides) -> Self {
        Self::build(Arc::clone(&self.catalogue), overrides)
    }

    fn build(catalogue: Arc<Catalogue>, overrides: Overrides) -> Self {
        Self { catalogue, overrides, remembered: Cache::new(REMEMBERED) }
    }

    /// What a span cost; `None` where no price is known for its model at its time, or it used nothing.
    #[must_use]
    pub fn price(&self, query: &Query<'_>) -> Option<Priced> {
        if query.tokens.is_empty() {
            return None;
        }
        let known = self.look_up(query.provider, query.model)?;
        let price = known.model.price_at(query.start_ns)?;
        let input_tokens = query.tokens.input();
        let mut details = Vec::with_capacity(4);
        let mut total = Some(0_i64);
        for (kind, tokens) in query.tokens.iter() {
            // A model that has no price for what was used of it is not priced by halves; none used needs none.
            let rate = match price.rate(kind, query.tier, input_tokens) {
                Some(rate) => rate,
                None if tokens == 0 => continue,
                None => return None,
            };
            let cost = price_of(tokens, rate);
            if let Some(cost) = cost {
                details.push((kind.name().to_owned(), cost));
            }
            total = total.zip(cost).and_then(|(sum, cost)| sum.checked_add(cost)).filter(|sum| *sum < MONEY_LIMIT);
        }
        Some(Priced { details, total, source: known.source, price_id: Arc::clone(&price.id) })
    }

    fn look_up(&self, provider: &str, model: &str) -> Option<Known> {
        if model.len() > MAX_NAME_BYTES || provider.len() > MAX_NAME_BYTES {
            return None;
        }
        let mut name = String::with_capacity(provider.len() + model.len() + 1);
        name.push_str(provider);
        name.push('\0');
        name.push_str(model);
        if let Some(remembered) = self.remembered.get(name.as_str()) {
            return remembered;
        }
        let own = self.overrides.find(provider, model).map(|model| Known { model, source: "project" });
        let known = own.or_else(|| self.catalogue.find(provider, model).map(|model| Known { model, source: "catalogue" }));
        self.remembered.insert(name.into_boxed_str(), known.clone());
        known
    }
}
