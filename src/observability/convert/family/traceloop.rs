//! OpenLLMetry (Traceloop).
//!
//! Source: its semantic conventions and instrumentations. Its messages are attributes with numbered keys; what is around them has
//! entities.

use super::{Family, Field, Read, attribute, indexed};
use crate::observability::convert::indexed::messages;

const KINDS: &[(&str, &str)] = &[("workflow", "workflow"), ("task", "span"), ("agent", "agent"), ("tool", "tool"), ("unknown", "span")];
const REQUESTS: &[(&str, &str)] =
    &[("chat", "generation"), ("completion", "generation"), ("embedding", "embedding"), ("rerank", "rerank"), ("unknown", "span")];

pub(super) const FAMILY: Family = Family {
    name: "traceloop",
    marks: &[],
    rules: &[
        attribute(Field::Type, "traceloop.span.kind").read(Read::Words(KINDS)),
        attribute(Field::Type, "llm.request.type").read(Read::Words(REQUESTS)),
        attribute(Field::ToolName, "traceloop.entity.name").late(),
        attribute(Field::RequestModel, "llm.request.model"),
        attribute(Field::ResponseModel, "llm.response.model"),
        attribute(Field::Provider, "llm.vendor"),
        attribute(Field::PromptName, "traceloop.prompt.key"),
        attribute(Field::PromptVersion, "traceloop.prompt.version"),
        attribute(Field::Session, "traceloop.association.properties.session_id").late(),
        attribute(Field::Session, "traceloop.association.properties.thread_id").late(),
        attribute(Field::Session, "traceloop.association.properties.chat_id").late(),
        attribute(Field::User, "traceloop.association.properties.user_id").late(),
        attribute(Field::Tags, "traceloop.association.properties.tags").late(),
        indexed(Field::Input, "gen_ai.prompt.", messages),
        indexed(Field::Input, "llm.prompts.", messages),
        attribute(Field::Input, "traceloop.entity.input"),
        indexed(Field::Output, "gen_ai.completion.", messages),
        indexed(Field::Output, "llm.completions.", messages),
        attribute(Field::Output, "traceloop.entity.output"),
        attribute(Field::InputTokens, "llm.usage.prompt_tokens").as_provider(),
        attribute(Field::CacheReadTokens, "llm.usage.cache_read_input_tokens").as_provider(),
        attribute(Field::CacheWriteTokens, "llm.usage.cache_creation_input_tokens").as_provider(),
        attribute(Field::OutputTokens, "llm.usage.completion_tokens").as_provider(),
        attribute(Field::ReasoningTokens, "llm.usage.reasoning_tokens").as_provider(),
        attribute(Field::TotalTokens, "llm.usage.total_tokens"),
    ],
};

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{attribute, fixture_rows, mapped, row, value};

    #[test]
    fn a_call_of_a_provider_lands_in_its_fields() {
        insta::assert_yaml_snapshot!(fixture_rows("traceloop-openai.json"));
    }

    #[test]
    fn messages_and_their_tool_calls_are_rebuilt() {
        let row = row(&[
            ("gen_ai.prompt.0.role", value("user")),
            ("gen_ai.prompt.0.content", value("Weather?")),
            ("gen_ai.prompt.10.role", value("tool")),
            ("gen_ai.prompt.10.content", value("rain")),
            ("gen_ai.prompt.2.role", value("assistant")),
            ("gen_ai.prompt.2.tool_calls.0.id", value("c1")),
            ("gen_ai.prompt.2.tool_calls.0.name", value("weather")),
            ("gen_ai.prompt.2.tool_calls.0.arguments", value("{\"city\":\"Bern\"}")),
            ("gen_ai.completion.0.role", value("assistant")),
            ("gen_ai.completion.0.content", value("It rains.")),
            ("gen_ai.completion.0.finish_reason", value("stop")),
        ]);
        assert_eq!(
            row.input,
            concat!(
                r#"[{"role":"user","content":"Weather?"},"#,
                r#"{"role":"assistant","tool_calls":[{"id":"c1","name":"weather","arguments":"{\"city\":\"Bern\"}"}]},"#,
                r#"{"role":"tool","content":"rain"}]"#
            )
        );
        assert_eq!(row.output, r#"[{"role":"assistant","content":"It rains.","finish_reason":"stop"}]"#);
        assert_eq!(mapped(&row, "input"), Some("traceloop:gen_ai.prompt.*"));
        assert_eq!(attribute(&row, "gen_ai.prompt.0.content"), Some("Weather?"));
    }

    #[test]
    fn a_huge_index_builds_no_array_of_that_size() {
        let row = row(&[("gen_ai.prompt.999999999.role", value("user")), ("gen_ai.prompt.4294967296.content", value("x"))]);
        assert_eq!(row.input, r#"[{"role":"user"},{"content":"x"}]"#);
    }

    #[test]
    fn entities_have_kinds_sides_and_names() {
        for (kind, expected) in [("workflow", "workflow"), ("task", "span"), ("agent", "agent"), ("tool", "tool")] {
            let row = row(&[
                ("traceloop.span.kind", value(kind)),
                ("traceloop.entity.name", value("weather")),
                ("traceloop.entity.input", value("{\"args\":[]}")),
                ("traceloop.entity.output", value("\"x\"")),
                ("traceloop.association.properties.user_id", value("u")),
            ]);
            assert_eq!((row.r#type.as_str(), row.input.as_str(), row.output.as_str()), (expected, "{\"args\":[]}", "\"x\""));
            assert_eq!(row.name, if kind == "tool" { "weather" } else { "test span" });
            assert_eq!(row.user_id, "u");
        }
    }
}
