//! Microsoft's Semantic Kernel, and Azure's SDKs that share its spellings.
//!
//! Source: their experimental telemetry, before they followed OpenTelemetry's current conventions.

use super::{Family, Field, Read, attribute};

const OPERATIONS: &[(&str, &str)] = &[
    ("chat.completions", "generation"),
    ("text.completions", "generation"),
    ("chat_completions", "generation"),
    ("text_completions", "generation"),
    ("auto_function_invocation_loop", "span"),
];

pub(super) const FAMILY: Family = Family {
    name: "semantic-kernel",
    marks: &[],
    rules: &[
        attribute(Field::Type, "gen_ai.operation.name").read(Read::Words(OPERATIONS)),
        attribute(Field::InputTokens, "gen_ai.response.prompt_tokens").as_provider(),
        attribute(Field::OutputTokens, "gen_ai.response.completion_tokens").as_provider(),
    ],
};

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::span::Event;

    use crate::observability::convert::testing::{convert_span, pairs, row, span, value};

    #[test]
    fn older_spellings_are_understood() {
        let row = row(&[
            ("gen_ai.operation.name", value("chat.completions")),
            ("gen_ai.system", value("openai")),
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.response.prompt_tokens", value("16")),
            ("gen_ai.response.completion_tokens", value("28")),
        ]);
        assert_eq!((row.r#type.as_str(), row.input_tokens, row.output_tokens), ("generation", 16, 28));
    }

    #[test]
    fn messages_may_be_json_in_the_event() {
        let mut span = span(Vec::new());
        let event = |name: &str, content: &str| Event {
            name: name.to_owned(),
            attributes: pairs(&[("gen_ai.system", value("openai")), ("gen_ai.event.content", value(content))]),
            ..Event::default()
        };
        span.events = vec![
            event("gen_ai.user.message", r#"{"role":"user","content":"hi"}"#),
            event("gen_ai.system.message", r#"{"content":"Be brief."}"#),
            event("gen_ai.choice", r#"{"message":{"role":"assistant","content":"yo"},"finish_reason":"stop"}"#),
        ];
        let row = convert_span(span);
        assert_eq!(row.input, r#"[{"role":"user","content":"hi"},{"role":"system","content":"Be brief."}]"#);
        assert_eq!(row.output, r#"[{"role":"assistant","message":{"role":"assistant","content":"yo"},"finish_reason":"stop"}]"#);
    }
}
