//! Model calls, tool calls and plain steps, written down as the instrumentations in the field write them.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use super::tracer::{At, Tracer, attribute};

/// A model and how it behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    /// As `gen_ai.provider.name` has it.
    pub provider: &'static str,
    pub request: &'static str,
    /// The dated name that the provider answers with.
    pub response: &'static str,
    pub host: &'static str,
    /// Nanoseconds for a token of the answer.
    pub pace: u64,
    /// Whether it thinks before it answers.
    pub reasons: bool,
}

pub(super) const GPT_MINI: Model = Model {
    provider: "openai",
    request: "gpt-4.1-mini",
    response: "gpt-4.1-mini-2025-04-14",
    host: "api.openai.com",
    pace: 11_000_000,
    reasons: false,
};
pub(super) const GPT: Model = Model { request: "gpt-4.1", response: "gpt-4.1-2025-04-14", pace: 17_000_000, ..GPT_MINI };
pub(super) const GPT_REASONING: Model =
    Model { request: "gpt-5-mini", response: "gpt-5-mini-2025-08-07", pace: 9_000_000, reasons: true, ..GPT_MINI };
pub(super) const SONNET: Model = Model {
    provider: "anthropic",
    request: "claude-sonnet-4-5",
    response: "claude-sonnet-4-5-20250929",
    host: "api.anthropic.com",
    pace: 15_000_000,
    reasons: false,
};
pub(super) const HAIKU: Model = Model { request: "claude-haiku-4-5", response: "claude-haiku-4-5-20251001", pace: 8_000_000, ..SONNET };
pub(super) const FLASH: Model = Model {
    provider: "gcp.gemini",
    request: "gemini-2.5-flash",
    response: "gemini-2.5-flash",
    host: "generativelanguage.googleapis.com",
    pace: 6_000_000,
    reasons: false,
};
/// Fine-tuned and served in house: no price list has it.
pub(super) const IN_HOUSE: Model = Model {
    provider: "vllm",
    request: "bike-support-8b-v3",
    response: "bike-support-8b-v3",
    host: "inference.internal",
    pace: 14_000_000,
    reasons: false,
};

/// About how many tokens a text has.
pub(super) fn tokens(text: &str) -> u64 {
    text.len() as u64 / 4 + 1
}

fn tokens_of(messages: &[Value]) -> u64 {
    messages.iter().map(|message| tokens(&message["parts"].to_string()) * 4 / 5 + 3).sum()
}

/// Messages as the GenAI conventions shape them.
pub(super) fn system(text: &str) -> Value {
    json!({"role": "system", "parts": [{"type": "text", "content": text}]})
}

pub(super) fn user(text: &str) -> Value {
    json!({"role": "user", "parts": [{"type": "text", "content": text}]})
}

pub(super) fn assistant(text: &str) -> Value {
    json!({"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"})
}

/// The model asks for a tool, with a sentence before it unless `text` is empty.
pub(super) fn asks_for(text: &str, id: &str, tool: &str, arguments: &Value) -> Value {
    let call = json!({"type": "tool_call", "id": id, "name": tool, "arguments": arguments});
    let parts = if text.is_empty() { vec![call] } else { vec![json!({"type": "text", "content": text}), call] };
    json!({"role": "assistant", "parts": parts, "finish_reason": "tool_calls"})
}

/// What a tool answered, as the next call of the model sees it.
pub(super) fn tool_answer(id: &str, response: &str) -> Value {
    json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": id, "response": response}]})
}

/// How a call is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub streaming: bool,
    pub temperature: f64,
    pub max_tokens: u64,
    /// Share of the input that the provider has cached from the call before, in percent.
    pub cached_percent: u64,
    /// Whether the call also writes its new part to the provider's cache.
    pub writes_cache: bool,
}

pub(super) const PLAIN: Manner = Manner { streaming: false, temperature: 0.3, max_tokens: 1_024, cached_percent: 0, writes_cache: false };

