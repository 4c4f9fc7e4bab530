//! Whether an own price can be stored: each fault with the path of its field.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::model::{AboveRates, ModelPriceInput, PriceVersion, TierRates};
use crate::observability::convert::provider::normalise_provider;
use crate::observability::pricing::{is_day, names, parse_money};
use crate::observability::usage::UsageKind;

const MOST_VERSIONS: usize = 50;
const MOST_CONTEXTS: usize = 8;

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// As in `prices[0].rates.input`.
    pub field: String,
    pub message: String,
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault { field: field.into(), message: message.into() });
    }

    fn name(&mut self, field: &str, text: &str) {
        if text.len() > names::MAX_NAME_BYTES {
            self.add(field, format!("{field} must be {} bytes at most", names::MAX_NAME_BYTES));
        }
        if text.chars().any(char::is_control) {
            self.add(field, format!("{field} must hold no control characters"));
        }
    }

    fn version(&mut self, at: &str, version: &PriceVersion) {
        if let Some(from) = &version.from
            && !is_day(from)
        {
            self.add(format!("{at}.from"), "from must be a day as YYYY-MM-DD");
        }
        self.card(at, &version.rates, &version.above, true);
        for (name, tier) in [("batch", &version.batch), ("flex", &version.flex), ("priority", &version.priority)] {
            if let Some(TierRates { rates, above }) = tier {
                self.card(&format!("{at}.{name}"), rates, above, false);
            }
        }
    }

    fn card(&mut self, at: &str, rates: &BTreeMap<String, String>, above: &[AboveRates], standard: bool) {
        if rates.is_empty() && (standard || above.is_empty()) {
            self.add(format!("{at}.rates"), "at least one kind of usage needs a rate");
        }
        self.rates(at, rates);
        if above.len() > MOST_CONTEXTS {
            self.add(format!("{at}.above"), format!("at most {MOST_CONTEXTS} longer contexts can have rates"));
        }
        let mut limits = BTreeSet::new();
        for (index, long) in above.iter().enumerate() {
            let at = format!("{at}.above[{index}]");
            if long.input_tokens == 0 {
                self.add(format!("{at}.input_tokens"), "input_tokens must be 1 or more");
            }
            if !limits.insert(long.input_tokens) {
                self.add(format!("{at}.input_tokens"), "two contexts begin at the same length");
            }
            if long.rates.is_empty() {
                self.add(format!("{at}.rates"), "at least one kind of usage needs a rate");
            }
            self.rates(&at, &long.rates);
        }
    }

    fn rates(&mut self, at: &str, rates: &BTreeMap<String, String>) {
        for (kind, amount) in rates {
            let shown: String = kind.chars().take(64).collect();
            if UsageKind::from_name(kind).is_none() {
                let known: Vec<&str> = UsageKind::ALL.iter().map(|kind| kind.name()).collect();
                self.add(format!("{at}.rates.{shown}"), format!("`{shown}` is no kind of usage; there are {}", known.join(", ")));
            } else if amount.len() > 40 || parse_money(amount).is_none() {
                let message = "a rate must be an amount of US dollars for a million as decimal text, from 0 to below 1000000";
                self.add(format!("{at}.rates.{shown}"), message);
            }
        }
    }
}

/// The price as it is stored: names trimmed, the provider by its one name, versions oldest first.
///
/// # Errors
/// Every fault that it has.
pub fn checked(input: ModelPriceInput) -> Result<ModelPriceInput, Vec<Fault>> {
    let mut faults = Faults::default();
    let provider = normalise_provider(input.provider.trim()).into_owned();
    let model = input.model.trim().to_owned();
    faults.name("provider", &provider);
    faults.name("model", &model);
    if provider.contains('*') {
        faults.add("provider", "provider must be a name; leave it empty for any provider");
    }
    if model.is_empty() {
        faults.add("model", "model must be a name, or a pattern with *");
    }
    if input.prices.is_empty() || input.prices.len() > MOST_VERSIONS {
        faults.add("prices", format!("there must be 1 to {MOST_VERSIONS} prices"));
    }
    let mut days = BTreeSet::new();
    for (index, version) in input.prices.iter().enumerate().take(MOST_VERSIONS) {
        faults.version(&format!("prices[{index}]"), version);
        if !days.insert(version.from.as_deref()) {
            faults.add(format!("prices[{index}].from"), "two prices begin on the same day");
        }
    }
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    let mut prices = input.prices;
    prices.sort_by(|one, other| one.from.cmp(&other.from));
    Ok(ModelPriceInput { provider, model, prices })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(body: serde_json::Value) -> Vec<String> {
        let input = serde_json::from_value(body).unwrap();
        checked(input).err().unwrap_or_default().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn each_fault_names_its_field() {
        let good = json!({"rates": {"input": "2.5"}});
        for (body, fields) in [
            (json!({"provider": "OpenAI", "model": " gpt-* ", "prices": [good]}), vec![]),
            (json!({"model": "", "prices": []}), vec!["model", "prices"]),
            (json!({"provider": "open*", "model": "m", "prices": [good]}), vec!["provider"]),
            (json!({"model": "x".repeat(257), "prices": [good]}), vec!["model"]),
            (json!({"model": "a\nb", "prices": [good]}), vec!["model"]),
            (json!({"model": "m", "prices": [{"rates": {}}]}), vec!["prices[0].rates"]),
            (
                json!({"model": "m", "prices": [{"rates": {"input": "-1", "output": "x", "thoughts": "1", "input_audio": "1e6"}}]}),
                vec!["prices[0].rates.input", "prices[0].rates.input_audio", "prices[0].rates.output", "prices[0].rates.thoughts"],
            ),
            (json!({"model": "m", "prices": [good, good]}), vec!["prices[1].from"]),
            (json!({"model": "m", "prices": [{"from": "2026-02-30", "rates": {"input": "1"}}]}), vec!["prices[0].from"]),
            (json!({"model": "m", "prices": [{"from": "2026-2-3", "rates": {"input": "1"}}]}), vec!["prices[0].from"]),
            (
                json!({"model": "m", "prices": [{"rates": {"input": "1"}, "batch": {"rates": {}}, "priority": {"rates": {"output": "NaN"}}}]}),
                vec!["prices[0].batch.rates", "prices[0].priority.rates.output"],
            ),
            (
                json!({"model": "m", "prices": [{"rates": {"input": "1"}, "above": [{"input_tokens": 0, "rates": {}}, {"input_tokens": 0, "rates": {"input": ""}}]}]}),
                vec![
                    "prices[0].above[0].input_tokens",
                    "prices[0].above[0].rates",
                    "prices[0].above[1].input_tokens",
                    "prices[0].above[1].input_tokens",
                    "prices[0].above[1].rates.input",
                ],
            ),
        ] {
            assert_eq!(faults(body.clone()), fields, "{body}");
        }
    }

    #[test]
    fn what_is_stored_has_one_form() {
        let body = json!({"provider": " Azure ", "model": " m ", "prices": [{"from": "2026-01-01", "rates": {"input": "1"}}, {"rates": {"input": "2"}}]});
        let stored = checked(serde_json::from_value(body).unwrap()).unwrap();
        assert_eq!((stored.provider.as_str(), stored.model.as_str()), ("azure_openai", "m"));
        assert_eq!(stored.prices[0].from, None);
    }
}
