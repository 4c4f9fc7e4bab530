//! The AI SDK of Vercel.
//!
//! Source: its telemetry documentation and its code, versions 3 to 6 (from 7 on it follows OpenTelemetry's conventions). One call
//! makes two spans: the outer one (`ai.generateText`) sums up what its steps (`ai.generateText.doGenerate`) used.

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::{Family, Field, Mark, Read, attribute, indexed, part};
use crate::observability::convert::indexed::{Entry, settings};
use crate::observability::convert::value::{as_text, is_blank, push_json};
use crate::observability::otlp::text::push_json_string;

const OPERATIONS: &[(&str, &str)] = &[
    ("ai.generateText.doGenerate", "generation"),
    ("ai.streamText.doStream", "generation"),
    ("ai.generateObject.doGenerate", "generation"),
    ("ai.streamObject.doStream", "generation"),
    ("ai.generateText", "span"),
    ("ai.streamText", "span"),
    ("ai.generateObject", "span"),
    ("ai.streamObject", "span"),
    ("ai.toolCall", "tool"),
    ("ai.embed", "embedding"),
    ("ai.embed.doEmbed", "embedding"),
    ("ai.embedMany", "embedding"),
    ("ai.embedMany.doEmbed", "embedding"),
    ("ai.rerank", "rerank"),
    ("ai.rerank.doRerank", "rerank"),
];

const OUTER: &[(&str, &str)] = &[
    ("ai.generateText", "outer"),
    ("ai.streamText", "outer"),
    ("ai.generateObject", "outer"),
    ("ai.streamObject", "outer"),
    ("ai.embed", "outer"),
    ("ai.embedMany", "outer"),
    ("ai.rerank", "outer"),
];

pub(super) const FAMILY: Family = Family {
    name: "vercel",
    // Since this is sent, the input contains what was cached, whoever the provider is.
    marks: &[Mark::KeyPrefix("ai.usage.inputTokenDetails.")],
    rules: &[
        attribute(Field::Type, "ai.operationId").read(Read::Words(OPERATIONS)),
        attribute(Field::RolledUp, "ai.operationId").read(Read::Words(OUTER)),
        attribute(Field::ToolName, "ai.toolCall.name"),
        attribute(Field::ResponseModel, "ai.response.model"),
        attribute(Field::RequestModel, "ai.model.id"),
        attribute(Field::Provider, "ai.model.provider"),
        indexed(Field::Parameters, "ai.settings.", settings).late(),
        attribute(Field::FirstToken, "ai.response.msToFirstChunk").read(Read::Milliseconds),
        attribute(Field::FirstToken, "ai.stream.msToFirstChunk").read(Read::Milliseconds),
        part(Field::ServiceTier, "ai.response.providerMetadata#openai.serviceTier"),
        attribute(Field::Input, "ai.prompt.messages"),
        attribute(Field::Input, "ai.prompt"),
        attribute(Field::Input, "ai.toolCall.args"),
        attribute(Field::Input, "ai.values"),
        attribute(Field::Input, "ai.value"),
        indexed(Field::Output, "ai.response.", response),
        attribute(Field::Output, "ai.response.text"),
        attribute(Field::Output, "ai.response.toolCalls"),
        attribute(Field::Output, "ai.response.object"),
        indexed(Field::Output, "ai.result.", response),
        attribute(Field::Output, "ai.result.text"),
        attribute(Field::Output, "ai.result.toolCalls"),
        attribute(Field::Output, "ai.result.object"),
        attribute(Field::Output, "ai.toolCall.result"),
        attribute(Field::Session, "ai.telemetry.metadata.sessionId").last(),
        attribute(Field::Session, "ai.telemetry.metadata.session_id").last(),
        attribute(Field::User, "ai.telemetry.metadata.userId").last(),
        attribute(Field::User, "ai.telemetry.metadata.user_id").last(),
        attribute(Field::Tags, "ai.telemetry.metadata.tags").last(),
        attribute(Field::InputTokens, "ai.usage.inputTokens").inclusive().only_marked(),
        attribute(Field::InputTokens, "ai.usage.inputTokens").as_provider(),
        attribute(Field::InputTokens, "ai.usage.promptTokens").as_provider(),
        attribute(Field::InputTokens, "ai.usage.tokens").as_provider(),
        attribute(Field::CacheReadTokens, "ai.usage.inputTokenDetails.cacheReadTokens").as_provider(),
        attribute(Field::CacheReadTokens, "ai.usage.cachedInputTokens").as_provider(),
        part(Field::CacheReadTokens, "ai.response.providerMetadata#anthropic.cacheReadInputTokens").as_provider(),
        part(Field::CacheReadTokens, "ai.response.providerMetadata#anthropic.usage.cache_read_input_tokens").as_provider(),
        part(Field::CacheReadTokens, "ai.response.providerMetadata#bedrock.usage.cacheReadInputTokens").as_provider(),
        part(Field::CacheReadTokens, "ai.response.providerMetadata#openai.cachedPromptTokens").as_provider(),
        part(Field::CacheReadTokens, "ai.response.providerMetadata#google.usageMetadata.cachedContentTokenCount").as_provider(),
        attribute(Field::CacheWriteTokens, "ai.usage.inputTokenDetails.cacheWriteTokens").as_provider(),
        part(Field::CacheWriteTokens, "ai.response.providerMetadata#anthropic.cacheCreationInputTokens").as_provider(),
        part(Field::CacheWriteTokens, "ai.response.providerMetadata#anthropic.usage.cache_creation_input_tokens").as_provider(),
        part(Field::CacheWriteTokens, "ai.response.providerMetadata#bedrock.usage.cacheWriteInputTokens").as_provider(),
        part(Field::CacheWrite5mTokens, "ai.response.providerMetadata#anthropic.usage.cache_creation.ephemeral_5m_input_tokens")
            .as_provider(),
        part(Field::CacheWrite1hTokens, "ai.response.providerMetadata#anthropic.usage.cache_creation.ephemeral_1h_input_tokens")
            .as_provider(),
        attribute(Field::OutputTokens, "ai.usage.outputTokens").as_provider(),
        attribute(Field::OutputTokens, "ai.usage.completionTokens").as_provider(),
        attribute(Field::ReasoningTokens, "ai.usage.outputTokenDetails.reasoningTokens").as_provider(),
        attribute(Field::ReasoningTokens, "ai.usage.reasoningTokens").as_provider(),
        part(Field::ReasoningTokens, "ai.response.providerMetadata#openai.reasoningTokens").as_provider(),
        attribute(Field::TotalTokens, "ai.usage.totalTokens"),
    ],
};

