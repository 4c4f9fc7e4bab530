//! OpenInference (Arize Phoenix and the frameworks that use its instrumentation).
//!
//! Source: the OpenInference semantic conventions. Its token counts are inclusive: the prompt contains what was cached, the
//! completion what was reasoned.

use super::{Family, Field, Read, Rule, SOMETHING, attribute, indexed, part};
use crate::observability::convert::indexed::{documents, embedded_texts, messages};

const KINDS: &[(&str, &str)] = &[
    ("llm", "generation"),
    ("embedding", "embedding"),
    ("retriever", "retrieval"),
    ("reranker", "rerank"),
    ("tool", "tool"),
    ("agent", "agent"),
    ("chain", "chain"),
    ("guardrail", "guardrail"),
    ("evaluator", "evaluator"),
    ("prompt", "span"),
    ("unknown", "span"),
];

const fn count(field: Field, key: &'static str) -> Rule {
    attribute(field, key).read(Read::Inclusive)
}

const fn lives(field: Field, path: &'static str) -> Rule {
    part(field, path).read(Read::Inclusive).when("llm.token_count.prompt_details.cache_write", SOMETHING)
}

pub(super) const FAMILY: Family = Family {
    name: "openinference",
    marks: &[],
    rules: &[
        attribute(Field::Type, "openinference.span.kind").read(Read::Words(KINDS)),
        attribute(Field::ResponseModel, "llm.model_name"),
        attribute(Field::RequestModel, "llm.request.model_name"),
        attribute(Field::RequestModel, "embedding.model_name"),
        attribute(Field::RequestModel, "reranker.model_name"),
        attribute(Field::Provider, "llm.provider"),
        attribute(Field::Provider, "llm.system"),
        // A call that failed tells its model nowhere else.
        part(Field::RequestModel, "llm.invocation_parameters#model").late(),
        attribute(Field::Parameters, "llm.invocation_parameters"),
        attribute(Field::Parameters, "embedding.invocation_parameters"),
        attribute(Field::Tags, "tag.tags"),
        attribute(Field::PromptId, "prompt.id"),
        attribute(Field::Input, "input.value"),
        indexed(Field::Input, "llm.input_messages.", messages),
        indexed(Field::Input, "embedding.embeddings.", embedded_texts),
        indexed(Field::Input, "reranker.input_documents.", documents),
        attribute(Field::Output, "output.value"),
        indexed(Field::Output, "llm.output_messages.", messages),
        indexed(Field::Output, "retrieval.documents.", documents),
        indexed(Field::Output, "reranker.output_documents.", documents),
        count(Field::InputTokens, "llm.token_count.prompt"),
        count(Field::CacheReadTokens, "llm.token_count.prompt_details.cache_read"),
        count(Field::CacheWriteTokens, "llm.token_count.prompt_details.cache_write"),
        // How long what was written to a cache lives is only in Anthropic's own answer; it is not looked for elsewhere.
        lives(Field::CacheWrite5mTokens, "output.value#usage.cache_creation.ephemeral_5m_input_tokens"),
        lives(Field::CacheWrite1hTokens, "output.value#usage.cache_creation.ephemeral_1h_input_tokens"),
        count(Field::InputAudioTokens, "llm.token_count.prompt_details.audio"),
        count(Field::OutputTokens, "llm.token_count.completion"),
        count(Field::ReasoningTokens, "llm.token_count.completion_details.reasoning"),
        count(Field::OutputAudioTokens, "llm.token_count.completion_details.audio"),
        attribute(Field::TotalTokens, "llm.token_count.total"),
        attribute(Field::TotalCost, "llm.cost.total"),
        attribute(Field::InputCost, "llm.cost.prompt"),
        attribute(Field::CacheReadCost, "llm.cost.prompt_details.cache_read"),
        attribute(Field::CacheWriteCost, "llm.cost.prompt_details.cache_write"),
        attribute(Field::OutputCost, "llm.cost.completion"),
        attribute(Field::ReasoningCost, "llm.cost.completion_details.reasoning"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{attribute, fixture_attributes, fixture_rows, mapped, row, row_of, value};

    #[test]
    fn a_call_with_tools_lands_in_its_fields() {
        insta::assert_yaml_snapshot!(row_of(fixture_attributes("expected-openinference-tool-calls.json")));
    }

    #[test]
    fn messages_are_rebuilt_where_there_is_no_value() {
        let row = fixture_rows("openinference-llm-messages.json").remove(0);
        assert_eq!(
            row.input,
            r#"[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"What is the weather today?"}]"#
        );
        assert_eq!(mapped(&row, "input"), Some("openinference:llm.input_messages.*"));
        assert_eq!(attribute(&row, "llm.input_messages.0.message.role"), Some("system"));
        assert_eq!(attribute(&row, "custom_attribute"), Some("should_be_preserved"));
    }

    #[test]
    fn tool_calls_and_contents_of_messages_are_lists() {
        let row = row_of(
            fixture_attributes("expected-openinference-tool-calls.json").into_iter().filter(|pair| pair.key != "input.value").collect(),
        );
        assert_eq!(
            row.input,
            concat!(
                r#"[{"role":"user","content":[{"type":"text","text":"Weather in Paris?"}]},"#,
                r#"{"role":"assistant","content":[{"type":"text","text":"Absolutely! Let me check the weather for you."}],"#,
                r#""tool_calls":[{"id":"1234","function":{"name":"get_weather","arguments":"{\"location\":\"Paris\"}"}}]},"#,
                r#"{"role":"tool","content":"rainy, 57°F","tool_call_id":"1234"}]"#
            )
        );
    }

    #[test]
    fn kinds_give_types() {
        for (kind, expected) in [
            ("LLM", "generation"),
            ("EMBEDDING", "embedding"),
            ("RETRIEVER", "retrieval"),
            ("RERANKER", "rerank"),
            ("TOOL", "tool"),
            ("AGENT", "agent"),
            ("CHAIN", "chain"),
            ("GUARDRAIL", "guardrail"),
            ("EVALUATOR", "evaluator"),
            ("UNKNOWN", "span"),
        ] {
            assert_eq!(row(&[("openinference.span.kind", value(kind))]).r#type, expected, "{kind}");
        }
        let chain = row(&[
            ("openinference.span.kind", value("CHAIN")),
            ("gen_ai.operation.name", value("chat")),
            ("gen_ai.request.model", value("m")),
            ("gen_ai.usage.input_tokens", value(1)),
        ]);
        assert_eq!(chain.r#type, "chain");
    }

    #[test]
    fn retrieved_documents_are_the_output() {
        let row = row(&[
            ("openinference.span.kind", value("RETRIEVER")),
            ("input.value", value("q")),
            ("retrieval.documents.1.document.content", value("b")),
            ("retrieval.documents.0.document.id", value("d0")),
            ("retrieval.documents.0.document.content", value("a")),
            ("retrieval.documents.0.document.score", value(0.5)),
        ]);
        assert_eq!(row.output, r#"[{"id":"d0","content":"a","score":0.5},{"content":"b"}]"#);
    }

    #[test]
    fn embedded_texts_are_the_input_and_vectors_are_not() {
        let row = row(&[
            ("embedding.embeddings.0.embedding.text", value("a")),
            ("embedding.embeddings.0.embedding.vector", value(vec![value(0.5)])),
            ("embedding.embeddings.1.embedding.text", value("b")),
            ("embedding.model_name", value("text-embedding-3-small")),
        ]);
        assert_eq!((row.input.as_str(), row.model.as_str()), (r#"["a","b"]"#, "text-embedding-3-small"));
    }

    #[test]
    fn a_huge_index_builds_no_array_of_that_size() {
        let row = row(&[
            ("llm.input_messages.999999999.message.role", value("user")),
            ("llm.input_messages.18446744073709551616.message.role", value("odd")),
            ("llm.input_messages.0.message.content", value("a")),
        ]);
        assert_eq!(row.input, r#"[{"content":"a"},{"role":"user"}]"#);
        assert_eq!(row.attributes.len(), 3);
    }

    #[test]
    fn costs_of_the_client_win() {
        let row = row(&[
            ("llm.model_name", value("gpt-4o")),
            ("llm.provider", value("openai")),
            ("llm.token_count.prompt", value(1000)),
            ("llm.cost.prompt", value(0.001)),
            ("llm.cost.completion", value("0.002")),
            ("llm.cost.total", value(0.003_000_000_001)),
        ]);
        assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(3_000_000_001), "client"));
        assert_eq!(row.cost_details, [("input".to_owned(), 1_000_000_000), ("output".to_owned(), 2_000_000_000)]);
        assert_eq!(row.price_id, "");
    }
}
