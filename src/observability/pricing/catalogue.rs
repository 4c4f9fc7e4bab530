//! The price catalogue: a data file, read once into look-up tables.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::money::{Money, parse_money};
use super::names::{key, matches_pattern, parse, strip_suffix};
use crate::observability::usage::UsageKind;

/// Why a catalogue or an override cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the price catalogue is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the price of {model} for {kind} is not an amount of US dollars: {amount}")]
    Amount { model: String, kind: String, amount: String },
    #[error("the price of {model} names an unknown kind of usage: {kind}")]
    Kind { model: String, kind: String },
    #[error("the price of {model} has a date that is not YYYY-MM-DD: {date}")]
    Date { model: String, date: String },
}

/// The price service a call was made under.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServiceTier {
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
}

impl ServiceTier {
    /// The tier of that name; what is not known (`default`, `auto`, `scale`, …) is priced as standard.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "batch" => Self::Batch,
            "flex" => Self::Flex,
            "priority" => Self::Priority,
            _ => Self::Standard,
        }
    }
}

/// Prices for a million of each kind of usage.
pub(super) type Rates = [Option<Money>; UsageKind::COUNT];

/// The rates of one service tier.
#[derive(Debug, Default)]
pub(super) struct RateCard {
    rates: Rates,
    /// Rates that hold when the input is longer than so many tokens, the longest first.
    above: Vec<(u64, Rates)>,
}

/// A price of a model, valid from a time on.
#[derive(Debug)]
pub(super) struct Price {
    pub id: Arc<str>,
    /// Nanoseconds since the epoch; the first price of a model mostly holds since ever.
    from_ns: i64,
    standard: RateCard,
    batch: Option<RateCard>,
    flex: Option<RateCard>,
    priority: Option<RateCard>,
}

impl Price {
    /// The rate for a kind of usage, with the nearest rate that a price list falls back to where the kind has none of its own.
    pub(super) fn rate(&self, kind: UsageKind, tier: ServiceTier, input_tokens: u64) -> Option<Money> {
        let card = match tier {
            ServiceTier::Standard => None,
            ServiceTier::Batch => self.batch.as_ref(),
            ServiceTier::Flex => self.flex.as_ref(),
            ServiceTier::Priority => self.priority.as_ref(),
        };
        let own = |kind: UsageKind| {
            let mut cards = card.into_iter().chain([&self.standard]);
            cards.find_map(|card| card.rate(kind, input_tokens))
        };
        own(kind).or_else(|| match kind {
            UsageKind::Input | UsageKind::Output => None,
            UsageKind::InputCacheWrite1h => own(UsageKind::InputCacheWrite5m).or_else(|| own(UsageKind::Input)),
            UsageKind::InputCacheRead | UsageKind::InputCacheWrite5m | UsageKind::InputAudio | UsageKind::InputImage => {
                own(UsageKind::Input)
            }
            UsageKind::OutputReasoning | UsageKind::OutputAudio => own(UsageKind::Output),
        })
    }
}

impl RateCard {
    fn rate(&self, kind: UsageKind, input_tokens: u64) -> Option<Money> {
        let above = self.above.iter().filter(|(limit, _)| input_tokens > *limit);
        above.map(|(_, rates)| rates[kind as usize]).chain([self.rates[kind as usize]]).flatten().next()
    }
}

/// The prices of a model over time, oldest first.
#[derive(Debug, Default)]
pub(super) struct Model {
    prices: Vec<Price>,
}

impl Model {
    /// The price that was valid at a time; none before the first.
    pub(super) fn price_at(&self, time_ns: i64) -> Option<&Price> {
        self.prices.iter().rev().find(|price| price.from_ns <= time_ns)
    }
}

/// Models by provider and name.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    exact: HashMap<String, HashMap<String, Arc<Model>>>,
    patterns: Vec<(String, String, Arc<Model>)>,
}