/// Text and tool calls of one answer as a message; where there is only one of them it is the output word for word.
fn response(entries: &[Entry<'_>]) -> Option<String> {
    let find = |name: &str| entries.iter().find(|entry| entry.path == name && !is_blank(entry.value)).map(|entry| entry.value);
    let (text, calls) = (find("text")?, find("toolCalls")?);
    let mut out = String::from("[{\"role\":\"assistant\",\"content\":");
    push_json_string(&mut out, &as_text(text));
    out.push_str(",\"tool_calls\":");
    match calls {
        Value::StringValue(json) if serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok() => out.push_str(json),
        other => push_json(&mut out, Some(other)),
    }
    out.push_str("}]");
    Some(out)
}

#[cfg(test)]
mod tests {
    use crate::observability::convert::testing::{attribute, flagged, mapped, row, value};

    #[test]
    fn operations_give_types() {
        for (operation, expected) in [
            ("ai.generateText.doGenerate", "generation"),
            ("ai.streamObject.doStream", "generation"),
            ("ai.generateText", "span"),
            ("ai.toolCall", "tool"),
            ("ai.embed", "embedding"),
            ("ai.embedMany.doEmbed", "embedding"),
        ] {
            assert_eq!(row(&[("ai.operationId", value(operation))]).r#type, expected, "{operation}");
        }
    }

    #[test]
    fn the_outer_span_keeps_its_usage_but_it_is_counted_at_its_steps() {
        let usage = [
            ("ai.model.id", value("gpt-4o")),
            ("ai.model.provider", value("openai.chat")),
            ("ai.usage.promptTokens", value(100)),
            ("ai.usage.completionTokens", value(20)),
        ];
        let outer = row(&[&usage[..], &[("ai.operationId", value("ai.generateText"))]].concat());
        assert_eq!((outer.r#type.as_str(), outer.total_tokens, outer.total_cost), ("span", 0, None));
        assert_eq!(outer.usage_details[..2], [("input".to_owned(), 100), ("output".to_owned(), 20)]);
        assert!(flagged(&outer, "usage_rolled_up"));
        let step = row(&[&usage[..], &[("ai.operationId", value("ai.generateText.doGenerate"))]].concat());
        assert_eq!((step.r#type.as_str(), step.total_tokens, step.total_cost), ("generation", 120, Some(450_000_000)));
        assert_eq!((step.model.as_str(), step.provider.as_str()), ("gpt-4o", "openai"));
    }

    #[test]
    fn inputs_and_outputs_have_their_order() {
        let row_of = |attributes: &[(&str, &str)]| {
            let row = row(&attributes.iter().map(|(key, text)| (*key, value(*text))).collect::<Vec<_>>());
            (row.input, row.output)
        };
        let (messages, prompt) = (("ai.prompt.messages", "[1]"), ("ai.prompt", "{}"));
        assert_eq!(row_of(&[prompt, messages]).0, "[1]");
        assert_eq!(row_of(&[prompt]).0, "{}");
        assert_eq!(row_of(&[("ai.toolCall.args", "{\"a\":1}"), ("ai.toolCall.result", "\"x\"")]), ("{\"a\":1}".into(), "\"x\"".into()));
        let calls = ("ai.response.toolCalls", r#"[{"toolCallId":"1"}]"#);
        assert_eq!(row_of(&[calls, ("ai.response.text", "")]).1, calls.1);
        assert_eq!(row_of(&[("ai.response.text", "hi")]).1, "hi");
        assert_eq!(
            row_of(&[("ai.response.text", "hi"), calls]).1,
            r#"[{"role":"assistant","content":"hi","tool_calls":[{"toolCallId":"1"}]}]"#
        );
        assert_eq!(
            row_of(&[("ai.response.text", "hi"), ("ai.response.toolCalls", "[oops")]).1,
            r#"[{"role":"assistant","content":"hi","tool_calls":"[oops"}]"#
        );
        assert_eq!(row_of(&[("ai.response.object", "{\"k\":1}")]).1, "{\"k\":1}");
        assert_eq!(row_of(&[("ai.result.text", "old")]).1, "old");
        assert_eq!(row_of(&[("ai.result.object", "{}")]).1, "{}");
    }

    #[test]
    fn a_text_alone_moves_and_a_composed_answer_stays() {
        let alone = row(&[("ai.response.text", value("hi"))]);
        assert_eq!((mapped(&alone, "output"), attribute(&alone, "ai.response.text")), (Some("vercel:ai.response.text"), None));
        let both = row(&[("ai.response.text", value("hi")), ("ai.response.toolCalls", value("[]"))]);
        assert_eq!((mapped(&both, "output"), attribute(&both, "ai.response.text")), (Some("vercel:ai.response.*"), Some("hi")));
    }

    #[test]
    fn session_user_and_tags_come_from_metadata_after_everything_else() {
        let metadata = [
            ("ai.telemetry.metadata.sessionId", value("m")),
            ("ai.telemetry.metadata.userId", value("u")),
            ("ai.telemetry.metadata.tags", value(vec![value("a")])),
        ];
        let row_of = |more: &[_]| row(&[&metadata[..], more].concat());
        let plain = row_of(&[]);
        assert_eq!((plain.session_id.as_str(), plain.user_id.as_str(), plain.tags.len()), ("m", "u", 1));
        let association = ("traceloop.association.properties.session_id", value("t"));
        assert_eq!(row_of(std::slice::from_ref(&association)).session_id, "t");
        assert_eq!(row_of(&[association.clone(), ("gen_ai.conversation.id", value("c"))]).session_id, "c");
        assert_eq!(row_of(&[association, ("gen_ai.conversation.id", value("c")), ("session.id", value("s"))]).session_id, "s");
    }

    #[test]
    fn the_parameters_are_the_requests_else_the_settings() {
        let settings = ("ai.settings.maxRetries", value(2));
        assert_eq!(row(std::slice::from_ref(&settings)).model_parameters, "{\"maxRetries\":2}");
        assert_eq!(row(&[settings, ("gen_ai.request.temperature", value(0.5))]).model_parameters, "{\"temperature\":0.5}");
    }
}
