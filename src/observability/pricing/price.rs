//! The prices of one model: versions over time, service tiers, long contexts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::CatalogueError;
use super::files::{PriceFile, RatesFile};
use super::money::{Money, parse_money};
use crate::observability::usage::UsageKind;

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

    /// Its name in a price list.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

/// Prices for a million of each kind of usage.
type Rates = [Option<Money>; UsageKind::COUNT];

/// A rate and why it is this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// 10^-12 US dollars for a million.
    pub amount: Money,
    /// The kind of usage whose rate it is: a kind without one takes the nearest.
    pub kind: UsageKind,
    /// It holds when the input is longer than so many tokens; none: always.
    pub above: Option<u64>,
    /// The tier whose rate it is: a tier without one takes the standard one.
    pub tier: ServiceTier,
}

/// The rates of one service tier.
#[derive(Debug, Default)]
struct RateCard {
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
    /// As it was spelled.
    pub file: PriceFile,
}

impl Price {
    /// The rate for a kind of usage, with the nearest rate that a price list falls back to where the kind has none of its own.
    pub(super) fn rate(&self, kind: UsageKind, tier: ServiceTier, input_tokens: u64) -> Option<Rate> {
        let card = match tier {
            ServiceTier::Standard => None,
            ServiceTier::Batch => self.batch.as_ref(),
            ServiceTier::Flex => self.flex.as_ref(),
            ServiceTier::Priority => self.priority.as_ref(),
        };
        let own = |kind: UsageKind| {
            let mut cards = card.map(|card| (tier, card)).into_iter().chain([(ServiceTier::Standard, &self.standard)]);
            cards.find_map(|(tier, card)| card.rate(kind, input_tokens).map(|(amount, above)| Rate { amount, kind, above, tier }))
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
    fn rate(&self, kind: UsageKind, input_tokens: u64) -> Option<(Money, Option<u64>)> {
        let above = self.above.iter().filter(|(limit, _)| input_tokens > *limit).map(|(limit, rates)| (rates, Some(*limit)));
        above.chain([(&self.rates, None)]).find_map(|(rates, limit)| rates[kind as usize].map(|amount| (amount, limit)))
    }

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

/// A model of a list with its prices over time, oldest first.
#[derive(Debug)]
pub(super) struct Model {
    /// Empty in an entry for any provider.
    pub provider: String,
    /// A name, or in an own entry a pattern.
    pub name: String,
    pub prices: Vec<Price>,
}

impl Model {
    /// Builds a model from its prices. The id of a price ends with the first day it held, or else the day it was taken down.
    pub(super) fn build(id: &str, provider: &str, name: &str, prices: Vec<PriceFile>) -> Result<Self, CatalogueError> {
        let mut built = prices
            .into_iter()
            .map(|file| {
                let card = |rates: Option<&RatesFile>| rates.map(|rates| RateCard::build(id, rates)).transpose();
                Ok(Price {
                    id: file.from.as_deref().or(file.seen.as_deref()).map_or_else(|| id.into(), |day| format!("{id}@{day}").into()),
                    from_ns: file.from.as_deref().map_or(Ok(i64::MIN), |date| date_ns(id, date))?,
                    standard: RateCard::build(id, &file.rates)?,
                    batch: card(file.batch.as_ref())?,
                    flex: card(file.flex.as_ref())?,
                    priority: card(file.priority.as_ref())?,
                    file,
                })
            })
            .collect::<Result<Vec<Price>, CatalogueError>>()?;
        built.sort_by_key(|price| price.from_ns);
        Ok(Self { provider: provider.to_owned(), name: name.to_owned(), prices: built })
    }

    /// The price that was valid at a time; none before the first.
    pub(super) fn price_at(&self, time_ns: i64) -> Option<&Price> {
        self.prices.iter().rev().find(|price| price.from_ns <= time_ns)
    }
}

fn rates(model: &str, amounts: &BTreeMap<String, String>) -> Result<Rates, CatalogueError> {
    let mut rates = Rates::default();
    for (kind, amount) in amounts {
        let known = UsageKind::from_name(kind).ok_or_else(|| CatalogueError::Kind { model: model.to_owned(), kind: kind.clone() })?;
        let parsed = parse_money(amount);
        let refused = || CatalogueError::Amount { model: model.to_owned(), kind: kind.clone(), amount: amount.clone() };
        rates[known as usize] = Some(parsed.ok_or_else(refused)?);
    }
    Ok(rates)
}

/// The first nanosecond of a day, `YYYY-MM-DD` in UTC; none for what is no such day.
pub(super) fn day_ns(date: &str) -> Option<i64> {
    let parsed = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    parsed.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_nanos_opt()
}

fn date_ns(model: &str, date: &str) -> Result<i64, CatalogueError> {
    day_ns(date).ok_or_else(|| CatalogueError::Date { model: model.to_owned(), date: date.to_owned() })
}
