//! Own prices as people read and write them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::id::{ModelPriceId, OrganizationId, ProjectId, UserId};
use crate::observability::pricing::{AboveFile, Match, Owner, PriceFile, RatesFile};

/// For whom prices count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Organization(OrganizationId),
    /// With the organisation that it inherits from.
    Project(OrganizationId, ProjectId),
}

impl Scope {
    pub(super) const fn owner(self) -> Owner {
        match self {
            Self::Organization(_) => Owner::Organization,
            Self::Project(..) => Owner::Project,
        }
    }

    pub(super) fn id(self) -> String {
        match self {
            Self::Organization(id) => id.to_string(),
            Self::Project(_, id) => id.to_string(),
        }
    }
}

/// Whose list a price is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceScope {
    Project,
    Organization,
    Catalogue,
}

impl PriceScope {
    pub(super) fn of(source: &str) -> Self {
        match source {
            "project" => Self::Project,
            "organization" => Self::Organization,
            _ => Self::Catalogue,
        }
    }
}

/// Rates for long contexts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AboveRates {
    /// They hold when all input together is more than so many tokens.
    #[schema(minimum = 1)]
    pub input_tokens: u64,
    /// US dollars for a million tokens as decimal text, by kind of usage.
    pub rates: BTreeMap<String, String>,
}

/// Rates of a service tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TierRates {
    /// US dollars for a million tokens as decimal text, by kind of usage.
    pub rates: BTreeMap<String, String>,
    #[serde(default)]
    pub above: Vec<AboveRates>,
}

/// A price from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceVersion {
    /// The first day, `YYYY-MM-DD` in UTC; null: since ever. What is older than the first version is priced by the lists behind.
    #[serde(default)]
    pub from: Option<String>,
    /// US dollars for a million tokens as decimal text, by kind of usage: `input`, `input_cache_read`, `input_cache_write_5m`,
    /// `input_cache_write_1h`, `input_audio`, `input_image`, `output`, `output_reasoning`, `output_audio`.
    pub rates: BTreeMap<String, String>,
    #[serde(default)]
    pub above: Vec<AboveRates>,
    #[serde(default)]
    pub batch: Option<TierRates>,
    #[serde(default)]
    pub flex: Option<TierRates>,
    #[serde(default)]
    pub priority: Option<TierRates>,
}

impl From<TierRates> for RatesFile {
    fn from(rates: TierRates) -> Self {
        let above = rates.above.into_iter().map(|above| AboveFile { input_tokens: above.input_tokens, rates: above.rates });
        Self { rates: rates.rates, above: above.collect() }
    }
}

impl From<RatesFile> for TierRates {
    fn from(file: RatesFile) -> Self {
        let above = file.above.into_iter().map(|above| AboveRates { input_tokens: above.input_tokens, rates: above.rates });
        Self { rates: file.rates, above: above.collect() }
    }
}

impl From<PriceVersion> for PriceFile {
    fn from(version: PriceVersion) -> Self {
        Self {
            from: version.from,
            seen: None,
            source: None,
            rates: TierRates { rates: version.rates, above: version.above }.into(),
            batch: version.batch.map(RatesFile::from),
            flex: version.flex.map(RatesFile::from),
            priority: version.priority.map(RatesFile::from),
        }
    }
}

impl From<PriceFile> for PriceVersion {
    fn from(file: PriceFile) -> Self {
        let TierRates { rates, above } = file.rates.into();
        let (batch, flex, priority) = (file.batch, file.flex, file.priority);
        Self {
            from: file.from,
            rates,
            above,
            batch: batch.map(TierRates::from),
            flex: flex.map(TierRates::from),
            priority: priority.map(TierRates::from),
        }
    }
}

/// An own price to be made, or the contents of one anew.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelPriceInput {
    /// Empty or left out: at any provider.
    #[serde(default)]
    pub provider: String,
    /// The model's name, or a pattern with `*` for any characters.
    pub model: String,
    pub prices: Vec<PriceVersion>,
}

/// Who changed something last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UpdatedBy {
    #[schema(value_type = String)]
    pub id: UserId,
    pub email: Option<String>,
}

/// An own price for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelPrice {
    #[schema(value_type = String)]
    pub id: ModelPriceId,
    /// `project` or `organization`.
    pub scope: PriceScope,
    pub scope_id: String,
    /// Empty: at any provider.
    pub provider: String,
    pub model: String,
    /// Oldest first.
    pub prices: Vec<PriceVersion>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: Option<UpdatedBy>,
}

/// The entry and version that price a model at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceMatch {
    pub scope: PriceScope,
    /// Of the entry; empty in one for any provider.
    pub provider: String,
    /// Of the entry: a name, or a pattern.
    pub model: String,
    /// `exact`, `normalised` (without path, region, date, edition) or `pattern`.
    pub rule: &'static str,
    pub price_id: String,
    pub version: PriceVersion,
}

impl From<Match> for PriceMatch {
    fn from(found: Match) -> Self {
        Self {
            scope: PriceScope::of(found.source),
            provider: found.provider,
            model: found.model,
            rule: found.rule.name(),
            price_id: found.price_id.to_string(),
            version: found.price.into(),
        }
    }
}
