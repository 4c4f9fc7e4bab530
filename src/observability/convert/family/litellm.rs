//! LiteLLM's own OpenTelemetry callback, of its SDK and its proxy.
//!
//! Source: its integration. Messages and usage follow OpenTelemetry's conventions; counts are OpenAI's, whoever the provider is.
//! The details of the usage come only as the text of a Python dictionary.

use super::{Family, Field, Mark, attribute, indexed, part};
use crate::observability::convert::indexed::{Entry, messages};

pub(super) const FAMILY: Family = Family {
    name: "litellm",
    marks: &[Mark::Scope("litellm")],
    rules: &[
        indexed(Field::Output, "gen_ai.completion.", calls).only_marked(),
        attribute(Field::InputTokens, "gen_ai.usage.input_tokens").inclusive().only_marked(),
        attribute(Field::InputTokens, "gen_ai.usage.prompt_tokens").inclusive().only_marked(),
        part(Field::CacheReadTokens, "metadata.usage_object#prompt_tokens_details.cached_tokens").inclusive().only_marked(),
        part(Field::CacheWriteTokens, "metadata.usage_object#prompt_tokens_details.cache_creation_tokens").inclusive().only_marked(),
        part(
            Field::CacheWrite5mTokens,
            "metadata.usage_object#prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
        )
        .inclusive()
        .only_marked(),
        part(
            Field::CacheWrite1hTokens,
            "metadata.usage_object#prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
        )
        .inclusive()
        .only_marked(),
        part(Field::CacheReadTokens, "metadata.usage_object#cache_read_input_tokens").inclusive().only_marked(),
        part(Field::CacheWriteTokens, "metadata.usage_object#cache_creation_input_tokens").inclusive().only_marked(),
        part(Field::ReasoningTokens, "metadata.usage_object#completion_tokens_details.reasoning_tokens").inclusive().only_marked(),
        attribute(Field::TotalCost, "gen_ai.cost.total_cost"),
        attribute(Field::InputCost, "gen_ai.cost.input_cost"),
        attribute(Field::CacheReadCost, "gen_ai.cost.cache_read_cost"),
        attribute(Field::CacheWriteCost, "gen_ai.cost.cache_creation_cost"),
        attribute(Field::OutputCost, "gen_ai.cost.output_cost"),
        attribute(Field::ReasoningCost, "gen_ai.cost.reasoning_cost"),
        attribute(Field::User, "metadata.user_api_key_end_user_id").late(),
        attribute(Field::User, "llm.user").late(),
        attribute(Field::User, "metadata.user_api_key_user_id").late(),
        attribute(Field::Session, "metadata.session_id").only_marked().late(),
        attribute(Field::Tags, "metadata.tags").only_marked().late(),
    ],
};

/// The calls of functions, which its output messages leave out.
fn calls(entries: &[Entry<'_>]) -> Option<String> {
    entries.iter().any(|entry| entry.path.contains("_call")).then(|| messages(entries)).flatten()
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::InstrumentationScope;

    use crate::observability::convert::testing::{context, mapped, pairs, pricer, request, row, span, value};

    #[test]
    fn its_counts_are_inclusive_whoever_the_provider_is() {
        let attributes = [
            ("gen_ai.provider.name", value("anthropic")),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.cache_read_input_tokens", value(40)),
            ("gen_ai.cost.input_cost", value(0.001)),
            ("gen_ai.cost.output_cost", value(0.0)),
            ("gen_ai.cost.total_cost", value(0.001)),
        ];
        let mut request = request(span(pairs(&attributes)), Vec::new());
        request.resource_spans[0].scope_spans[0].scope =
            Some(InstrumentationScope { name: "litellm".to_owned(), ..InstrumentationScope::default() });
        let row = crate::observability::convert::convert(request, &context(), pricer()).remove(0);
        assert_eq!(row.usage_details[..2], [("input".to_owned(), 60), ("input_cache_read".to_owned(), 40)]);
        assert_eq!((row.total_cost, mapped(&row, "cost")), (Some(1_000_000_000), Some("litellm:gen_ai.cost.total_cost")));
    }

    #[test]
    fn the_user_of_a_request_is_its_user() {
        let row = row(&[("llm.user", value("u-1")), ("metadata.user_api_key_user_id", value("key-owner"))]);
        assert_eq!(row.user_id, "u-1");
    }
}
