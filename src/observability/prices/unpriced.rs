//! Models that stored spans used and that have no price.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Error, Prices};
use crate::common::id::{OrganizationId, ProjectId};
use crate::common::time;
use crate::observability::pricing::{Pricer, Query, ServiceTier, Unpriced};
use crate::observability::store::UnpricedRow;
use crate::observability::usage::{Tokens, UsageKind};

/// Models that a list shows at most.
const MOST_MODELS: u32 = 500;

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedReason {
    /// No list knows the model.
    UnknownModel,
    /// Its price says nothing of some kind of usage: see `missing_rates`.
    NoRate,
    /// Its first price holds from a later day on.
    BeforeFirstPrice,
    /// There is a price by now; pricing these spans anew gives them their cost.
    PriceKnown,
}

/// A model without a price, with what was used of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnpricedModel {
    pub provider: String,
    /// Empty: the spans do not name their model.
    pub model: String,
    pub span_count: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Tokens by kind.
    pub usage: BTreeMap<String, u64>,
    /// Start of the first of these spans, RFC 3339.
    pub first_seen: String,
    pub last_seen: String,
    pub reason: UnpricedReason,
    /// Kinds of usage that need a rate.
    pub missing_rates: Vec<&'static str>,
}

impl UnpricedModel {
    fn new(row: UnpricedRow, pricer: &Pricer) -> Self {
        let mut tokens = Tokens::default();
        for (kind, count) in row.usage.iter().filter(|(_, count)| *count > 0) {
            if let Some(kind) = UsageKind::from_name(kind) {
                tokens.set(kind, *count);
            }
        }
        let (provider, model) = (row.provider.as_str(), row.model.as_str());
        let query = Query { provider, model, start_ns: row.first_seen, tokens: &tokens, tier: ServiceTier::Standard };
        let unpriced = if model.is_empty() { Some(Unpriced::UnknownModel) } else { pricer.quote(&query).unpriced };
        let (reason, missing) = match unpriced {
            Some(Unpriced::UnknownModel) => (UnpricedReason::UnknownModel, Vec::new()),
            Some(Unpriced::BeforeFirstPrice) => (UnpricedReason::BeforeFirstPrice, Vec::new()),
            Some(Unpriced::NoRate(kinds)) => (UnpricedReason::NoRate, kinds),
            None => (UnpricedReason::PriceKnown, Vec::new()),
        };
        Self {
            span_count: row.spans,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            usage: tokens.iter().map(|(kind, count)| (kind.name().to_owned(), count)).collect(),
            first_seen: time::rfc3339(row.first_seen),
            last_seen: time::rfc3339(row.last_seen),
            reason,
            missing_rates: missing.into_iter().map(UsageKind::name).collect(),
            provider: row.provider,
            model: row.model,
        }
    }
}

impl Prices {
    /// Models without a price among the spans that started in `[from, to)` (nanoseconds), those of most spans first.
    ///
    /// # Errors
    /// When a store does not answer.
    pub async fn unpriced(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        from: i64,
        to: i64,
    ) -> Result<Vec<UnpricedModel>, Error> {
        let pricer = self.book.of(organization, project).await?;
        let rows = self.telemetry.list_unpriced(&project.to_string(), from, to, MOST_MODELS).await?;
        Ok(rows.into_iter().map(|row| UnpricedModel::new(row, &pricer)).collect())
    }
}
