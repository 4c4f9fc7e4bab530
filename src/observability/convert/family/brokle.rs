//! Attributes of Brokle's own SDKs. Input, output, model and most of the usage come under OpenInference and GenAI keys.

use super::{Family, Field, Mark, Read, TYPES, attribute, resource};

const LEVELS: &[(&str, &str)] =
    &[("debug", "DEBUG"), ("default", "DEFAULT"), ("info", "DEFAULT"), ("warning", "WARNING"), ("warn", "WARNING"), ("error", "ERROR")];

pub(super) const FAMILY: Family = Family {
    name: "brokle",
    marks: &[Mark::KeyPrefix("brokle.")],
    rules: &[
        attribute(Field::Type, "brokle.span.type").read(Read::Words(TYPES)),
        attribute(Field::Level, "brokle.span.level").read(Read::Words(LEVELS)),
        attribute(Field::StatusMessage, "brokle.status_message"),
        attribute(Field::Environment, "brokle.environment"),
        resource(Field::Environment, "brokle.environment"),
        attribute(Field::Release, "brokle.release"),
        resource(Field::Release, "brokle.release"),
        attribute(Field::Version, "brokle.version"),
        attribute(Field::Version, "brokle.span.version"),
        resource(Field::Version, "brokle.version"),
        attribute(Field::Tags, "brokle.trace.tags"),
        attribute(Field::PromptId, "brokle.prompt.id"),
        attribute(Field::PromptName, "brokle.prompt.name"),
        attribute(Field::PromptVersion, "brokle.prompt.version"),
        attribute(Field::TotalTokens, "brokle.usage.total_tokens"),
        // These SDKs write milliseconds under a key that others use for seconds.
        attribute(Field::FirstToken, "gen_ai.response.time_to_first_token").read(Read::Milliseconds).only_marked(),
        // These SDKs pass on what the provider's API counted.
        attribute(Field::CacheReadTokens, "gen_ai.usage.input_tokens.cache_read").read(Read::AsProvider),
        attribute(Field::CacheWriteTokens, "gen_ai.usage.input_tokens.cache_creation").read(Read::AsProvider),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{flagged, mapped, row, value};

    #[test]
    fn a_whole_span_lands_in_its_fields() {
        let row = row(&[
            ("brokle.span.type", value("evaluator")),
            ("brokle.span.level", value("warning")),
            ("brokle.status_message", value("slow")),
            ("brokle.environment", value("staging")),
            ("brokle.release", value("2026.11")),
            ("brokle.version", value("7")),
            ("brokle.trace.tags", value("[\"a\",\"b\"]")),
            ("brokle.prompt.id", value("p-1")),
            ("brokle.prompt.name", value("greeting")),
            ("brokle.prompt.version", value(3)),
            ("brokle.usage.total_tokens", value(15)),
            ("gen_ai.provider.name", value("OpenAI")),
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.usage.input_tokens", value(10)),
            ("gen_ai.usage.output_tokens", value(5)),
            ("gen_ai.response.time_to_first_token", value(250.0)),
            ("input.value", value("{\"q\":1}")),
            ("output.value", value("hello")),
            ("user.id", value("u-1")),
            ("session.id", value("s-1")),
        ]);
        insta::assert_yaml_snapshot!(row);
    }

    #[test]
    fn an_explicit_plain_span_stays_one_although_it_has_a_model_and_usage() {
        let row =
            row(&[("brokle.span.type", value("span")), ("gen_ai.request.model", value("gpt-4o")), ("gen_ai.usage.input_tokens", value(1))]);
        assert_eq!(row.r#type, "span");
        assert_eq!(mapped(&row, "type"), Some("brokle:brokle.span.type"));
    }

    #[test]
    fn an_unknown_type_or_level_says_nothing() {
        let row = row(&[("brokle.span.type", value("teapot")), ("brokle.span.level", value("loud"))]);
        assert_eq!((row.r#type.as_str(), row.level.as_str()), ("span", "DEFAULT"));
        assert!(!flagged(&row, "usage_refused"));
    }

    #[test]
    fn versions_of_prompts_may_be_text() {
        assert_eq!(row(&[("brokle.prompt.version", value("12"))]).prompt_version, 12);
        assert_eq!(row(&[("brokle.prompt.version", value("v12"))]).prompt_version, 12);
        assert_eq!(row(&[("brokle.prompt.version", value("latest"))]).prompt_version, 0);
    }

    #[test]
    fn the_cache_counts_of_anthropic_are_beside_the_input() {
        let row = row(&[
            ("brokle.span.type", value("generation")),
            ("gen_ai.provider.name", value("anthropic")),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.input_tokens.cache_read", value(40)),
            ("gen_ai.usage.input_tokens.cache_creation", value(20)),
        ]);
        assert_eq!(row.input_tokens, 160);
        assert_eq!(row.usage_details[0], ("input".to_owned(), 100));
    }
}