/// A model call under OpenTelemetry's GenAI conventions. Time passes as the answer's length says.
pub(super) fn chat(tracer: &mut Tracer, parent: Option<At>, model: &Model, input: &[Value], answer: &Value, manner: Manner) -> At {
    let span = tracer.open(parent, &format!("chat {}", model.request), SpanKind::Client);
    request_attributes(tracer, span, model, manner);
    tracer.set(span, "gen_ai.input.messages", &Value::from(input));

    let visible = tokens_of(std::slice::from_ref(answer));
    let reasoning = if model.reasons { tracer.random.between(1, 9) * 64 } else { 0 };
    let input_tokens = tokens_of(input) + 8;
    let cached = input_tokens * manner.cached_percent / 100;
    let first_token = (tracer.random.between(180, 520) + input_tokens / 40) * 1_000_000 + reasoning * model.pace;
    tracer.pass(first_token);
    if manner.streaming {
        tracer.event(span, "gen_ai.first_chunk", vec![attribute("gen_ai.chunk.index", 0_u64)]);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        tracer.set(span, "gen_ai.response.time_to_first_chunk", first_token as f64 / 1e9);
    }
    tracer.pass(visible * model.pace);

    let id = tracer.random.token(24);
    let prefix = if model.provider == "anthropic" { "msg_01" } else { "chatcmpl-" };
    tracer.set(span, "gen_ai.response.id", format!("{prefix}{id}"));
    tracer.set(span, "gen_ai.response.model", model.response);
    let reason = answer["finish_reason"].as_str().unwrap_or("stop").to_owned();
    tracer.set(span, "gen_ai.response.finish_reasons", &[reason.as_str()][..]);
    tracer.set(span, "gen_ai.output.messages", &json!([answer]));
    tracer.set(span, "gen_ai.usage.input_tokens", input_tokens);
    tracer.set(span, "gen_ai.usage.output_tokens", visible + reasoning);
    if cached > 0 {
        tracer.set(span, "gen_ai.usage.cache_read.input_tokens", cached);
    }
    if manner.writes_cache {
        tracer.set(span, "gen_ai.usage.cache_creation.input_tokens", (input_tokens - cached) / 2);
    }
    if reasoning > 0 {
        tracer.set(span, "gen_ai.usage.reasoning.output_tokens", reasoning);
    }
    tracer.close(span);
    span
}

/// A call of a model that fails.
pub(super) fn failing_chat(tracer: &mut Tracer, parent: Option<At>, model: &Model, input: &[Value], exception: &str, message: &str) -> At {
    let span = tracer.open(parent, &format!("chat {}", model.request), SpanKind::Client);
    request_attributes(tracer, span, model, PLAIN);
    tracer.set(span, "gen_ai.input.messages", &Value::from(input));
    tracer.wait(900, 2_400);
    tracer.set(span, "error.type", exception);
    let stack = format!(
        "Traceback (most recent call last):\n  File \"/srv/app/llm/client.py\", line 88, in complete\n    return self._client.create(**request)\n{exception}: {message}"
    );
    tracer.fail(span, exception, message, &stack);
    tracer.close(span);
    span
}

fn request_attributes(tracer: &mut Tracer, span: At, model: &Model, manner: Manner) {
    tracer.set(span, "gen_ai.operation.name", "chat");
    tracer.set(span, "gen_ai.provider.name", model.provider);
    tracer.set(span, "gen_ai.request.model", model.request);
    tracer.set(span, "gen_ai.request.max_tokens", manner.max_tokens);
    if !model.reasons {
        tracer.set(span, "gen_ai.request.temperature", manner.temperature);
    }
    if manner.streaming {
        tracer.set(span, "gen_ai.request.stream", true);
    }
    tracer.set(span, "server.address", model.host);
    tracer.set(span, "server.port", 443_u64);
}

/// Opens an agent's run under the GenAI conventions.
pub(super) fn open_agent(tracer: &mut Tracer, parent: Option<At>, name: &str, about: &str) -> At {
    let span = tracer.open(parent, &format!("invoke_agent {name}"), SpanKind::Internal);
    tracer.set(span, "gen_ai.operation.name", "invoke_agent");
    tracer.set(span, "gen_ai.agent.name", name);
    tracer.set(span, "gen_ai.agent.description", about);
    span
}

/// A tool's run under the GenAI conventions; it takes from `low` to `high` milliseconds.
pub(super) fn tool(tracer: &mut Tracer, parent: At, id: &str, name: &str, arguments: &Value, answer: &str, (low, high): (u64, u64)) -> At {
    let span = open_tool(tracer, parent, id, name, arguments);
    tracer.wait(low, high);
    tracer.set(span, "gen_ai.tool.call.result", answer);
    tracer.close(span);
    span
}

/// A tool that throws; whoever asked for it goes on.
pub(super) fn failing_tool(
    tracer: &mut Tracer,
    parent: At,
    id: &str,
    name: &str,
    arguments: &Value,
    (exception, message): (&str, &str),
) -> At {
    let span = open_tool(tracer, parent, id, name, arguments);
    tracer.wait(12, 180);
    tracer.set(span, "error.type", exception);
    let stack = format!(
        "Traceback (most recent call last):\n  File \"/srv/app/tools/registry.py\", line 41, in call\n    return handler(**arguments)\n  File \"/srv/app/tools/{name}.py\", line 17, in run\n{exception}: {message}"
    );
    tracer.fail(span, exception, message, &stack);
    tracer.close(span);
    span
}

