//! Writing OTLP/JSON trace requests: hex ids, enums as integers, 64-bit integers as strings, defaults left out.

use std::fmt::{Display, Write as _};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use crate::observability::otlp::text::{base64_text, push_json_double, push_json_string};

/// Encodes a trace request as OTLP/JSON, in the form that [`decode_traces`](super::decode_traces) reads back to an equal one.
///
/// Values by index into a dictionary (profiles only) have no meaning in traces and are left out.
#[must_use]
pub fn encode_traces(request: &ExportTraceServiceRequest) -> Vec<u8> {
    let mut out = String::new();
    Object::new(&mut out).list("resourceSpans", &request.resource_spans, resource_spans).end();
    out.into_bytes()
}

/// Writes spans as one trace request, each as it comes: neighbours of an equal resource and scope stand together.
///
/// What is written so far is taken from [`SpanWriter::out`] at any time; [`SpanWriter::finish`] closes the request.
#[derive(Debug, Default)]
pub struct SpanWriter {
    pub out: String,
    /// The resource and scope that are open, as they were written.
    open: Option<(String, String)>,
}

impl SpanWriter {
    /// Adds a span. `resource` and `scope` are only looked at for themselves, not for their spans.
    pub fn push(&mut self, resource: &ResourceSpans, scope: &ScopeSpans, one: &Span) {
        let mut heads = (String::new(), String::new());
        Object::new(&mut heads.0).optional("resource", resource.resource.as_ref(), self::resource).text("schemaUrl", &resource.schema_url);
        Object::new(&mut heads.1).optional("scope", scope.scope.as_ref(), self::scope).text("schemaUrl", &scope.schema_url);
        match &self.open {
            Some(open) if *open == heads => self.out.push(','),
            Some(open) if open.0 == heads.0 => {
                self.out.push_str("]},");
                self.open_list(&heads.1, "spans");
            }
            open => {
                self.out.push_str(if open.is_some() { "]}]}," } else { "{\"resourceSpans\":[" });
                self.open_list(&heads.0, "scopeSpans");
                self.open_list(&heads.1, "spans");
            }
        }
        self.open = Some(heads);
        span(&mut self.out, one);
    }

    fn open_list(&mut self, head: &str, list: &str) {
        self.out.push_str(head);
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{}\"{list}\":[", if head.len() > 1 { "," } else { "" });
    }

    /// Closes the request.
    pub fn finish(&mut self) {
        self.out.push_str(if self.open.take().is_some() { "]}]}]}" } else { "{}" });
    }
}

/// References to entities as a JSON list, for [`decode_entity_refs`](super::decode_entity_refs).
#[must_use]
pub fn encode_entity_refs(refs: &[EntityRef]) -> String {
    let mut out = String::new();
    list_items(&mut out, refs, entity_ref);
    out
}

/// An object being written; fields that hold their default are left out, as the protobuf mapping does.
struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    fn key(&mut self, name: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        // Writing to a String cannot fail, here and below.
        let _ = write!(self.out, "\"{name}\":");
        self.out
    }

    fn text(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            push_json_string(self.key(name), value);
        }
        self
    }

    fn hex(self, name: &str, id: &[u8]) -> Self {
        self.text(name, &hex::encode(id))
    }

    fn number<N: Display + Default + PartialEq + Copy>(mut self, name: &str, value: N) -> Self {
        if value != N::default() {
            let _ = write!(self.key(name), "{value}");
        }
        self
    }

    fn number_as_text<N: Display + Default + PartialEq + Copy>(mut self, name: &str, value: N) -> Self {
        if value != N::default() {
            let _ = write!(self.key(name), "\"{value}\"");
        }
        self
    }

    fn list<T>(mut self, name: &str, items: &[T], write_item: fn(&mut String, &T)) -> Self {
        if !items.is_empty() {
            list_items(self.key(name), items, write_item);
        }
        self
    }

    fn optional<T>(mut self, name: &str, value: Option<&T>, write_value: fn(&mut String, &T)) -> Self {
        if let Some(value) = value {
            write_value(self.key(name), value);
        }
        self
    }

    fn end(self) {
        self.out.push('}');
    }
}

fn list_items<T>(out: &mut String, items: &[T], write_item: fn(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_item(out, item);
    }
    out.push(']');
}

fn resource_spans(out: &mut String, value: &ResourceSpans) {
    Object::new(out)
        .optional("resource", value.resource.as_ref(), resource)
        .list("scopeSpans", &value.scope_spans, scope_spans)
        .text("schemaUrl", &value.schema_url)
        .end();
}

