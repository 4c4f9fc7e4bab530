//! Why a row says what it says: which rule filled which field, and which attributes no rule used.

use std::cell::Cell;

use super::ConvertContext;
use super::original::is_original;
use super::rebuild::rebuild;
use super::span::read;
use super::table::{Found, TABLE, View};
use super::value::into_maps;
use crate::observability::rows::ObservationRow;

/// What the rules made of a span.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// By name.
    pub fields: Vec<FilledField>,
    /// The keys of attributes that no rule used, each once, sorted. By the rules of today, which may know more than those that
    /// made the row.
    pub unused_attributes: Vec<String>,
}

/// A field that a rule filled.
#[derive(Debug, PartialEq, Eq)]
pub struct FilledField {
    pub field: String,
    /// As it stands in `mapping`.
    pub rule: String,
    /// The convention; empty where none had a part in it.
    pub family: String,
    /// The span attribute the value came from, or what the keys of several begin with, and `*`.
    pub attribute: Option<String>,
}

/// Explains a row.
#[must_use]
pub fn explain(row: &ObservationRow) -> Explanation {
    let mut fields: Vec<FilledField> =
        row.mapping.iter().filter(|(field, _)| !is_original(field)).map(|(field, rule)| filled(field, rule)).collect();
    fields.sort_by(|one, other| one.field.cmp(&other.field));
    Explanation { fields, unused_attributes: unused(row) }
}

fn filled(field: &str, rule: &str) -> FilledField {
    let (family, source) = rule.split_once(':').unwrap_or_default();
    // Of what was put together from two attributes, the one that is not in front.
    let source = source.rsplit_once('+').map_or(source, |(_, last)| last);
    let key = source.split_once('#').map_or(source, |(key, _)| key);
    let is_key = !key.is_empty() && !TABLE.is_of_events(rule) && !key.starts_with("resource ");
    FilledField { field: field.to_owned(), rule: rule.to_owned(), family: family.to_owned(), attribute: is_key.then(|| key.to_owned()) }
}

/// Reads the span once more, to see what is looked at.
fn unused(row: &ObservationRow) -> Vec<String> {
    let rebuilt = rebuild(row.clone());
    let span = rebuilt.span;
    let resource = rebuilt.resource.resource.unwrap_or_default();
    let mut again = ObservationRow {
        resource_attributes: into_maps(resource.attributes).0,
        scope_name: row.scope_name.clone(),
        kind: row.kind,
        start_time: row.start_time,
        end_time: row.end_time,
        ..ObservationRow::default()
    };
    let mut found = Found::default();
    found.enter_scope(&row.scope_name);
    found.index(&span.attributes);
    let used = vec![Cell::new(false); span.attributes.len()];
    let resource = std::mem::take(&mut again.resource_attributes);
    let view = View::new(&found, &span.attributes, &span.events, &resource).noting(&used);
    let context = ConvertContext { project_id: "", received_at_us: 0, environment: None, retention_days: 0 };
    read(&mut again, &view, &context, None, span.status, span.name);
    let mut unused: Vec<String> =
        span.attributes.iter().zip(&used).filter(|(_, used)| !used.get()).map(|(attribute, _)| attribute.key.clone()).collect();
    unused.dedup();
    unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{fixture_rows, row, value};

    fn field(explanation: &Explanation, name: &str) -> (String, String, Option<String>) {
        let found = explanation.fields.iter().find(|filled| filled.field == name).unwrap();
        (found.rule.clone(), found.family.clone(), found.attribute.clone())
    }

    #[test]
    fn says_which_rule_filled_what_and_what_nobody_used() {
        let row = row(&[
            ("openinference.span.kind", value("LLM")),
            ("llm.model_name", value("gpt-4o")),
            ("llm.token_count.prompt", value(10)),
            ("llm.token_count.completion", value(5)),
            ("input.value", value("hello")),
            ("output.value", value("hi")),
            ("my.own", value("x")),
            ("another", value(5)),
            ("user.id", value("  ")),
        ]);
        let explanation = explain(&row);
        assert_eq!(
            field(&explanation, "model"),
            ("openinference:llm.model_name".to_owned(), "openinference".to_owned(), Some("llm.model_name".to_owned()))
        );
        assert_eq!(field(&explanation, "input").2.as_deref(), Some("input.value"));
        assert!(explanation.fields.is_sorted_by(|one, other| one.field < other.field));
        // What is blank says nothing, so nobody used it.
        assert_eq!(explanation.unused_attributes, ["another", "my.own", "user.id"]);
    }

    #[test]
    fn what_came_from_elsewhere_has_no_attribute() {
        let filled = |rule: &str| {
            let FilledField { family, attribute, .. } = filled("f", rule);
            (family, attribute)
        };
        let of = |family: &str, attribute: Option<&str>| (family.to_owned(), attribute.map(str::to_owned));
        assert_eq!(filled("model with usage"), of("", None));
        assert_eq!(filled("header x-brokle-environment"), of("", None));
        assert_eq!(filled("otel:resource service.version"), of("otel", None));
        assert_eq!(filled("genai-events:events"), of("genai-events", None));
        assert_eq!(filled("pydantic-ai:events"), of("pydantic-ai", Some("events")));
        assert_eq!(filled("openinference:llm.input_messages.*"), of("openinference", Some("llm.input_messages.*")));
        assert_eq!(filled("langfuse:langfuse.observation.usage_details#input"), of("langfuse", Some("langfuse.observation.usage_details")));
        assert_eq!(filled("genai:gen_ai.system_instructions+gen_ai.input.messages"), of("genai", Some("gen_ai.input.messages")));
        assert_eq!(filled("genkit:genkit:input"), of("genkit", Some("genkit:input")));
    }

    #[test]
    fn a_note_of_what_was_sent_is_no_field() {
        let rows = fixture_rows("vercel-ai-v7-genai.json");
        for row in rows {
            assert!(explain(&row).fields.iter().all(|filled| !filled.field.starts_with("span.")));
        }
    }
}
