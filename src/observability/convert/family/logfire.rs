//! Logfire, and its instrumentations of providers' SDKs.
//!
//! Source: Logfire's SDK. Its message is what a person would call the span; levels are OpenTelemetry's severity numbers.

use super::{Family, Field, Mark, Read, attribute, part};

const LEVELS: &[(&str, &str)] = &[("1", "DEBUG"), ("5", "DEBUG"), ("13", "WARNING"), ("17", "ERROR"), ("21", "ERROR")];

pub(super) const FAMILY: Family = Family {
    name: "logfire",
    marks: &[Mark::Scope("logfire"), Mark::Scope("logfire."), Mark::KeyPrefix("logfire.")],
    rules: &[
        attribute(Field::Name, "logfire.msg"),
        attribute(Field::Level, "logfire.level_num").read(Read::Words(LEVELS)),
        attribute(Field::Tags, "logfire.tags"),
        attribute(Field::Input, "request_data").only_marked().late(),
        attribute(Field::Output, "response_data").only_marked().late(),
        part(Field::InputTokens, "response_data#usage.prompt_tokens").inclusive().only_marked().late(),
        part(Field::OutputTokens, "response_data#usage.completion_tokens").inclusive().only_marked().late(),
        part(Field::CacheReadTokens, "response_data#usage.prompt_tokens_details.cached_tokens").inclusive().only_marked().late(),
        part(Field::ReasoningTokens, "response_data#usage.completion_tokens_details.reasoning_tokens").inclusive().only_marked().late(),
        // Anthropic's usage as its API gives it.
        part(Field::CacheReadTokens, "response_data#usage.cache_read_input_tokens").as_provider().only_marked().late(),
        part(Field::CacheWriteTokens, "response_data#usage.cache_creation_input_tokens").as_provider().only_marked().late(),
        part(Field::RequestModel, "request_data#model").only_marked().late(),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{mapped, row, value};

    #[test]
    fn its_message_is_the_name_and_the_span_keeps_its_own() {
        let row = row(&[("logfire.msg", value("Hello Ada")), ("logfire.level_num", value(13)), ("logfire.tags", value(vec![value("t")]))]);
        assert_eq!((row.name.as_str(), mapped(&row, "span.name")), ("Hello Ada", Some("test span")));
        assert_eq!((row.level.as_str(), row.tags.len()), ("WARNING", 1));
    }

    #[test]
    fn a_call_of_a_provider_has_its_request_and_response() {
        let row = row(&[
            ("logfire.msg", value("Chat Completion with 'gpt-4o'")),
            ("request_data", value(r#"{"messages":[{"role":"user","content":"hi"}],"model":"gpt-4o"}"#)),
            (
                "response_data",
                value(
                    r#"{"message":{"role":"assistant","content":"yo"},"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":6}}}"#,
                ),
            ),
        ]);
        assert_eq!((row.r#type.as_str(), row.model.as_str()), ("generation", "gpt-4o"));
        assert!(row.input.contains("hi") && row.output.contains("yo"));
        assert_eq!(
            row.usage_details[..3],
            [("input", 4), ("input_cache_read", 6), ("output", 4)].map(|(kind, count)| (kind.to_owned(), count))
        );
    }
}
