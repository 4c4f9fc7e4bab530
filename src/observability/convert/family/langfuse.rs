//! Langfuse's SDKs.
//!
//! Source: the attribute constants of its Python and JavaScript SDKs. Usage and cost come as JSON with keys of the user's choice,
//! each beside the others — except where a provider's usage object was passed on as it is, whose details are part of its totals.

use super::{Family, Field, Read, TYPES, attribute, part, resource};

const LEVELS: &[(&str, &str)] = &[("debug", "DEBUG"), ("default", "DEFAULT"), ("warning", "WARNING"), ("error", "ERROR")];

/// What Langfuse calls otherwise.
const KINDS: &[(&str, &str)] = &[("retriever", "retrieval")];

pub(super) const FAMILY: Family = Family {
    name: "langfuse",
    marks: &[],
    rules: &[
        attribute(Field::Type, "langfuse.observation.type").read(Read::Words(TYPES)),
        attribute(Field::Type, "langfuse.observation.type").read(Read::Words(KINDS)),
        attribute(Field::Level, "langfuse.observation.level").read(Read::Words(LEVELS)),
        attribute(Field::StatusMessage, "langfuse.observation.status_message"),
        attribute(Field::Environment, "langfuse.environment"),
        resource(Field::Environment, "langfuse.environment"),
        attribute(Field::Release, "langfuse.release"),
        resource(Field::Release, "langfuse.release"),
        attribute(Field::Version, "langfuse.version"),
        resource(Field::Version, "langfuse.version"),
        attribute(Field::User, "langfuse.user.id"),
        attribute(Field::User, "langfuse.trace.user_id"),
        attribute(Field::Session, "langfuse.session.id"),
        attribute(Field::Session, "langfuse.trace.session_id"),
        attribute(Field::Tags, "langfuse.trace.tags"),
        attribute(Field::ResponseModel, "langfuse.observation.model.name"),
        attribute(Field::ResponseModel, "langfuse.observation.model"),
        attribute(Field::Parameters, "langfuse.observation.model.parameters"),
        attribute(Field::Parameters, "langfuse.observation.model_parameters"),
        part(Field::ServiceTier, "langfuse.observation.model.parameters#service_tier"),
        attribute(Field::PromptName, "langfuse.observation.prompt.name"),
        attribute(Field::PromptVersion, "langfuse.observation.prompt.version"),
        attribute(Field::FirstToken, "langfuse.observation.completion_start_time").read(Read::Time),
        attribute(Field::Input, "langfuse.observation.input"),
        attribute(Field::Input, "langfuse.trace.input").late(),
        attribute(Field::Output, "langfuse.observation.output"),
        attribute(Field::Output, "langfuse.trace.output").late(),
        part(Field::InputTokens, "langfuse.observation.usage_details#input").exclusive(),
        part(Field::InputTokens, "langfuse.observation.usage_details#prompt_tokens").inclusive(),
        part(Field::InputTokens, "langfuse.observation.usage_details#input_tokens").exclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#prompt_tokens_details.cached_tokens").inclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#input_tokens_details.cached_tokens").inclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#cache_read_input_tokens").exclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#input_cached_tokens").exclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#input_cache_read").exclusive(),
        part(Field::CacheReadTokens, "langfuse.observation.usage_details#cache_read").exclusive(),
        part(Field::CacheWriteTokens, "langfuse.observation.usage_details#cache_creation_input_tokens").exclusive(),
        part(Field::CacheWriteTokens, "langfuse.observation.usage_details#input_cache_creation").exclusive(),
        part(Field::CacheWriteTokens, "langfuse.observation.usage_details#input_cache_write").exclusive(),
        part(Field::CacheWriteTokens, "langfuse.observation.usage_details#cache_creation").exclusive(),
        part(Field::CacheWrite5mTokens, "langfuse.observation.usage_details#cache_creation.ephemeral_5m_input_tokens").exclusive(),
        part(Field::CacheWrite5mTokens, "langfuse.observation.usage_details#input_cache_creation_5m").exclusive(),
        part(Field::CacheWrite1hTokens, "langfuse.observation.usage_details#cache_creation.ephemeral_1h_input_tokens").exclusive(),
        part(Field::CacheWrite1hTokens, "langfuse.observation.usage_details#input_cache_creation_1h").exclusive(),
        part(Field::InputAudioTokens, "langfuse.observation.usage_details#prompt_tokens_details.audio_tokens").inclusive(),
        part(Field::InputAudioTokens, "langfuse.observation.usage_details#input_audio_tokens").exclusive(),
        part(Field::InputAudioTokens, "langfuse.observation.usage_details#input_audio").exclusive(),
        part(Field::InputImageTokens, "langfuse.observation.usage_details#input_image").exclusive(),
        part(Field::OutputTokens, "langfuse.observation.usage_details#output").exclusive(),
        part(Field::OutputTokens, "langfuse.observation.usage_details#completion_tokens").inclusive(),
        part(Field::OutputTokens, "langfuse.observation.usage_details#output_tokens").exclusive(),
        part(Field::ReasoningTokens, "langfuse.observation.usage_details#completion_tokens_details.reasoning_tokens").inclusive(),
        part(Field::ReasoningTokens, "langfuse.observation.usage_details#output_tokens_details.reasoning_tokens").inclusive(),
        part(Field::ReasoningTokens, "langfuse.observation.usage_details#output_reasoning_tokens").exclusive(),
        part(Field::ReasoningTokens, "langfuse.observation.usage_details#output_reasoning").exclusive(),
        part(Field::OutputAudioTokens, "langfuse.observation.usage_details#completion_tokens_details.audio_tokens").inclusive(),
        part(Field::OutputAudioTokens, "langfuse.observation.usage_details#output_audio_tokens").exclusive(),
        part(Field::OutputAudioTokens, "langfuse.observation.usage_details#output_audio").exclusive(),
        part(Field::TotalTokens, "langfuse.observation.usage_details#total"),
        part(Field::TotalTokens, "langfuse.observation.usage_details#total_tokens"),
        part(Field::TotalCost, "langfuse.observation.cost_details#total").exclusive(),
        part(Field::InputCost, "langfuse.observation.cost_details#input").exclusive(),
        part(Field::InputCost, "langfuse.observation.cost_details#input_tokens").exclusive(),
        part(Field::InputCost, "langfuse.observation.cost_details#prompt_tokens").exclusive(),
        part(Field::CacheReadCost, "langfuse.observation.cost_details#cache_read_input_tokens").exclusive(),
        part(Field::CacheReadCost, "langfuse.observation.cost_details#input_cached_tokens").exclusive(),
        part(Field::CacheReadCost, "langfuse.observation.cost_details#input_cache_read").exclusive(),
        part(Field::CacheWriteCost, "langfuse.observation.cost_details#cache_creation_input_tokens").exclusive(),
        part(Field::CacheWriteCost, "langfuse.observation.cost_details#input_cache_creation").exclusive(),
        part(Field::OutputCost, "langfuse.observation.cost_details#output").exclusive(),
        part(Field::OutputCost, "langfuse.observation.cost_details#output_tokens").exclusive(),
        part(Field::OutputCost, "langfuse.observation.cost_details#completion_tokens").exclusive(),
        part(Field::ReasoningCost, "langfuse.observation.cost_details#output_reasoning_tokens").exclusive(),
        part(Field::ReasoningCost, "langfuse.observation.cost_details#output_reasoning").exclusive(),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{fixture_rows, mapped, row, value};

    #[test]
    fn a_whole_generation_lands_in_its_fields() {
        insta::assert_yaml_snapshot!(fixture_rows("langfuse-sdk-v3.json"));
    }

    #[test]
    fn types_are_said_explicitly() {
        for (said, expected) in [
            ("generation", "generation"),
            ("retriever", "retrieval"),
            ("embedding", "embedding"),
            ("agent", "agent"),
            ("guardrail", "guardrail"),
            ("evaluator", "evaluator"),
            ("event", "event"),
        ] {
            assert_eq!(row(&[("langfuse.observation.type", value(said))]).r#type, expected);
        }
        let plain = row(&[
            ("langfuse.observation.type", value("span")),
            ("openinference.span.kind", value("LLM")),
            ("langfuse.observation.model.name", value("gpt-4o")),
            ("langfuse.observation.usage_details", value("{\"input\":3}")),
        ]);
        assert_eq!((plain.r#type.as_str(), plain.total_tokens), ("span", 3));
        assert_eq!(mapped(&plain, "usage"), Some("langfuse:langfuse.observation.usage_details#input"));
    }

    #[test]
    fn its_own_user_and_session_come_before_the_general_ones() {
        let row = row(&[
            ("user.id", value("general")),
            ("langfuse.user.id", value("own")),
            ("session.id", value("general")),
            ("langfuse.session.id", value("own")),
            ("langfuse.trace.tags", value("[\"a\",\"b\"]")),
        ]);
        assert_eq!((row.user_id.as_str(), row.session_id.as_str(), row.tags), ("own", "own", vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn costs_stand_beside_each_other() {
        let row = row(&[
            ("langfuse.observation.usage_details", value(r#"{"input":10,"input_cached_tokens":90,"output":5}"#)),
            ("langfuse.observation.cost_details", value(r#"{"input":0.001,"input_cached_tokens":0.0009,"output":0.0005}"#)),
        ]);
        assert_eq!(row.total_cost, Some(2_400_000_000));
        let details = [("input", 1_000_000_000), ("input_cache_read", 900_000_000), ("output", 500_000_000)];
        assert_eq!(row.cost_details, details.map(|(kind, amount)| (kind.to_owned(), amount)));
    }
}
