//! Realistic spans: traces of ten, an agent with model calls and tools, text of a few hundred bytes to 2 KB, about 20 attributes.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

/// Spans of a trace.
pub const TRACE_SPANS: usize = 10;

/// Where the words come from: text of this repository, in sentences.
const TEXTS: [&str; 5] = [
    include_str!("../../LICENSE"),
    include_str!("../../README.md"),
    include_str!("../../CONTRIBUTING.md"),
    include_str!("../../SECURITY.md"),
    include_str!("../../config/default.toml"),
];

/// Makes traces, the same in every run.
pub struct Corpus {
    random: StdRng,
    sentences: Vec<&'static str>,
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

/// The program that sends.
pub fn resource() -> Resource {
    let attributes = vec![
        text("service.name", "support-assistant"),
        text("service.version", "2026.11.3"),
        text("deployment.environment.name", "production"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.language", "python"),
        text("telemetry.sdk.version", "1.38.0"),
        text("host.name", "assistant-7f9c4d5b8-x2x7q"),
    ];
    Resource { attributes, ..Resource::default() }
}

/// The library that writes the spans.
pub fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "opentelemetry.instrumentation.openai_v2".to_owned(),
        version: "2.3b0".to_owned(),
        ..InstrumentationScope::default()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Agent,
    Model,
    Tool,
    Retrieval,
    Step,
}

/// The spans of a trace: kind, and the position of the parent.
const SHAPE: [(Kind, usize); TRACE_SPANS] = [
    (Kind::Agent, 0),
    (Kind::Step, 0),
    (Kind::Model, 0),
    (Kind::Tool, 0),
    (Kind::Model, 0),
    (Kind::Tool, 0),
    (Kind::Retrieval, 5),
    (Kind::Model, 0),
    (Kind::Tool, 0),
    (Kind::Model, 0),
];

impl Corpus {
    pub fn new() -> Self {
        let sentences = TEXTS
            .iter()
            .flat_map(|text| text.split_inclusive(['.', '\n', ':', ';']))
            .map(str::trim)
            .filter(|sentence| sentence.len() > 20)
            .collect();
        Self { random: StdRng::seed_from_u64(7), sentences }
    }

    fn number(&mut self, low: usize, high: usize) -> usize {
        self.random.random_range(low..=high)
    }

    fn word(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(LETTERS[self.random.random_range(0..LETTERS.len())])).collect()
    }

