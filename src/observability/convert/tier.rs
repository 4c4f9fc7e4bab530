//! The service tier that a call was made under, of a span as it comes and as it is stored.

use std::sync::LazyLock;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use super::family::Field;
use super::table::{Found, TABLE, View};
use crate::observability::pricing::ServiceTier;
use crate::observability::rows::Pairs;

static ATTRIBUTES: LazyLock<Vec<&'static str>> = LazyLock::new(|| TABLE.attributes_of(Field::ServiceTier));

/// The attributes that may tell it. None of them becomes the input or the output, so a stored span has them all.
#[must_use]
pub fn attributes() -> &'static [&'static str] {
    &ATTRIBUTES
}

pub(super) fn of(view: &View<'_>) -> ServiceTier {
    view.text(Field::ServiceTier).map_or(ServiceTier::Standard, |(tier, _)| ServiceTier::from_name(&tier))
}

/// The tier of a stored span, by the same rules as when it came. Of its attributes only [`attributes`] are needed.
#[must_use]
pub fn of_stored(scope_name: &str, attributes: &Pairs<String>) -> ServiceTier {
    let told: Vec<KeyValue> = attributes
        .iter()
        .filter(|(key, _)| ATTRIBUTES.contains(&key.as_str()))
        .map(|(key, text)| KeyValue {
            key: key.clone(),
            value: Some(AnyValue { value: Some(Value::StringValue(text.clone())) }),
            ..KeyValue::default()
        })
        .collect();
    if told.is_empty() {
        return ServiceTier::Standard;
    }
    let mut found = Found::default();
    found.enter_scope(scope_name);
    found.index(&told);
    of(&View::new(&found, &told, &[], &Pairs::new()))
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::AnyValue;

    use super::*;
    use crate::observability::convert::testing::{kvlist, row, value};

    /// However a span tells its tier, its row tells it too.
    #[test]
    fn a_stored_span_tells_the_tier_it_was_priced_at() {
        let usage = [
            ("gen_ai.provider.name", value("openai")),
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.usage.input_tokens", value(1_000_000)),
        ];
        let forms: [(&str, AnyValue); 7] = [
            ("openai.response.service_tier", value("batch")),
            ("gen_ai.openai.response.service_tier", value("batch")),
            ("openai.request.service_tier", value("batch")),
            ("gen_ai.openai.request.service_tier", value("batch")),
            ("langfuse.observation.model.parameters", value("{\"service_tier\":\"batch\"}")),
            ("ai.response.providerMetadata", value("{\"openai\":{\"serviceTier\":\"batch\"}}")),
            ("ai.response.providerMetadata", kvlist(&[("openai", kvlist(&[("serviceTier", value("batch"))]))])),
        ];
        let mut told: Vec<&str> = forms.iter().map(|(key, _)| *key).collect();
        told.dedup();
        told.sort_unstable();
        assert_eq!(told, attributes(), "a way to tell the tier that this test does not know");
        for form in forms {
            let key = form.0;
            let row = row(&[&usage[..], &[form]].concat());
            assert_eq!(row.total_cost, Some(1_250_000_000_000), "{key}");
            assert_eq!(of_stored(&row.scope_name, &row.attributes), ServiceTier::Batch, "{key}");
        }
        assert_eq!(of_stored("", &row(&usage).attributes), ServiceTier::Standard);
        assert_eq!(of_stored("", &Pairs::new()), ServiceTier::Standard);
    }
}
