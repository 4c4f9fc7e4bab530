//! What a re-pricing has counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::money;

/// Models that a result shows at most.
const MOST_MODELS: usize = 500;
/// Models that are counted apart at most; further ones count in the sums only.
const MOST_COUNTED: usize = 5_000;

/// Amounts of 10^-12 US dollars: as text in JSON, whose numbers are not that long.
mod amount {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(amount: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Spans and what they cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    pub spans: u64,
    pub changed: u64,
    #[serde(with = "amount")]
    pub before: i128,
    #[serde(with = "amount")]
    pub after: i128,
}

impl Sums {
    fn add(&mut self, before: Option<i64>, after: Option<i64>, changed: bool) {
        self.spans += 1;
        self.changed += u64::from(changed);
        self.before += i128::from(before.unwrap_or(0));
        self.after += i128::from(after.unwrap_or(0));
    }
}

/// The sums of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OfModel {
    provider: String,
    model: String,
    sums: Sums,
}

/// Everything that was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    all: Sums,
    newly_priced: u64,
    no_longer_priced: u64,
    #[serde(with = "as_list")]
    models: BTreeMap<(String, String), Sums>,
}

/// A map whose keys are pairs, as a list.
mod as_list {
    use super::{BTreeMap, Deserialize, OfModel, Sums};
    use serde::{Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(models: &BTreeMap<(String, String), Sums>, serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<OfModel> = models
            .iter()
            .map(|((provider, model), sums)| OfModel { provider: provider.clone(), model: model.clone(), sums: sums.clone() })
            .collect();
        list.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<(String, String), Sums>, D::Error> {
        let list = Vec::<OfModel>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|of| ((of.provider, of.model), of.sums)).collect())
    }
}

impl Totals {
    /// Counts a span.
    pub fn add(&mut self, provider: &str, model: &str, before: Option<i64>, after: Option<i64>, changed: bool) {
        self.all.add(before, after, changed);
        self.newly_priced += u64::from(before.is_none() && after.is_some());
        self.no_longer_priced += u64::from(before.is_some() && after.is_none());
        let name = (provider.to_owned(), model.to_owned());
        if self.models.len() < MOST_COUNTED || self.models.contains_key(&name) {
            self.models.entry(name).or_default().add(before, after, changed);
        }
    }
}

/// What a re-pricing has counted for one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RepricedModel {
    pub provider: String,
    pub model: String,
    pub spans: u64,
    pub changed: u64,
    /// US dollars.
    pub cost_before: String,
    pub cost_after: String,
}

/// What a re-pricing has counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RepricingResult {
    /// Spans whose cost a price list decides.
    pub spans: u64,
    /// Those whose cost, or the price it comes from, is another.
    pub changed: u64,
    pub newly_priced: u64,
    pub no_longer_priced: u64,
    /// US dollars, over all these spans.
    pub cost_before: String,
    pub cost_after: String,
    /// The models with most changes first, 500 at most.
    pub by_model: Vec<RepricedModel>,
}

impl From<Totals> for RepricingResult {
    fn from(totals: Totals) -> Self {
        let mut by_model: Vec<RepricedModel> = totals
            .models
            .into_iter()
            .map(|((provider, model), sums)| RepricedModel {
                provider,
                model,
                spans: sums.spans,
                changed: sums.changed,
                cost_before: money::to_text(sums.before),
                cost_after: money::to_text(sums.after),
            })
            .collect();
        by_model.sort_by_key(|of| std::cmp::Reverse((of.changed, of.spans)));
        by_model.truncate(MOST_MODELS);
        Self {
            spans: totals.all.spans,
            changed: totals.all.changed,
            newly_priced: totals.newly_priced,
            no_longer_priced: totals.no_longer_priced,
            cost_before: money::to_text(totals.all.before),
            cost_after: money::to_text(totals.all.after),
            by_model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_read_back_and_sum_beyond_64_bits() {
        let mut totals = Totals::default();
        for _ in 0..20 {
            totals.add("x", "m", Some(999_999_999_999_999_999), None, true);
        }
        totals.add("", "n", None, Some(1), true);
        totals.add("", "n", Some(2), Some(2), false);
        let text = serde_json::to_string(&totals).unwrap();
        assert_eq!(serde_json::from_str::<Totals>(&text).unwrap(), totals);
        let result = RepricingResult::from(totals);
        assert_eq!((result.spans, result.changed, result.newly_priced, result.no_longer_priced), (22, 21, 1, 20));
        assert_eq!((result.cost_before.as_str(), result.cost_after.as_str()), ("19999999.999999999982", "0.000000000003"));
        assert_eq!(result.by_model[0].model, "m");
    }
}