/// Providers that make the models they serve: a bare model name may be theirs.
const HOMES: [&str; 8] = ["openai", "anthropic", "google", "mistral", "cohere", "deepseek", "xai", "voyage"];

/// Where else a provider's models may be priced, when its own list lacks them.
fn relatives(provider: &str) -> &'static [&'static str] {
    match provider {
        "azure_openai" | "azure_ai" => &["openai", "mistral", "cohere"],
        "bedrock" => &["anthropic", "cohere", "mistral"],
        "vertex_ai" => &["google", "anthropic", "mistral"],
        "google" => &["vertex_ai"],
        // Routers sell other providers' models at their prices; no provider at all is a bare model name.
        "" | "openrouter" | "litellm" | "portkey" | "helicone" | "vercel" | "gateway" | "brokle" | "custom" | "langchain" => &HOMES,
        // Everyone else sets prices of their own, or runs open weights for nothing.
        _ => &[],
    }
}

impl Catalogue {
    /// Reads a catalogue file.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, CatalogueError> {
        let file: CatalogueFile = serde_json::from_slice(json)?;
        let mut catalogue = Self::default();
        let mut models = Vec::with_capacity(file.models.len());
        for entry in file.models {
            let id = format!("{}/{}", entry.provider, entry.name);
            models.push((Arc::new(Model::build(&id, &entry.prices)?), entry));
        }
        for (model, entry) in &models {
            let names = catalogue.exact.entry(entry.provider.clone()).or_default();
            for name in [&entry.name].into_iter().chain(&entry.also) {
                names.insert(key(name), Arc::clone(model));
            }
            for pattern in &entry.patterns {
                catalogue.patterns.push((entry.provider.clone(), key(pattern), Arc::clone(model)));
            }
        }
        // A name without its date is the newest model with a date, unless it is a model of its own.
        models.sort_by(|(_, one), (_, other)| other.name.cmp(&one.name));
        for (model, entry) in &models {
            let names = catalogue.exact.entry(entry.provider.clone()).or_default();
            let mut name = key(&entry.name);
            while let Some(shorter) = strip_suffix(&name) {
                names.entry(shorter.clone()).or_insert_with(|| Arc::clone(model));
                name = shorter;
            }
        }
        Ok(catalogue)
    }

    /// Adds a model of a project: its own price for a name or a pattern, at one provider or (empty) at any.
    pub(super) fn add(&mut self, provider: &str, pattern: &str, model: Arc<Model>) {
        if pattern.contains('*') {
            self.patterns.push((provider.to_owned(), key(pattern), model));
        } else {
            self.exact.entry(provider.to_owned()).or_default().insert(key(pattern), model);
        }
    }

    /// The model that a name means: exact names, from the fullest to the barest, before patterns.
    pub(super) fn find(&self, provider: &str, name: &str) -> Option<Arc<Model>> {
        let parsed = parse(name);
        let mut providers: Vec<&str> = Vec::with_capacity(12);
        let named = parsed.provider.as_deref();
        for provider in [Some(provider), named].into_iter().flatten() {
            providers.push(provider);
        }
        let routed = relatives(provider).len() == HOMES.len();
        let more = named.filter(|_| routed).unwrap_or(provider);
        providers.extend(relatives(more));
        let exact = |name: &String| providers.iter().find_map(|provider| self.exact.get(*provider)?.get(name));
        let pattern = |name: &String| {
            let matching = |(provider, pattern, _): &&(String, String, Arc<Model>)| {
                providers.contains(&provider.as_str()) && matches_pattern(pattern, name)
            };
            self.patterns.iter().find(matching).map(|(_, _, model)| model)
        };
        parsed.candidates.iter().find_map(exact).or_else(|| parsed.candidates.iter().find_map(pattern)).map(Arc::clone)
    }

    /// How many names have a price.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.exact.values().map(HashMap::len).sum()
    }
}