fn resource(out: &mut String, value: &Resource) {
    Object::new(out)
        .list("attributes", &value.attributes, key_value)
        .number("droppedAttributesCount", value.dropped_attributes_count)
        .list("entityRefs", &value.entity_refs, entity_ref)
        .end();
}

fn entity_ref(out: &mut String, value: &EntityRef) {
    let write_text: fn(&mut String, &String) = |out, text| push_json_string(out, text);
    Object::new(out)
        .text("schemaUrl", &value.schema_url)
        .text("type", &value.r#type)
        .list("idKeys", &value.id_keys, write_text)
        .list("descriptionKeys", &value.description_keys, write_text)
        .end();
}

fn scope_spans(out: &mut String, value: &ScopeSpans) {
    Object::new(out)
        .optional("scope", value.scope.as_ref(), scope)
        .list("spans", &value.spans, span)
        .text("schemaUrl", &value.schema_url)
        .end();
}

fn scope(out: &mut String, value: &InstrumentationScope) {
    Object::new(out)
        .text("name", &value.name)
        .text("version", &value.version)
        .list("attributes", &value.attributes, key_value)
        .number("droppedAttributesCount", value.dropped_attributes_count)
        .end();
}

fn span(out: &mut String, value: &Span) {
    Object::new(out)
        .hex("traceId", &value.trace_id)
        .hex("spanId", &value.span_id)
        .text("traceState", &value.trace_state)
        .hex("parentSpanId", &value.parent_span_id)
        .number("flags", value.flags)
        .text("name", &value.name)
        .number("kind", value.kind)
        .number_as_text("startTimeUnixNano", value.start_time_unix_nano)
        .number_as_text("endTimeUnixNano", value.end_time_unix_nano)
        .list("attributes", &value.attributes, key_value)
        .number("droppedAttributesCount", value.dropped_attributes_count)
        .list("events", &value.events, event)
        .number("droppedEventsCount", value.dropped_events_count)
        .list("links", &value.links, link)
        .number("droppedLinksCount", value.dropped_links_count)
        .optional("status", value.status.as_ref(), status)
        .end();
}

fn event(out: &mut String, value: &Event) {
    Object::new(out)
        .number_as_text("timeUnixNano", value.time_unix_nano)
        .text("name", &value.name)
        .list("attributes", &value.attributes, key_value)
        .number("droppedAttributesCount", value.dropped_attributes_count)
        .end();
}

fn link(out: &mut String, value: &Link) {
    Object::new(out)
        .hex("traceId", &value.trace_id)
        .hex("spanId", &value.span_id)
        .text("traceState", &value.trace_state)
        .list("attributes", &value.attributes, key_value)
        .number("droppedAttributesCount", value.dropped_attributes_count)
        .number("flags", value.flags)
        .end();
}

fn status(out: &mut String, value: &Status) {
    Object::new(out).text("message", &value.message).number("code", value.code).end();
}

fn key_value(out: &mut String, value: &KeyValue) {
    Object::new(out).text("key", &value.key).optional("value", value.value.as_ref(), any_value).end();
}

fn any_value(out: &mut String, value: &AnyValue) {
    // A member of a oneof is written also when it holds its default: its presence is its meaning.
    let mut object = Object::new(out);
    match &value.value {
        None | Some(Value::StringValueStrindex(_)) => {}
        Some(Value::StringValue(text)) => push_json_string(object.key("stringValue"), text),
        Some(Value::BoolValue(value)) => object.key("boolValue").push_str(if *value { "true" } else { "false" }),
        Some(Value::IntValue(value)) => {
            let _ = write!(object.key("intValue"), "\"{value}\"");
        }
        Some(Value::DoubleValue(value)) => push_json_double(object.key("doubleValue"), *value),
        Some(Value::ArrayValue(array)) => {
            let out = object.key("arrayValue");
            out.push_str("{\"values\":");
            list_items(out, &array.values, any_value);
            out.push('}');
        }
        Some(Value::KvlistValue(list)) => {
            let out = object.key("kvlistValue");
            out.push_str("{\"values\":");
            list_items(out, &list.values, key_value);
            out.push('}');
        }
        Some(Value::BytesValue(bytes)) => push_json_string(object.key("bytesValue"), &base64_text(bytes)),
    }
    object.end();
}
