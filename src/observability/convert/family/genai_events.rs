//! OpenTelemetry's conventions for generative AI where the messages are span events.
//!
//! Source: the semantic conventions up to 1.36 (`gen_ai.user.message`, `gen_ai.choice`, …), and
//! `gen_ai.client.inference.operation.details` since.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Family, Field, events};
use crate::observability::convert::value::{as_text, inner, push_json};
use crate::observability::otlp::text::push_json_string;

pub(super) const FAMILY: Family =
    Family { name: "genai-events", marks: &[], rules: &[events(Field::Input, input), events(Field::Output, output)] };

/// Events that carry one message each, and whose it is.
const MESSAGES: [(&str, &str); 4] = [
    ("gen_ai.system.message", "system"),
    ("gen_ai.user.message", "user"),
    ("gen_ai.assistant.message", "assistant"),
    ("gen_ai.tool.message", "tool"),
];

fn input(events: &[Event]) -> Option<String> {
    let role = |event: &Event| MESSAGES.iter().find(|(name, _)| *name == event.name).map(|(_, role)| *role);
    whole(events, "gen_ai.client.inference.operation.details", "gen_ai.input.messages").or_else(|| list(events, role))
}

fn output(events: &[Event]) -> Option<String> {
    let role = |event: &Event| (event.name == "gen_ai.choice").then_some("assistant");
    whole(events, "gen_ai.client.inference.operation.details", "gen_ai.output.messages").or_else(|| list(events, role))
}

/// The whole input as the oldest form of the conventions has it.
pub(super) fn deprecated_input(events: &[Event]) -> Option<String> {
    whole(events, "gen_ai.content.prompt", "gen_ai.prompt")
}

/// The whole output as the oldest form of the conventions has it.
pub(super) fn deprecated_output(events: &[Event]) -> Option<String> {
    whole(events, "gen_ai.content.completion", "gen_ai.completion")
}

/// Only whether there is a role is read.
#[derive(Deserialize)]
struct Message {
    role: Option<IgnoredAny>,
}

fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a KeyValue> {
    attributes.iter().find(|attribute| attribute.key == key)
}

/// An event that carries the whole side in one attribute.
fn whole(events: &[Event], name: &str, key: &str) -> Option<String> {
    let event = events.iter().find(|event| event.name == name)?;
    Some(as_text(inner(find(&event.attributes, key)?)?).into_owned())
}

/// The events that have a role, as a list of messages.
fn list(events: &[Event], role: impl Fn(&Event) -> Option<&'static str>) -> Option<String> {
    let mut out = String::new();
    for event in events {
        let Some(role) = role(event) else { continue };
        out.push(if out.is_empty() { '[' } else { ',' });
        push_message(&mut out, &event.attributes, role);
    }
    (!out.is_empty()).then(|| out + "]")
}

fn push_message(out: &mut String, attributes: &[KeyValue], role: &str) {
    // Azure's SDKs and Semantic Kernel put the message into one attribute.
    if let Some(content) = find(attributes, "gen_ai.event.content").and_then(inner).map(as_text)
        && let Ok(message) = serde_json::from_str::<Message>(&content)
        && let Some(rest) = content.trim_ascii_start().strip_prefix('{')
    {
        out.push('{');
        if message.role.is_none() {
            out.push_str("\"role\":");
            push_json_string(out, role);
            out.push_str(if rest.trim_ascii_start().starts_with('}') { "" } else { "," });
        }
        out.push_str(rest);
        return;
    }
    out.push_str("{\"role\":");
    match find(attributes, "role").and_then(inner) {
        Some(role) => push_json_string(out, &as_text(role)),
        None => push_json_string(out, role),
    }
    for attribute in attributes {
        // Which system it was is said of every event, and is no part of the message.
        if matches!(attribute.key.as_str(), "role" | "gen_ai.system" | "gen_ai.provider.name" | "event.name") {
            continue;
        }
        out.push(',');
        push_json_string(out, &attribute.key);
        out.push(':');
        let text = inner(attribute).map(as_text).unwrap_or_default();
        // Tool calls and parts come as JSON in text.
        if text.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(&text).is_ok() {
            out.push_str(&text);
        } else {
            push_json(out, inner(attribute));
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{convert_span, kvlist, mapped, pairs, span, value};

    fn event(name: &str, attributes: Vec<KeyValue>) -> Event {
        Event { name: name.to_owned(), attributes, ..Event::default() }
    }

    #[test]
    fn messages_come_from_events_and_the_events_stay() {
        let mut span = span(Vec::new());
        span.events = vec![
            event("gen_ai.system.message", pairs(&[("gen_ai.system", value("openai")), ("content", value("Be brief."))])),
            event("gen_ai.user.message", pairs(&[("content", value("hi"))])),
            event("exception", pairs(&[("message", value("x"))])),
            event("gen_ai.assistant.message", pairs(&[("tool_calls", value("[{\"id\":\"1\"}]"))])),
            event("gen_ai.choice", pairs(&[("index", value(0)), ("message", kvlist(&[("content", value("hello"))]))])),
        ];
        let row = convert_span(span);
        assert_eq!(
            row.input,
            r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"1"}]}]"#
        );
        assert_eq!(row.output, r#"[{"role":"assistant","index":0,"message":{"content":"hello"}}]"#);
        assert_eq!(mapped(&row, "input"), Some("genai-events:events"));
        assert_eq!(row.events_name.len(), 5);
    }

    #[test]
    fn whole_sides_are_taken_as_they_are() {
        let mut span = span(Vec::new());
        let details = pairs(&[("gen_ai.input.messages", value("[1]")), ("gen_ai.output.messages", value("[2]"))]);
        span.events = vec![event("gen_ai.client.inference.operation.details", details)];
        let row = convert_span(span);
        assert_eq!((row.input.as_str(), row.output.as_str()), ("[1]", "[2]"));
    }
}
