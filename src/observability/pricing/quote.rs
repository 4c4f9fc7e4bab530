//! Prices explained: which entry a name led to, by which rule, at which rates, and what is missing where there is no price.

use std::sync::Arc;

use super::catalogue::{Catalogue, MatchRule};
use super::price::{Price, Rate};
use super::{Known, Money, PriceFile, Pricer, Query, at, price_of};
use crate::observability::usage::UsageKind;

/// The entry and version that price a model at a time.
#[derive(Debug, Clone)]
pub struct Match {
    /// `project`, `organization` or `catalogue`.
    pub source: &'static str,
    /// Of the entry; empty in one for any provider.
    pub provider: String,
    /// Of the entry: a name, or a pattern.
    pub model: String,
    pub rule: MatchRule,
    pub price_id: Arc<str>,
    /// The version that holds then.
    pub price: PriceFile,
}

/// Why something has no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpriced {
    /// No list knows the model.
    UnknownModel,
    /// It is known, but not yet at that time.
    BeforeFirstPrice,
    /// Its price says nothing of these kinds of usage.
    NoRate(Vec<UsageKind>),
}

/// A kind of usage in a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedLine {
    pub kind: UsageKind,
    pub tokens: u64,
    pub rate: Option<Rate>,
    /// 10^-12 US dollars; none without a rate, and beyond what can be stored.
    pub cost: Option<Money>,
}

/// A price with its reasons.
#[derive(Debug, Clone)]
pub struct Quote {
    /// What the model led to, also where a rate is missing.
    pub found: Option<Match>,
    pub lines: Vec<QuotedLine>,
    /// Why there is no price; none where there is one, and where nothing was used.
    pub unpriced: Option<Unpriced>,
}

/// An entry of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    pub provider: &'a str,
    pub name: &'a str,
    /// Other names that lead to it.
    pub also: &'a [String],
    model: &'a super::Model,
}

impl Listed<'_> {
    /// Its versions, oldest first, each with its id.
    pub fn prices(&self) -> impl Iterator<Item = (&Arc<str>, &PriceFile)> {
        self.model.prices.iter().map(|price| (&price.id, &price.file))
    }
}

fn matched(known: &Known, price: &Price) -> Match {
    Match {
        source: known.source,
        provider: known.model.provider.clone(),
        model: known.model.name.clone(),
        rule: known.rule,
        price_id: Arc::clone(&price.id),
        price: price.file.clone(),
    }
}

fn lines(query: &Query<'_>, price: Option<&Price>) -> Vec<QuotedLine> {
    let input_tokens = query.tokens.input();
    let line = |(kind, tokens)| {
        let rate = price.and_then(|price| price.rate(kind, query.tier, input_tokens));
        QuotedLine { kind, tokens, rate, cost: rate.and_then(|rate| price_of(tokens, rate.amount)) }
    };
    query.tokens.iter().map(line).collect()
}

impl Pricer {
    /// What prices a model at a time.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str, time_ns: i64) -> Option<Match> {
        let known = self.look_up(provider, model);
        at(&known, time_ns).map(|(known, price)| matched(known, price))
    }

    /// What a span costs by these lists, with the reasons.
    #[must_use]
    pub fn quote(&self, query: &Query<'_>) -> Quote {
        let known = self.look_up(query.provider, query.model);
        let found = at(&known, query.start_ns);
        let lines = lines(query, found.map(|(_, price)| price));
        let missing: Vec<UsageKind> = lines.iter().filter(|line| line.tokens > 0 && line.rate.is_none()).map(|line| line.kind).collect();
        let unpriced = match found {
            None if known.is_empty() => Some(Unpriced::UnknownModel),
            None => Some(Unpriced::BeforeFirstPrice),
            Some(_) if !missing.is_empty() => Some(Unpriced::NoRate(missing)),
            Some(_) => None,
        };
        Quote { found: found.map(|(known, price)| matched(known, price)), lines, unpriced }
    }

    /// The lines of a span by the price of this id, as it stands today; none when there is no such price any more.
    #[must_use]
    pub fn quote_by(&self, price_id: &str, query: &Query<'_>) -> Option<Vec<QuotedLine>> {
        let mut prices = self.lists().into_iter().flat_map(|(_, list)| list.entries()).flat_map(|(model, _)| &model.prices);
        prices.find(|price| &*price.id == price_id).map(|price| lines(query, Some(price)))
    }

    /// The entries of the catalogue, in its order.
    pub fn catalogue(&self) -> impl Iterator<Item = Listed<'_>> {
        let list: &Catalogue = &self.catalogue;
        list.entries().map(|(model, also)| Listed { provider: &model.provider, name: &model.name, also, model })
    }
}
