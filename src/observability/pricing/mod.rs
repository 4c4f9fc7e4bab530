//! What a span cost: tokens by kind times the rate that was valid when the span started.
//!
//! The catalogue is a data file of the repository, `pricing/catalogue.json`, made by `scripts/refresh-prices.py`. A project's
//! own prices come before those of its organisation, these before the catalogue ([`OwnPrices`]). An own price with a first day
//! leaves what is older to the lists behind it.

mod catalogue;
mod files;
mod money;
pub mod names;
mod price;
mod quote;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use moka::sync::Cache;

use catalogue::Catalogue;
pub use catalogue::{CatalogueError, MatchRule};
pub use files::{AboveFile, PriceFile, RatesFile};
pub use money::{MONEY_LIMIT, Money, parse_money, price_of};
use names::{MAX_NAME_BYTES, key};
use price::{Model, Price};
pub use price::{Rate, ServiceTier};
pub use quote::{Listed, Match, Quote, QuotedLine, Unpriced};

use crate::observability::rows::Pairs;
use crate::observability::usage::Tokens;

const BUILT_IN: &[u8] = include_bytes!("../../../pricing/catalogue.json");

/// How many pairs of provider and model are remembered, unknown ones too.
const REMEMBERED: u64 = 10_000;
/// The same where a project has prices of its own: there are many projects.
const REMEMBERED_OWN: u64 = 1_000;

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
    /// `project`, `organization` or `catalogue`.
    pub source: &'static str,
    /// Provider, model and version of the price, such as `openai/gpt-4o@2026-11-22`, or the id of an own entry and its first day.
    pub price_id: Arc<str>,
}

/// Whose own price it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    Project,
    Organization,
}

impl Owner {
    /// As stored in `cost_source` and in `model_prices.scope_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Organization => "organization",
        }
    }
}

/// An own price for a model.
#[derive(Debug, Clone)]
pub struct OwnPrice {
    pub owner: Owner,
    /// Of the entry; what it priced names it.
    pub id: String,
    /// Normalised; empty for the model at any provider.
    pub provider: String,
    /// A name, or a pattern with `*`.
    pub model: String,
    pub prices: Vec<PriceFile>,
}

/// A project's and its organisation's own prices, ready for look-up.
#[derive(Debug, Default)]
pub struct OwnPrices {
    project: Catalogue,
    organization: Catalogue,
}

impl OwnPrices {
    /// Reads own prices. Of two patterns for a name the longer counts.
    ///
    /// # Errors
    /// When an amount, a kind of usage or a date cannot be read.
    pub fn new(mut prices: Vec<OwnPrice>) -> Result<Self, CatalogueError> {
        prices.sort_by(|one, other| {
            let order = |price: &OwnPrice| (std::cmp::Reverse(price.model.bytes().filter(|byte| *byte != b'*').count()), price.id.clone());
            order(one).cmp(&order(other))
        });
        let mut own = Self::default();
        for price in prices {
            let id = format!("{}/{}", price.owner.name(), price.id);
            let list = match price.owner {
                Owner::Project => &mut own.project,
                Owner::Organization => &mut own.organization,
            };
            list.add(&id, &price.provider, &price.model, price.prices)?;
        }
        Ok(own)
    }
}

/// Prices spans. Cheap to share between threads; look-ups by name are remembered, those that found nothing too.
#[derive(Debug)]
pub struct Pricer {
    catalogue: Arc<Catalogue>,
    own: OwnPrices,
    remembered: Cache<Box<str>, Arc<[Known]>>,
}

/// A model that was looked up, and whose list it is on.
#[derive(Debug, Clone)]
struct Known {
    model: Arc<Model>,
    source: &'static str,
    rule: MatchRule,
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
        let catalogue = Arc::new(Catalogue::from_json(json)?);
        Ok(Self { catalogue, own: OwnPrices::default(), remembered: Cache::new(REMEMBERED) })
    }

    /// A pricer for a project: own prices before the same catalogue, which is shared.
    #[must_use]
    pub fn with_own(&self, own: OwnPrices) -> Self {
        Self { catalogue: Arc::clone(&self.catalogue), own, remembered: Cache::new(REMEMBERED_OWN) }
    }

    /// What a span cost; `None` where no price is known for its model at its time, or it used nothing.
    #[must_use]
    pub fn price(&self, query: &Query<'_>) -> Option<Priced> {
        if query.tokens.is_empty() {
            return None;
        }
        let known = self.look_up(query.provider, query.model);
        let (known, price) = at(&known, query.start_ns)?;
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
            let cost = price_of(tokens, rate.amount);
            if let Some(cost) = cost {
                details.push((kind.name().to_owned(), cost));
            }
            total = total.zip(cost).and_then(|(sum, cost)| sum.checked_add(cost)).filter(|sum| *sum < MONEY_LIMIT);
        }
        Some(Priced { details, total, source: known.source, price_id: Arc::clone(&price.id) })
    }

    /// The entries that a name leads to, one of each list at most, in the order in which they count.
    fn look_up(&self, provider: &str, model: &str) -> Arc<[Known]> {
        if model.len() > MAX_NAME_BYTES || provider.len() > MAX_NAME_BYTES {
            return Arc::default();
        }
        let mut name = String::with_capacity(provider.len() + model.len() + 1);
        name.push_str(provider);
        name.push('\0');
        name.push_str(model);
        if let Some(remembered) = self.remembered.get(name.as_str()) {
            return remembered;
        }
        let known: Arc<[Known]> = self
            .lists()
            .into_iter()
            .filter_map(|(source, list)| list.find(provider, model).map(|(model, rule)| Known { model, source, rule }))
            .collect();
        self.remembered.insert(name.into_boxed_str(), Arc::clone(&known));
        known
    }

    /// The lists in the order in which they count.
    fn lists(&self) -> [(&'static str, &Catalogue); 3] {
        [(Owner::Project.name(), &self.own.project), (Owner::Organization.name(), &self.own.organization), ("catalogue", &self.catalogue)]
    }
}

/// The first entry that has a price for a time.
fn at(known: &[Known], time_ns: i64) -> Option<(&Known, &Price)> {
    known.iter().find_map(|known| known.model.price_at(time_ns).map(|price| (known, price)))
}

/// Whether two names of models are one.
#[must_use]
pub fn same_model(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

/// Whether a text is a day as price lists spell it, `YYYY-MM-DD`.
#[must_use]
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && price::day_ns(text).is_some()
}