/// Opens a tool's run.
pub(super) fn open_tool(tracer: &mut Tracer, parent: At, id: &str, name: &str, arguments: &Value) -> At {
    let span = tracer.open(Some(parent), &format!("execute_tool {name}"), SpanKind::Internal);
    tracer.set(span, "gen_ai.operation.name", "execute_tool");
    tracer.set(span, "gen_ai.tool.name", name);
    tracer.set(span, "gen_ai.tool.type", "function");
    tracer.set(span, "gen_ai.tool.call.id", id);
    tracer.set(span, "gen_ai.tool.call.arguments", arguments);
    span
}

/// Opens a step of a kind that OpenInference names (CHAIN, RETRIEVER, …).
pub(super) fn open_step(tracer: &mut Tracer, parent: Option<At>, name: &str, kind: &str) -> At {
    let span = tracer.open(parent, name, SpanKind::Internal);
    tracer.set(span, "openinference.span.kind", kind);
    span
}

/// Opens a step of a type that Brokle's SDKs name (`agent`, `workflow`, `guardrail`, …).
pub(super) fn open_typed(tracer: &mut Tracer, parent: Option<At>, name: &str, r#type: &str) -> At {
    let span = tracer.open(parent, name, SpanKind::Internal);
    tracer.set(span, "brokle.span.type", r#type);
    span
}

/// What went into a step. JSON is marked as such.
pub(super) fn input(tracer: &mut Tracer, span: At, text: &str) {
    tracer.set(span, "input.value", text);
    tracer.set(span, "input.mime_type", mime(text));
}

/// What came out of a step.
pub(super) fn output(tracer: &mut Tracer, span: At, text: &str) {
    tracer.set(span, "output.value", text);
    tracer.set(span, "output.mime_type", mime(text));
}

fn mime(text: &str) -> &'static str {
    if text.starts_with(['{', '[']) { "application/json" } else { "text/plain" }
}

/// A model call under OpenInference's conventions: messages one attribute each.
pub(super) fn openinference_chat(tracer: &mut Tracer, parent: At, model: &Model, messages: &[(&str, &str)], answer: &str) -> At {
    let span = open_step(tracer, Some(parent), "ChatCompletion", "LLM");
    tracer.set(span, "llm.provider", model.provider);
    tracer.set(span, "llm.system", model.provider);
    tracer.set(span, "llm.model_name", model.response);
    tracer.set(span, "llm.invocation_parameters", &json!({"model": model.request, "temperature": 0.1, "max_tokens": 900}));
    let mut prompt = 6;
    for (at, (role, content)) in messages.iter().enumerate() {
        tracer.set(span, &format!("llm.input_messages.{at}.message.role"), *role);
        tracer.set(span, &format!("llm.input_messages.{at}.message.content"), *content);
        prompt += tokens(content) + 3;
    }
    let completion = tokens(answer);
    let first_token = tracer.random.between(220, 600) + prompt / 40;
    tracer.pass(first_token * 1_000_000 + completion * model.pace);
    tracer.set(span, "llm.output_messages.0.message.role", "assistant");
    tracer.set(span, "llm.output_messages.0.message.content", answer);
    tracer.set(span, "llm.token_count.prompt", prompt);
    tracer.set(span, "llm.token_count.completion", completion);
    tracer.set(span, "llm.token_count.total", prompt + completion);
    tracer.succeed(span);
    tracer.close(span);
    span
}

/// An embedding call under OpenInference's conventions; vectors are left out, as instrumentations do unless told otherwise.
pub(super) fn embedding(tracer: &mut Tracer, parent: At, model: &str, provider: &str, texts: &[&str]) -> At {
    let span = open_step(tracer, Some(parent), "CreateEmbeddings", "EMBEDDING");
    tracer.set(span, "embedding.model_name", model);
    tracer.set(span, "llm.provider", provider);
    let mut count = 0;
    for (at, text) in texts.iter().enumerate() {
        tracer.set(span, &format!("embedding.embeddings.{at}.embedding.text"), *text);
        count += tokens(text);
    }
    tracer.set(span, "llm.token_count.prompt", count);
    tracer.set(span, "llm.token_count.total", count);
    tracer.wait(35, 140);
    tracer.succeed(span);
    tracer.close(span);
    span
}
