//! Prices as files and stored entries spell them. Amounts are decimal text: US dollars for a million tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The catalogue as it is in its file.
#[derive(Debug, Deserialize)]
pub(super) struct CatalogueFile {
    pub models: Vec<ModelFile>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ModelFile {
    pub provider: String,
    pub name: String,
    /// Other exact names of the model.
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(default)]
    pub patterns: Vec<String>,
    pub prices: Vec<PriceFile>,
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
    /// Where it was taken from.
    #[serde(default)]
    pub source: Option<String>,
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
    pub rates: BTreeMap<String, String>,
    #[serde(default)]
    pub above: Vec<AboveFile>,
}

/// Rates for long contexts.
#[derive(Debug, Clone, Deserialize)]
pub struct AboveFile {
    /// The rates hold when all input together is more than this.
    pub input_tokens: u64,
    pub rates: BTreeMap<String, String>,
}
