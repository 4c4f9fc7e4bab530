//! OpenTelemetry's current conventions for generative AI, and the dialects of it that instrumentations speak.
//!
//! Source: the `gen_ai` registry of the OpenTelemetry semantic conventions. Since `gen_ai.usage.cache_read.input_tokens`
//! exists, `gen_ai.usage.input_tokens` is to include all input; the flat spellings come from instrumentations that pass on
//! what the provider's API counted.

use super::{Family, Field, Read, Rule, attribute, indexed};
use crate::observability::convert::indexed::parameters;

const OPERATIONS: &[(&str, &str)] = &[
    ("chat", "generation"),
    ("text_completion", "generation"),
    ("completion", "generation"),
    ("generate_content", "generation"),
    ("image_generation", "generation"),
    ("audio_transcription", "generation"),
    ("audio_generation", "generation"),
    ("embeddings", "embedding"),
    ("embedding", "embedding"),
    ("execute_tool", "tool"),
    ("invoke_agent", "agent"),
    ("create_agent", "agent"),
    ("invoke_workflow", "workflow"),
    ("retrieval", "retrieval"),
    // As OpenLLMetry calls it.
    ("vector_db_retrieve", "retrieval"),
    ("rerank", "rerank"),
];

/// A count as the current conventions define it.
const fn inclusive(field: Field, key: &'static str) -> Rule {
    attribute(field, key).read(Read::Inclusive)
}

/// A count as the provider's API gave it.
const fn as_provider(field: Field, key: &'static str) -> Rule {
    attribute(field, key).read(Read::AsProvider)
}