    /// Sentences in any order, with references that occur nowhere else, up to about `bytes`.
    fn prose(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 120);
        while text.len() < bytes {
            let at = self.number(0, self.sentences.len() - 1);
            text.push_str(self.sentences[at]);
            if self.number(0, 2) == 0 {
                let (word, number) = (self.word(7), self.number(1, 99_999));
                text.push_str(&format!(" See {word}, item {number}."));
            }
            text.push(' ');
        }
        text
    }

    /// A trace. Ids are one byte, which says the position; times are nanoseconds from its start.
    pub fn trace(&mut self) -> Vec<Span> {
        let (user, session) = (format!("customer-{}", self.number(1, 5_000)), format!("chat-{}", self.word(10)));
        let mut start = 0_u64;
        let mut spans = Vec::with_capacity(TRACE_SPANS);
        for (position, (kind, parent)) in (0_u8..).zip(SHAPE) {
            let mut attributes = vec![text("user.id", &user), text("session.id", &session)];
            let name = self.describe(kind, position, &mut attributes);
            let length = self.number(3, 900) as u64 * 1_000_000;
            let events = if kind == Kind::Model {
                vec![Event { time_unix_nano: start + length / 2, name: "gen_ai.first_chunk".to_owned(), ..Event::default() }]
            } else {
                Vec::new()
            };
            spans.push(Span {
                span_id: vec![position],
                parent_span_id: if position == 0 { Vec::new() } else { vec![u8::try_from(parent).unwrap_or(0)] },
                flags: 0x101,
                name,
                kind: if kind == Kind::Model { 3 } else { 1 },
                start_time_unix_nano: start,
                end_time_unix_nano: start + length,
                attributes,
                events,
                status: Some(Status { code: 1, message: String::new() }),
                ..Span::default()
            });
            start += 1_000_000 + length / 3;
        }
        let end = spans.iter().map(|span| span.end_time_unix_nano).max().unwrap_or(0);
        spans[0].end_time_unix_nano = end + 1_000_000;
        spans
    }

    fn describe(&mut self, kind: Kind, position: u8, attributes: &mut Vec<KeyValue>) -> String {
        let common = |attributes: &mut Vec<KeyValue>, word: String, number: i64| {
            attributes.extend([
                text("code.function.name", "assistant.pipeline.run"),
                text("thread.name", "worker-3"),
                int("thread.id", 140_213),
                text("app.tenant", "lumen-bikes"),
                text("app.request.id", word),
                int("app.step", number),
            ]);
        };
        let request = self.word(26);
        match kind {
            Kind::Agent => {
                let (question, answer) = (self.prose(160), self.prose(420));
                attributes.extend([
                    text("gen_ai.operation.name", "invoke_agent"),
                    text("gen_ai.agent.name", "support-agent"),
                    text("gen_ai.agent.id", "asst_5j66UpCpwteGg4YSxUnt7lPY"),
                    text("gen_ai.provider.name", "openai"),
                    text("gen_ai.input.messages", messages("user", &question)),
                    text("gen_ai.output.messages", messages("assistant", &answer)),
                    attribute("brokle.trace.tags", Value::StringValue("[\"web-chat\",\"order\"]".to_owned())),
                ]);
                common(attributes, request, i64::from(position));
                "invoke_agent support-agent".to_owned()
            }
            Kind::Model => {
                let size = 300 + 140 * usize::from(position);
                let length = self.number(size / 2, size);
                let (system, question) = (self.prose(240), self.prose(length));
                let length = self.number(100, 500);
                let answer = self.prose(length);
                let input = json!([
                    {"role": "system", "parts": [{"type": "text", "content": system}]},
                    {"role": "user", "parts": [{"type": "text", "content": question}]},
                ]);
                attributes.extend([
                    text("gen_ai.operation.name", "chat"),
                    text("gen_ai.provider.name", "openai"),
                    text("gen_ai.request.model", "gpt-4.1-mini"),
                    text("gen_ai.response.model", "gpt-4.1-mini-2025-04-14"),
                    text("gen_ai.response.id", format!("chatcmpl-{}", self.word(24))),
                    attribute("gen_ai.request.temperature", Value::DoubleValue(0.3)),
                    attribute("gen_ai.request.top_p", Value::DoubleValue(1.0)),
                    int("gen_ai.request.max_tokens", 1_024),
                    text("gen_ai.input.messages", input.to_string()),
                    text("gen_ai.output.messages", messages("assistant", &answer)),
                    int("gen_ai.usage.input_tokens", i64::try_from((system.len() + question.len()) / 4).unwrap_or(0)),
                    int("gen_ai.usage.output_tokens", i64::try_from(answer.len() / 4).unwrap_or(0)),
                    int("gen_ai.usage.cache_read.input_tokens", 64),
                    attribute("gen_ai.response.time_to_first_chunk", Value::DoubleValue(0.002)),
                    text("server.address", "api.openai.com"),
                    int("server.port", 443),
                ]);
                common(attributes, request, i64::from(position));
                "chat gpt-4.1-mini".to_owned()
            }
            Kind::Tool => {
                let length = self.number(120, 900);
                let result = json!({"ok": true, "order": self.word(8), "text": self.prose(length)});
                attributes.extend([
                    text("gen_ai.operation.name", "execute_tool"),
                    text("gen_ai.tool.name", "get_order"),
                    text("gen_ai.tool.type", "function"),
                    text("gen_ai.tool.call.id", format!("call_{}", self.word(20))),
                    text("gen_ai.tool.call.arguments", json!({"order_id": self.word(8), "detail": true}).to_string()),
                    text("gen_ai.tool.call.result", result.to_string()),
                    text("db.system.name", "postgresql"),
                    text("db.collection.name", "orders"),
                ]);
                common(attributes, request, i64::from(position));
                "execute_tool get_order".to_owned()
            }
            Kind::Retrieval => {
                attributes.extend([text("openinference.span.kind", "RETRIEVER"), text("input.value", self.prose(90))]);
                for at in 0..3 {
                    let length = self.number(150, 450);
                    attributes.extend([
                        text(&format!("retrieval.documents.{at}.document.id"), self.word(12)),
                        text(&format!("retrieval.documents.{at}.document.content"), self.prose(length)),
                        attribute(&format!("retrieval.documents.{at}.document.score"), Value::DoubleValue(0.81)),
                    ]);
                }
                common(attributes, request, i64::from(position));
                "vector search".to_owned()
            }
            Kind::Step => {
                attributes.extend([
                    text("brokle.span.type", "guardrail"),
                    text("input.value", self.prose(200)),
                    text("output.value", r#"{"verdict":"pass","score":0.011}"#),
                    text("output.mime_type", "application/json"),
                ]);
                common(attributes, request, i64::from(position));
                "input guardrail".to_owned()
            }
        }
    }
}

fn messages(role: &str, content: &str) -> String {
    json!([{"role": role, "parts": [{"type": "text", "content": content}]}]).to_string()
}
