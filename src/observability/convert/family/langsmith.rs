//! LangSmith's OpenTelemetry export.
//!
//! Source: its documentation of supported attributes and its exporter. Inputs and outputs come as `gen_ai.prompt` and
//! `gen_ai.completion`; counts are LangChain's, whose details are part of their totals.

use super::{Family, Field, Mark, Read, attribute, part};

const KINDS: &[(&str, &str)] = &[
    ("llm", "generation"),
    ("chain", "chain"),
    ("tool", "tool"),
    ("retriever", "retrieval"),
    ("embedding", "embedding"),
    ("prompt", "span"),
    ("parser", "span"),
];

pub(super) const FAMILY: Family = Family {
    name: "langsmith",
    marks: &[Mark::KeyPrefix("langsmith.")],
    rules: &[
        attribute(Field::Type, "langsmith.span.kind").read(Read::Words(KINDS)),
        attribute(Field::Tags, "langsmith.span.tags"),
        attribute(Field::Session, "langsmith.metadata.session_id"),
        attribute(Field::Session, "langsmith.metadata.thread_id"),
        attribute(Field::Session, "langsmith.metadata.conversation_id"),
        attribute(Field::User, "langsmith.metadata.user_id"),
        attribute(Field::RequestModel, "langsmith.metadata.ls_model_name").late(),
        attribute(Field::Provider, "langsmith.metadata.ls_provider").late(),
        attribute(Field::InputTokens, "gen_ai.usage.input_tokens").inclusive().only_marked(),
        part(Field::CacheReadTokens, "gen_ai.usage.input_token_details#cache_read").inclusive(),
        part(Field::CacheWriteTokens, "gen_ai.usage.input_token_details#cache_creation").inclusive(),
        part(Field::CacheWrite5mTokens, "gen_ai.usage.input_token_details#ephemeral_5m_input_tokens").inclusive(),
        part(Field::CacheWrite1hTokens, "gen_ai.usage.input_token_details#ephemeral_1h_input_tokens").inclusive(),
        part(Field::InputAudioTokens, "gen_ai.usage.input_token_details#audio").inclusive(),
        part(Field::ReasoningTokens, "gen_ai.usage.output_token_details#reasoning").inclusive(),
        part(Field::OutputAudioTokens, "gen_ai.usage.output_token_details#audio").inclusive(),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{row, value};

    #[test]
    fn a_run_lands_in_its_fields() {
        let row = row(&[
            ("langsmith.span.kind", value("llm")),
            ("langsmith.span.tags", value("a, b")),
            ("langsmith.metadata.thread_id", value("t-1")),
            ("langsmith.metadata.user_id", value("u-1")),
            ("gen_ai.system", value("anthropic")),
            ("gen_ai.request.model", value("claude-3-5-sonnet-20241022")),
            ("gen_ai.prompt", value("{\"messages\":[]}")),
            ("gen_ai.completion", value("{\"generations\":[]}")),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.output_tokens", value(50)),
            ("gen_ai.usage.input_token_details", value(r#"{"cache_read":40,"cache_creation":10}"#)),
            ("gen_ai.usage.output_token_details", value(r#"{"reasoning":20}"#)),
        ]);
        assert_eq!((row.r#type.as_str(), row.session_id.as_str(), row.user_id.as_str(), row.tags.len()), ("generation", "t-1", "u-1", 2));
        assert_eq!((row.input.as_str(), row.output.as_str()), ("{\"messages\":[]}", "{\"generations\":[]}"));
        let usage = [("input", 50), ("input_cache_read", 40), ("input_cache_write_5m", 10), ("output", 30), ("output_reasoning", 20)];
        assert_eq!(row.usage_details[..5], usage.map(|(kind, count)| (kind.to_owned(), count)));
    }
}