pub(super) const FAMILY: Family = Family {
    name: "genai",
    marks: &[],
    rules: &[
        attribute(Field::Type, "gen_ai.operation.name").read(Read::Words(OPERATIONS)),
        attribute(Field::ToolName, "gen_ai.tool.name"),
        attribute(Field::ResponseModel, "gen_ai.response.model"),
        attribute(Field::RequestModel, "gen_ai.request.model"),
        attribute(Field::Provider, "gen_ai.provider.name"),
        indexed(Field::Parameters, "gen_ai.request.", parameters),
        attribute(Field::FirstToken, "gen_ai.response.time_to_first_chunk").read(Read::Seconds),
        attribute(Field::FirstToken, "gen_ai.response.time_to_first_token").read(Read::Seconds),
        attribute(Field::FirstToken, "gen_ai.server.time_to_first_token").read(Read::Seconds),
        attribute(Field::ServiceTier, "openai.response.service_tier"),
        attribute(Field::ServiceTier, "gen_ai.openai.response.service_tier"),
        attribute(Field::ServiceTier, "openai.request.service_tier"),
        attribute(Field::ServiceTier, "gen_ai.openai.request.service_tier"),
        attribute(Field::Input, "gen_ai.input.messages"),
        attribute(Field::Input, "gen_ai.tool.call.arguments"),
        attribute(Field::Output, "gen_ai.output.messages"),
        attribute(Field::Output, "gen_ai.tool.call.result"),
        attribute(Field::SystemInstructions, "gen_ai.system_instructions"),
        as_provider(Field::InputTokens, "gen_ai.usage.input_tokens"),
        inclusive(Field::CacheReadTokens, "gen_ai.usage.cache_read.input_tokens"),
        inclusive(Field::CacheReadTokens, "gen_ai.usage.input_tokens.cached"),
        as_provider(Field::CacheReadTokens, "gen_ai.usage.cache_read_input_tokens"),
        as_provider(Field::CacheReadTokens, "gen_ai.usage.details.cache_read_input_tokens"),
        as_provider(Field::CacheReadTokens, "gen_ai.usage.details.cache_read_tokens"),
        as_provider(Field::CacheReadTokens, "gen_ai.usage.cached_tokens"),
        as_provider(Field::CacheReadTokens, "gen_ai.usage.cache_read_tokens"),
        inclusive(Field::CacheWriteTokens, "gen_ai.usage.cache_creation.input_tokens"),
        inclusive(Field::CacheWriteTokens, "gen_ai.usage.cache_write.input_tokens"),
        inclusive(Field::CacheWriteTokens, "gen_ai.usage.input_tokens.cache_write"),
        as_provider(Field::CacheWriteTokens, "gen_ai.usage.cache_creation_input_tokens"),
        as_provider(Field::CacheWriteTokens, "gen_ai.usage.cache_write_input_tokens"),
        as_provider(Field::CacheWriteTokens, "gen_ai.usage.cache_write_tokens"),
        as_provider(Field::CacheWriteTokens, "gen_ai.usage.details.cache_creation_input_tokens"),
        as_provider(Field::CacheWriteTokens, "gen_ai.usage.details.cache_write_tokens"),
        as_provider(Field::CacheWrite5mTokens, "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens"),
        as_provider(Field::CacheWrite5mTokens, "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"),
        as_provider(Field::CacheWrite1hTokens, "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
        as_provider(Field::CacheWrite1hTokens, "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens"),
        inclusive(Field::InputAudioTokens, "gen_ai.usage.input_audio_tokens"),
        inclusive(Field::InputAudioTokens, "gen_ai.usage.details.input_audio_tokens"),
        inclusive(Field::InputImageTokens, "gen_ai.usage.input_image_tokens"),
        inclusive(Field::InputImageTokens, "gen_ai.usage.image_tokens"),
        as_provider(Field::OutputTokens, "gen_ai.usage.output_tokens"),
        inclusive(Field::ReasoningTokens, "gen_ai.usage.reasoning.output_tokens"),
        inclusive(Field::ReasoningTokens, "gen_ai.usage.output_tokens.reasoning"),
        inclusive(Field::ReasoningTokens, "gen_ai.usage.reasoning_tokens"),
        inclusive(Field::ReasoningTokens, "gen_ai.usage.reasoning_output_tokens"),
        inclusive(Field::ReasoningTokens, "gen_ai.usage.details.reasoning_tokens"),
        inclusive(Field::OutputAudioTokens, "gen_ai.usage.output_audio_tokens"),
        inclusive(Field::OutputAudioTokens, "gen_ai.usage.details.output_audio_tokens"),
        attribute(Field::TotalTokens, "gen_ai.usage.total_tokens"),
        attribute(Field::TotalCost, "gen_ai.usage.cost").read(Read::NotZero),
        attribute(Field::TotalCost, "gen_ai.usage.total_cost"),
        attribute(Field::InputCost, "gen_ai.usage.input_cost"),
        attribute(Field::OutputCost, "gen_ai.usage.output_cost"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{attribute, fixture_attributes, mapped, row, row_of, value};

    #[test]
    fn the_current_form_of_a_call() {
        insta::assert_yaml_snapshot!(row_of(fixture_attributes("genai-client-tool-calls.json")));
    }

    #[test]
    fn a_tool_call_is_named_after_its_tool_and_keeps_the_name_of_its_span() {
        let row = row(&[
            ("gen_ai.operation.name", value("execute_tool")),
            ("gen_ai.tool.name", value("get_weather")),
            ("gen_ai.tool.call.arguments", value("{\"city\":\"Paris\"}")),
            ("gen_ai.tool.call.result", value("rain")),
        ]);
        assert_eq!((row.name.as_str(), row.r#type.as_str()), ("get_weather", "tool"));
        assert_eq!((row.input.as_str(), row.output.as_str()), ("{\"city\":\"Paris\"}", "rain"));
        assert_eq!(mapped(&row, "span.name"), Some("test span"));
        assert_eq!(attribute(&row, "gen_ai.tool.call.result"), None);
        assert_eq!(attribute(&row, "gen_ai.tool.name"), Some("get_weather"));
    }

    #[test]
    fn system_instructions_go_in_front_unless_a_system_message_is_there() {
        let messages = "[{\"role\":\"user\",\"content\":\"hi\"}]";
        let plain = row(&[("gen_ai.system_instructions", value("Be brief.")), ("gen_ai.input.messages", value(messages))]);
        assert_eq!(plain.input, "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"hi\"}]");
        assert_eq!(mapped(&plain, "input"), Some("genai:gen_ai.system_instructions+gen_ai.input.messages"));
        assert_eq!(attribute(&plain, "gen_ai.input.messages"), Some(messages));

        let parts = row(&[
            ("gen_ai.system_instructions", value("[{\"type\":\"text\",\"content\":\"Be brief.\"}]")),
            ("gen_ai.input.messages", value(messages)),
        ]);
        assert!(parts.input.starts_with("[{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"Be brief.\"}]},{"));

        let whole = row(&[
            ("gen_ai.system_instructions", value("[{\"role\":\"system\",\"content\":\"Be brief.\"}]")),
            ("gen_ai.input.messages", value(messages)),
        ]);
        assert_eq!(whole.input, plain.input);

        let with_system = "[{\"role\":\"system\",\"content\":\"Mine\"}]";
        let kept = row(&[("gen_ai.system_instructions", value("Be brief.")), ("gen_ai.input.messages", value(with_system))]);
        assert_eq!(kept.input, with_system);
        assert_eq!(attribute(&kept, "gen_ai.input.messages"), None);

        let alone = row(&[("gen_ai.system_instructions", value("Be brief."))]);
        assert_eq!(alone.input, "[{\"role\":\"system\",\"content\":\"Be brief.\"}]");
        let no_list = row(&[("gen_ai.system_instructions", value("Be brief.")), ("gen_ai.input.messages", value("hello"))]);
        assert_eq!(no_list.input, "hello");
    }

    #[test]
    fn structured_messages_become_json_and_keep_their_type() {
        let row = row(&[("gen_ai.output.messages", value(vec![value("a"), value(1)]))]);
        assert_eq!(row.output, "[\"a\",1]");
        assert_eq!(row.attribute_types, [("gen_ai.output.messages".to_owned(), 4)]);
    }

    #[test]
    fn operations_give_types_and_a_model_with_usage_is_a_generation() {
        let kind = |operation: &'static str| row(&[("gen_ai.operation.name", value(operation))]).r#type;
        for (operation, expected) in [
            ("chat", "generation"),
            ("text_completion", "generation"),
            ("generate_content", "generation"),
            ("embeddings", "embedding"),
            ("execute_tool", "tool"),
            ("invoke_agent", "agent"),
            ("create_agent", "agent"),
            ("vector_db_retrieve", "retrieval"),
            ("Chat", "generation"),
            ("dance", "span"),
        ] {
            assert_eq!(kind(operation), expected, "{operation}");
        }
        let guessed = row(&[("gen_ai.request.model", value("m")), ("gen_ai.usage.input_tokens", value(1))]);
        assert_eq!((guessed.r#type.as_str(), mapped(&guessed, "type")), ("generation", Some("model with usage")));
        assert_eq!(row(&[("gen_ai.request.model", value("m"))]).r#type, "span");
    }

    #[test]
    fn the_first_token_is_counted_from_the_start() {
        let first = |seconds: f64| {
            let row = row(&[("gen_ai.response.time_to_first_token", value(seconds))]);
            row.completion_start_time.map(|time| time - row.start_time)
        };
        assert_eq!(first(0.25), Some(250_000_000));
        assert_eq!(first(-1.0), None);
        assert_eq!(first(f64::NAN), None);
        assert_eq!(first(1e30), None);
    }

    #[test]
    fn parameters_are_those_of_the_request_without_the_model() {
        let row = row(&[
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.request.temperature", value(0.5)),
            ("gen_ai.request.max_tokens", value(10)),
            ("gen_ai.request.seed", value("")),
            ("gen_ai.request.stop_sequences", value(vec![value("a")])),
            ("gen_ai.request.user", value("u-9")),
            ("gen_ai.request.__proto__", value("x")),
        ]);
        assert_eq!(row.model_parameters, r#"{"temperature":0.5,"max_tokens":10,"stop_sequences":["a"],"__proto__":"x"}"#);
        assert_eq!(row.user_id, "u-9");
    }
}
