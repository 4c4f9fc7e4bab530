//! Why a stored span costs what it costs.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::PriceMatch;
use super::{Error, Prices};
use crate::common::id::{OrganizationId, ProjectId};
use crate::common::money;
use crate::observability::convert::{listed_cost, tier};
use crate::observability::pricing::{Money, Pricer, Query, QuotedLine, Unpriced};
use crate::observability::rows::{CLIENT_COST, COST_OVERFLOW, ObservationRow, Pairs, USAGE_ROLLED_UP};
use crate::observability::usage::{Tokens, UsageKind};

/// A kind of usage of a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostLine {
    pub kind: &'static str,
    pub tokens: u64,
    /// US dollars for a million; null where it is not known, or not the product's.
    pub unit_price: Option<String>,
    /// The kind of usage whose rate it is: `input` for cache reads that have no rate of their own.
    pub unit_price_kind: Option<&'static str>,
    /// US dollars, as stored.
    pub cost: Option<String>,
}

/// Why a span costs what it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostExplanation {
    /// `client`, `project`, `organization`, `catalogue` or `none`.
    pub source: String,
    /// One sentence for people.
    pub reason: String,
    /// The price it was priced by.
    pub price_id: Option<String>,
    /// What prices the model today, at the span's time.
    pub r#match: Option<PriceMatch>,
    /// `standard`, `batch`, `flex` or `priority`.
    pub service_tier: &'static str,
    /// The rates hold for inputs longer than so many tokens; null: the ordinary ones.
    pub context_tier: Option<u64>,
    pub lines: Vec<CostLine>,
    /// US dollars, as stored; null where there is no price.
    pub total: Option<String>,
    /// The usage is the sum of what the span's children report; it costs nothing itself.
    pub rolled_up: bool,
    /// Whether today's prices give the stored cost. True where no price list changes it: costs of the client, rolled-up usage.
    pub current: bool,
    /// What today's prices give, US dollars; null where they give nothing, and where no price list changes the cost.
    pub current_total: Option<String>,
}

/// The tokens that a row holds, by kind.
pub(super) fn tokens_of(usage: &Pairs<u64>) -> Tokens {
    let mut tokens = Tokens::default();
    for (kind, count) in usage {
        if let Some(kind) = UsageKind::from_name(kind) {
            tokens.set(kind, *count);
        }
    }
    tokens
}

fn text(amount: Option<Money>) -> Option<String> {
    amount.map(|amount| money::to_text(amount.into()))
}

/// Whose cost a row has.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Kind {
    Client,
    RolledUp,
    Listed,
    None,
}

impl CostExplanation {
    pub(super) fn new(row: &ObservationRow, pricer: &Pricer) -> Self {
        let tokens = tokens_of(&row.usage_details);
        let service_tier = tier::of_stored(&row.scope_name, &row.attributes);
        let query = Query { provider: &row.provider, model: &row.model, start_ns: row.start_time, tokens: &tokens, tier: service_tier };
        let quote = pricer.quote(&query);
        let today = listed_cost(pricer, &query);
        let has = |flag: &str| row.flags.iter().any(|found| found == flag);
        let kind = match (row.cost_source.as_str(), row.total_cost) {
            (CLIENT_COST, _) => Kind::Client,
            _ if has(USAGE_ROLLED_UP) => Kind::RolledUp,
            (_, Some(_)) => Kind::Listed,
            (_, None) => Kind::None,
        };
        let used = (kind == Kind::Listed).then(|| pricer.quote_by(&row.price_id, &query)).flatten();
        let quoted = match kind {
            Kind::Listed => used.as_deref(),
            Kind::None => Some(quote.lines.as_slice()),
            Kind::Client | Kind::RolledUp => None,
        };
        let lines = lines(row, &tokens, quoted);
        let context_tier = quoted.into_iter().flatten().filter_map(|line| line.rate?.above).max();
        let fixed = matches!(kind, Kind::Client | Kind::RolledUp);
        let found = quote.found.filter(|_| !row.model.is_empty());
        let reason = match kind {
            Kind::Client => "the client sent the cost with the span; price lists do not change it".to_owned(),
            Kind::RolledUp => "the usage is the sum of what the span's children report; each token is priced where it was used".to_owned(),
            Kind::Listed => listed_reason(row, used.as_deref()),
            Kind::None => unpriced_reason(row, &tokens, has(COST_OVERFLOW), quote.unpriced.as_ref()),
        };
        Self {
            source: if row.cost_source.is_empty() { "none".to_owned() } else { row.cost_source.clone() },
            reason,
            price_id: (!row.price_id.is_empty()).then(|| row.price_id.clone()),
            r#match: found.map(PriceMatch::from),
            service_tier: service_tier.name(),
            context_tier,
            lines,
            total: text(row.total_cost),
            rolled_up: has(USAGE_ROLLED_UP),
            current: fixed || today.total == row.total_cost,
            current_total: text(today.total.filter(|_| !fixed)),
        }
    }
}

