//! Google's Agent Development Kit.
//!
//! Source: its telemetry module. Its tool spans carry empty objects under the keys of model requests.

use super::{Family, Field, Mark, Read, attribute, part};

pub(super) const FAMILY: Family = Family {
    name: "google-adk",
    marks: &[Mark::Scope("gcp.vertex.agent"), Mark::KeyPrefix("gcp.vertex.agent.")],
    rules: &[
        attribute(Field::Type, "gcp.vertex.agent.tool_call_args").read(Read::Told("tool")).late(),
        attribute(Field::Type, "gcp.vertex.agent.llm_request").read(Read::Told("generation")).late(),
        attribute(Field::Session, "gcp.vertex.agent.session_id"),
        attribute(Field::User, "gcp.vertex.agent.user_id"),
        attribute(Field::Input, "gcp.vertex.agent.tool_call_args"),
        attribute(Field::Input, "gcp.vertex.agent.llm_request"),
        attribute(Field::Input, "gcp.vertex.agent.data"),
        attribute(Field::Output, "gcp.vertex.agent.tool_response"),
        attribute(Field::Output, "gcp.vertex.agent.llm_response"),
        // Google's own counts: the prompt contains what was cached, the candidates do not contain the thoughts.
        part(Field::InputTokens, "gcp.vertex.agent.llm_response#usage_metadata.prompt_token_count").inclusive(),
        part(Field::CacheReadTokens, "gcp.vertex.agent.llm_response#usage_metadata.cached_content_token_count").inclusive(),
        part(Field::OutputTokens, "gcp.vertex.agent.llm_response#usage_metadata.candidates_token_count").exclusive(),
        part(Field::ReasoningTokens, "gcp.vertex.agent.llm_response#usage_metadata.thoughts_token_count").exclusive(),
        part(Field::TotalTokens, "gcp.vertex.agent.llm_response#usage_metadata.total_token_count"),
        part(Field::RequestModel, "gcp.vertex.agent.llm_request#model"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{row, value};

    #[test]
    fn a_model_request_is_a_generation_with_googles_own_counts() {
        let row = row(&[
            ("gen_ai.system", value("gcp.vertex.agent")),
            ("gcp.vertex.agent.session_id", value("s-1")),
            ("gcp.vertex.agent.llm_request", value(r#"{"model":"gemini-2.5-flash","contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#)),
            (
                "gcp.vertex.agent.llm_response",
                value(concat!(
                    r#"{"content":{"role":"model","parts":[{"text":"hello"}]},"usage_metadata":{"prompt_token_count":100,"#,
                    r#""cached_content_token_count":40,"candidates_token_count":7,"thoughts_token_count":30,"total_token_count":137}}"#
                )),
            ),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.output_tokens", value(7)),
        ]);
        assert_eq!((row.r#type.as_str(), row.model.as_str(), row.session_id.as_str()), ("generation", "gemini-2.5-flash", "s-1"));
        assert_eq!(row.provider, "google");
        let usage = [("input", 60), ("input_cache_read", 40), ("output", 7), ("output_reasoning", 30), ("total", 137)];
        assert_eq!(row.usage_details, usage.map(|(kind, count)| (kind.to_owned(), count)));
        assert_eq!(row.client_total_tokens, Some(137));
        assert!(row.total_cost.is_some());
    }

    #[test]
    fn a_tool_call_has_its_arguments_not_the_empty_request() {
        let row = row(&[
            ("gen_ai.tool.name", value("lookup")),
            ("gcp.vertex.agent.llm_request", value("{}")),
            ("gcp.vertex.agent.llm_response", value("{}")),
            ("gcp.vertex.agent.tool_call_args", value(r#"{"query":"weather"}"#)),
            ("gcp.vertex.agent.tool_response", value(r#"{"result":"sunny"}"#)),
        ]);
        assert_eq!((row.r#type.as_str(), row.name.as_str()), ("tool", "lookup"));
        assert_eq!((row.input.as_str(), row.output.as_str()), (r#"{"query":"weather"}"#, r#"{"result":"sunny"}"#));
    }
}
