//! Genkit.
//!
//! Source: its telemetry guide. What kind of action a span is stands in `genkit:metadata:subtype`; the usage of a model is part of
//! its output, and repeated in the output of whatever called it.

use super::{Family, Field, Read, Rule, attribute, part};

const SUBTYPES: &[(&str, &str)] = &[
    ("model", "generation"),
    ("background-model", "generation"),
    ("flow", "workflow"),
    ("tool", "tool"),
    ("tool.v2", "tool"),
    ("agent", "agent"),
    ("retriever", "retrieval"),
    ("reranker", "rerank"),
    ("embedder", "embedding"),
    ("evaluator", "evaluator"),
    ("indexer", "span"),
    ("prompt", "span"),
    ("executable-prompt", "span"),
    ("util", "span"),
];
const TYPES: &[(&str, &str)] = &[("flow", "workflow"), ("flowstep", "span"), ("util", "span")];

/// A rule that holds for the span of a model only.
const fn of_model(rule: Rule) -> Rule {
    rule.when("genkit:metadata:subtype", "model")
}

pub(super) const FAMILY: Family = Family {
    name: "genkit",
    marks: &[],
    rules: &[
        attribute(Field::Type, "genkit:metadata:subtype").read(Read::Words(SUBTYPES)),
        attribute(Field::Type, "genkit:type").read(Read::Words(TYPES)),
        attribute(Field::ToolName, "genkit:name"),
        of_model(attribute(Field::RequestModel, "genkit:name")),
        attribute(Field::Session, "genkit:sessionId"),
        attribute(Field::Input, "genkit:input"),
        attribute(Field::Output, "genkit:output"),
        of_model(part(Field::InputTokens, "genkit:output#usage.inputTokens").inclusive()),
        of_model(part(Field::CacheReadTokens, "genkit:output#usage.cachedContentTokens").inclusive()),
        of_model(part(Field::OutputTokens, "genkit:output#usage.outputTokens").exclusive()),
        of_model(part(Field::ReasoningTokens, "genkit:output#usage.thoughtsTokens").exclusive()),
        of_model(part(Field::TotalTokens, "genkit:output#usage.totalTokens")),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{row, value};

    #[test]
    fn a_model_has_its_usage_and_what_called_it_does_not_repeat_it() {
        let output = r#"{"message":{"role":"model"},"usage":{"inputTokens":42,"outputTokens":17,"thoughtsTokens":3,"totalTokens":62}}"#;
        let row_of = |subtype: &str, name: &str| {
            row(&[
                ("genkit:type", value("action")),
                ("genkit:metadata:subtype", value(subtype)),
                ("genkit:name", value(name)),
                ("genkit:input", value("{\"messages\":[]}")),
                ("genkit:output", value(output)),
                ("genkit:sessionId", value("s")),
            ])
        };
        let model = row_of("model", "googleai/gemini-2.5-flash-lite");
        assert_eq!((model.r#type.as_str(), model.model.as_str()), ("generation", "googleai/gemini-2.5-flash-lite"));
        let usage = [("input", 42), ("output", 17), ("output_reasoning", 3), ("total", 62)];
        assert_eq!(model.usage_details, usage.map(|(kind, count)| (kind.to_owned(), count)));
        assert_eq!((model.session_id.as_str(), model.client_total_tokens), ("s", Some(62)));
        let flow = row_of("flow", "supportFlow");
        assert_eq!((flow.r#type.as_str(), flow.usage_details.len(), flow.model.as_str()), ("workflow", 0, ""));
        assert_eq!((flow.input.as_str(), flow.output.as_str()), ("{\"messages\":[]}", output));
        assert_eq!(row_of("tool", "lookupOrder").name, "lookupOrder");
        assert_eq!(row_of("embedder", "e").r#type, "embedding");
    }
}