fn lines(row: &ObservationRow, tokens: &Tokens, quoted: Option<&[QuotedLine]>) -> Vec<CostLine> {
    UsageKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let stored = row.cost_details.iter().find(|(name, _)| name == kind.name()).map(|(_, cost)| *cost);
            let count = tokens.get(kind);
            if count.is_none() && stored.is_none() {
                return None;
            }
            // A rate that does not give the stored cost is not the one it was priced at: the entry was changed since.
            let line = quoted.into_iter().flatten().find(|line| line.kind == kind);
            let rate = line.filter(|line| stored.is_none() || line.cost == stored).and_then(|line| line.rate);
            Some(CostLine {
                kind: kind.name(),
                tokens: count.unwrap_or(0),
                unit_price: text(rate.map(|rate| rate.amount)),
                unit_price_kind: rate.map(|rate| rate.kind.name()),
                cost: text(stored),
            })
        })
        .collect()
}

fn listed_reason(row: &ObservationRow, used: Option<&[QuotedLine]>) -> String {
    let list = match row.cost_source.as_str() {
        "project" => "the project's own price",
        "organization" => "the organization's own price",
        _ => "the price of the catalogue",
    };
    let stored = |kind: UsageKind| row.cost_details.iter().find(|(name, _)| name == kind.name()).map(|(_, cost)| *cost);
    match used {
        None => format!("priced by {list} {}, which is not there any more", row.price_id),
        Some(lines) if lines.iter().any(|line| stored(line.kind) != line.cost) => {
            format!("priced by {list} {}, which was changed since", row.price_id)
        }
        Some(_) => format!("priced by {list} {}, valid when the span started", row.price_id),
    }
}

fn unpriced_reason(row: &ObservationRow, tokens: &Tokens, overflow: bool, unpriced: Option<&Unpriced>) -> String {
    if overflow {
        return "it costs a million dollars or more, which cannot be stored; see whether usage and price are right".to_owned();
    }
    if tokens.is_empty() {
        return "the span tells no usage".to_owned();
    }
    if row.model.is_empty() {
        return "the span does not name its model".to_owned();
    }
    match unpriced {
        Some(Unpriced::UnknownModel) => "no price list knows the model; set a price for it".to_owned(),
        Some(Unpriced::BeforeFirstPrice) => "the model's first price holds from a later day on; add a price for the time before".to_owned(),
        Some(Unpriced::NoRate(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            format!("the model's price has no rate for {}; add it", kinds.join(", "))
        }
        None => "there was no price when the span came; there is one now: price stored spans anew".to_owned(),
    }
}

impl Prices {
    /// Why a span costs what it costs.
    ///
    /// # Errors
    /// [`Error::SpanNotFound`]; when a store does not answer.
    pub async fn explain(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        trace_id: Option<&str>,
        span_id: &str,
    ) -> Result<CostExplanation, Error> {
        let row = self.telemetry.find_span(&project.to_string(), trace_id, span_id).await?.ok_or(Error::SpanNotFound)?;
        let pricer = self.book.of(organization, project).await?;
        Ok(CostExplanation::new(&row, &pricer))
    }
}
