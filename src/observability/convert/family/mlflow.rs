//! MLflow's tracing.
//!
//! Source: the constants of its tracing module. Its values are JSON, texts included.

use super::{Family, Field, Read, attribute, part};

const TYPES: &[(&str, &str)] = &[
    ("llm", "generation"),
    ("chat_model", "generation"),
    ("chain", "chain"),
    ("agent", "agent"),
    ("tool", "tool"),
    ("embedding", "embedding"),
    ("retriever", "retrieval"),
    ("reranker", "rerank"),
    ("workflow", "workflow"),
    ("guardrail", "guardrail"),
    ("evaluator", "evaluator"),
    ("parser", "span"),
    ("memory", "span"),
    ("task", "span"),
    ("unknown", "span"),
];

pub(super) const FAMILY: Family = Family {
    name: "mlflow",
    marks: &[],
    rules: &[
        attribute(Field::Type, "mlflow.spanType").read(Read::Words(TYPES)),
        attribute(Field::ResponseModel, "mlflow.llm.model").read(Read::Quoted),
        attribute(Field::Provider, "mlflow.llm.provider").read(Read::Quoted),
        attribute(Field::Session, "mlflow.trace.session").read(Read::Quoted),
        attribute(Field::User, "mlflow.trace.user").read(Read::Quoted),
        attribute(Field::Input, "mlflow.spanInputs"),
        attribute(Field::Output, "mlflow.spanOutputs"),
        part(Field::InputTokens, "mlflow.chat.tokenUsage#input_tokens").as_provider(),
        part(Field::CacheReadTokens, "mlflow.chat.tokenUsage#cache_read_input_tokens").as_provider(),
        part(Field::CacheWriteTokens, "mlflow.chat.tokenUsage#cache_creation_input_tokens").as_provider(),
        part(Field::OutputTokens, "mlflow.chat.tokenUsage#output_tokens").as_provider(),
        part(Field::TotalTokens, "mlflow.chat.tokenUsage#total_tokens"),
        part(Field::TotalCost, "mlflow.llm.cost#total_cost"),
        part(Field::InputCost, "mlflow.llm.cost#input_cost"),
        part(Field::OutputCost, "mlflow.llm.cost#output_cost"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{kvlist, row, value};

    #[test]
    fn texts_are_json_and_usage_is_an_object() {
        for usage in [
            value(r#"{"input_tokens":10,"output_tokens":5,"total_tokens":15}"#),
            kvlist(&[("input_tokens", value(10)), ("output_tokens", value(5)), ("total_tokens", value(15))]),
        ] {
            let row = row(&[
                ("mlflow.spanType", value("\"CHAT_MODEL\"")),
                ("mlflow.llm.model", value("\"gpt-4o\"")),
                ("mlflow.llm.provider", value("openai")),
                ("mlflow.trace.session", value("\"s\"")),
                ("mlflow.spanInputs", value("{\"messages\":[]}")),
                ("mlflow.spanOutputs", value("{\"choices\":[]}")),
                ("mlflow.chat.tokenUsage", usage),
            ]);
            assert_eq!((row.r#type.as_str(), row.model.as_str(), row.session_id.as_str()), ("generation", "gpt-4o", "s"));
            assert_eq!((row.input.as_str(), row.output.as_str()), ("{\"messages\":[]}", "{\"choices\":[]}"));
            assert_eq!((row.input_tokens, row.output_tokens, row.client_total_tokens), (10, 5, Some(15)));
            assert_eq!(row.total_cost, Some(75_000_000));
        }
    }
}
