//! Chats: one question and one answer, and the long conversation.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use super::{BAKING, CUSTOMERS, SUPPORT, SUPPORT_STAGING, Setting, session};
use crate::cli::demo::content::{conversation, support};
use crate::cli::demo::llm::{self, FLASH, GPT_MINI, HAIKU, IN_HOUSE, Manner, Model, PLAIN};
use crate::cli::demo::tracer::{At, Draft, Service, Tracer};

fn begin(setting: Setting<'_>, service: Service) -> (Tracer, &'static str, &'static str) {
    let mut tracer = Tracer::new(setting.ids, setting.random, service);
    let (question, answer) = *tracer.random.pick(&support::CHATS);
    let user = *tracer.random.pick(&CUSTOMERS);
    let session = session(&mut tracer.random, "chat");
    tracer.identify(user, &session);
    (tracer, question, answer)
}

fn messages(question: &str) -> [Value; 2] {
    [llm::system(support::INSTRUCTIONS), llm::user(question)]
}

/// A call that is a whole trace: its only span is the generation.
pub(super) fn chat(setting: Setting<'_>) -> Draft {
    let model = [&GPT_MINI, &HAIKU, &FLASH][setting.ordinal % 3];
    let (mut tracer, question, answer) = begin(setting, SUPPORT);
    let span = llm::chat(&mut tracer, None, model, &messages(question), &llm::assistant(answer), PLAIN);
    tags(&mut tracer, span, &["web-chat"]);
    tracer.finish("chats")
}

/// A request of a browser whose answer streams.
pub(super) fn streaming(setting: Setting<'_>) -> Draft {
    let model = [&HAIKU, &GPT_MINI][setting.ordinal % 2];
    let service = if setting.ordinal % 3 == 2 { SUPPORT_STAGING } else { SUPPORT };
    let (mut tracer, question, answer) = begin(setting, service);
    let root = tracer.open(None, "POST /api/chat", SpanKind::Server);
    tracer.set(root, "http.request.method", "POST");
    tracer.set(root, "http.route", "/api/chat");
    tracer.set(root, "http.response.status_code", 200_u64);
    tags(&mut tracer, root, &["web-chat", "streaming"]);
    tracer.wait(3, 9);
    guard(&mut tracer, root, question, false);
    let manner = Manner { streaming: true, cached_percent: 70, ..PLAIN };
    llm::chat(&mut tracer, Some(root), model, &messages(question), &llm::assistant(answer), manner);
    tracer.wait(1, 4);
    tracer.close(root);
    tracer.finish("streamed chats")
}

/// A model of one's own, at one's own price, which nobody has entered yet.
pub(super) fn in_house(setting: Setting<'_>) -> Draft {
    let (mut tracer, question, answer) = begin(setting, SUPPORT_STAGING);
    let root = llm::open_typed(&mut tracer, None, "shadow comparison", "workflow");
    llm::input(&mut tracer, root, question);
    tags(&mut tracer, root, &["shadow", "fine-tune-v3"]);
    let models: [&Model; 2] = [&GPT_MINI, &IN_HOUSE];
    let (start, mut end) = (tracer.now(), 0);
    for model in models {
        tracer.rewind(start);
        llm::chat(&mut tracer, Some(root), model, &messages(question), &llm::assistant(answer), PLAIN);
        end = end.max(tracer.now());
    }
    tracer.rewind(end);
    llm::output(&mut tracer, root, answer);
    tracer.close(root);
    tracer.finish("comparisons with a model that has no price")
}

/// A question that a guardrail stops.
pub(super) fn blocked(setting: Setting<'_>) -> Draft {
    let (mut tracer, _, _) = begin(setting, SUPPORT);
    let (question, _, answer) = support::BLOCKED;
    let root = tracer.open(None, "POST /api/chat", SpanKind::Server);
    tracer.set(root, "http.route", "/api/chat");
    tracer.set(root, "http.response.status_code", 200_u64);
    tags(&mut tracer, root, &["web-chat", "blocked"]);
    tracer.wait(3, 9);
    guard(&mut tracer, root, question, true);
    llm::input(&mut tracer, root, question);
    llm::output(&mut tracer, root, answer);
    tracer.wait(1, 3);
    tracer.close(root);
    tracer.finish("requests that a guardrail stopped")
}

fn guard(tracer: &mut Tracer, parent: At, question: &str, block: bool) {
    let span = llm::open_step(tracer, Some(parent), "input guardrail", "GUARDRAIL");
    llm::input(tracer, span, question);
    tracer.wait(20, 70);
    if block {
        llm::output(tracer, span, support::BLOCKED.1);
        tracer.set(span, "brokle.span.level", "WARNING");
    } else {
        llm::output(tracer, span, r#"{"verdict":"pass","category":null,"score":0.011}"#);
    }
    tracer.close(span);
}

/// Turn `turn` of the long conversation: everything said before goes in again, most of it from the provider's cache.
pub(super) fn turn(setting: Setting<'_>, turn: usize) -> Draft {
    let session = setting.conversation.to_owned();
    let mut tracer = Tracer::new(setting.ids, setting.random, BAKING);
    tracer.identify("lotte.v", &session);
    let (question, answer) = conversation::TURNS[turn];
    let root = llm::open_typed(&mut tracer, None, "baking lesson", "chain");
    llm::input(&mut tracer, root, question);
    tracer.set(root, "brokle.prompt.name", "baking-teacher");
    tracer.set(root, "brokle.prompt.version", "4");
    tracer.set(root, "lesson.turn", turn as u64 + 1);
    tags(&mut tracer, root, &["lesson", "sourdough"]);
    tracer.wait(2, 6);
    let notes = llm::open_typed(&mut tracer, Some(root), "recall notes", "retrieval");
    llm::input(&mut tracer, notes, question);
    tracer.wait(6, 30);
    llm::output(&mut tracer, notes, &json!({"learner": "lotte.v", "lessons": turn, "kitchen": "20 °C, cast iron pot 24 cm"}).to_string());
    tracer.close(notes);
    let mut messages = vec![llm::system(conversation::INSTRUCTIONS)];
    for (question, answer) in &conversation::TURNS[..turn] {
        messages.push(llm::user(question));
        messages.push(llm::assistant(answer));
    }
    messages.push(llm::user(question));
    let manner =
        Manner { streaming: true, temperature: 0.7, cached_percent: if turn < 4 { 0 } else { 86 }, writes_cache: turn >= 3, ..PLAIN };
    llm::chat(&mut tracer, Some(root), &HAIKU, &messages, &llm::assistant(answer), manner);
    tracer.wait(1, 4);
    llm::output(&mut tracer, root, answer);
    tracer.close(root);
    tracer.finish("turns of one long conversation")
}

fn tags(tracer: &mut Tracer, span: At, tags: &[&str]) {
    tracer.set(span, "brokle.trace.tags", tags);
}