impl Model {
    /// Builds a model from its prices. The id of a price ends with the first day it held, or else the day it was taken down.
    pub(super) fn build(id: &str, prices: &[PriceFile]) -> Result<Self, CatalogueError> {
        let mut built = prices
            .iter()
            .map(|price| {
                let card = |rates: Option<&RatesFile>| rates.map(|rates| RateCard::build(id, rates)).transpose();
                Ok(Price {
                    id: price.from.as_deref().or(price.seen.as_deref()).map_or_else(|| id.into(), |day| format!("{id}@{day}").into()),
                    from_ns: price.from.as_deref().map_or(Ok(i64::MIN), |date| date_ns(id, date))?,
                    standard: RateCard::build(id, &price.rates)?,
                    batch: card(price.batch.as_ref())?,
                    flex: card(price.flex.as_ref())?,
                    priority: card(price.priority.as_ref())?,
                })
            })
            .collect::<Result<Vec<Price>, CatalogueError>>()?;
        built.sort_by_key(|price| price.from_ns);
        Ok(Self { prices: built })
    }
}

impl RateCard {
    fn build(model: &str, file: &RatesFile) -> Result<Self, CatalogueError> {
        let mut above = file
            .above
            .iter()
            .map(|tier| Ok((tier.input_tokens, rates(model, &tier.rates)?)))
            .collect::<Result<Vec<_>, CatalogueError>>()?;
        above.sort_by_key(|(limit, _)| std::cmp::Reverse(*limit));
        Ok(Self { rates: rates(model, &file.rates)?, above })
    }
}

fn rates(model: &str, amounts: &HashMap<String, String>) -> Result<Rates, CatalogueError> {
    let mut rates = Rates::default();
    for (kind, amount) in amounts {
        let known = UsageKind::from_name(kind).ok_or_else(|| CatalogueError::Kind { model: model.to_owned(), kind: kind.clone() })?;
        let parsed = parse_money(amount);
        let refused = || CatalogueError::Amount { model: model.to_owned(), kind: kind.clone(), amount: amount.clone() };
        rates[known as usize] = Some(parsed.ok_or_else(refused)?);
    }
    Ok(rates)
}

fn date_ns(model: &str, date: &str) -> Result<i64, CatalogueError> {
    let parsed = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok();
    let nanos = parsed.and_then(|date| date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_nanos_opt());
    nanos.ok_or_else(|| CatalogueError::Date { model: model.to_owned(), date: date.to_owned() })
}

/// The catalogue as it is in its file. Amounts are decimal text: US dollars for a million tokens.
#[derive(Debug, Deserialize)]
struct CatalogueFile {
    models: Vec<ModelFile>,
}

#[derive(Debug, Deserialize)]
struct ModelFile {
    provider: String,
    name: String,
    /// Other exact names of the model.
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
    prices: Vec<PriceFile>,
}

/// A price as the catalogue and a project's own prices spell it.
#[derive(Debug, Clone, Deserialize)]
pub struct PriceFile {
    /// First day, `YYYY-MM-DD` in UTC; without it the price holds for all time before the next.
    #[serde(default)]
    pub from: Option<String>,
    /// The day on which the price was taken from its source.
    #[serde(default)]
    pub seen: Option<String>,
    #[serde(flatten)]
    pub rates: RatesFile,
    #[serde(default)]
    pub batch: Option<RatesFile>,
    #[serde(default)]
    pub flex: Option<RatesFile>,
    #[serde(default)]
    pub priority: Option<RatesFile>,
}

/// The rates of a service tier.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RatesFile {
    /// US dollars for a million tokens, by [`UsageKind::name`].
    pub rates: HashMap<String, String>,
    #[serde(default)]
    pub above: Vec<AboveFile>,
}

/// Rates for long contexts.
#[derive(Debug, Clone, Deserialize)]
pub struct AboveFile {
    /// The rates hold when all input together is more than this.
    pub input_tokens: u64,
    pub rates: HashMap<String, String>,
}
