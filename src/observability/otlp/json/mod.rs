//! Reading and writing OTLP/JSON trace requests.
//!
//! Streaming, straight into the protobuf messages: no tree of the body is built. Depth is bounded by the JSON reader (128
//! levels), which keeps every accepted value within the 100 levels that the protobuf reader accepts later.
//! Source: the JSON mapping of the OTLP specification (hex ids, integer enums, 64-bit integers as strings) and, where it is
//! silent, that of Protocol Buffers. Both camelCase and the original field names are read.

mod encode;
mod fields;
#[cfg(test)]
mod tests;

use std::fmt;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

pub use encode::{SpanWriter, encode_entity_refs, encode_traces};
use fields::{
    BoolValue, BytesValue, DoubleValue, Id, IntValue, Key, List, Nanos, Optional, SpanKind, StatusCode, StringValue, Text, Uint32, Wrapper,
    skip_value,
};

/// Why a body is no OTLP/JSON trace request, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid OTLP JSON at line {line}, column {column}: {reason}")]
pub struct DecodeError {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let mut reason = error.to_string();
        let position = format!(" at line {line} column {column}");
        if reason.ends_with(&position) {
            reason.truncate(reason.len() - position.len());
        }
        Self { line, column, reason }
    }
}

/// Decodes the body of an OTLP/JSON trace export.
///
/// Ids are not checked here: one that is no id is kept in a form that [`validate`](crate::observability::validate::validate)
/// refuses, so that its span is rejected alone.
///
/// # Errors
/// When the body is not JSON, is nested too deeply, or a field holds a value of another kind than the protocol's.
pub fn decode_traces(body: &[u8]) -> Result<ExportTraceServiceRequest, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = RequestJson::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(request.0)
}

/// Decodes what [`encode_entity_refs`] wrote; of anything else there is nothing.
#[must_use]
pub fn decode_entity_refs(json: &str) -> Vec<EntityRef> {
    serde_json::from_str::<List<EntityRefJson>>(json).map(|list| list.0).unwrap_or_default()
}

/// Defines the reader of one message: which keys fill which field through which field type.
macro_rules! message {
    ($name:ident, $target:ty, $what:literal, { $($($key:literal)|+ => $field:ident: $kind:ty),* $(,)? }) => {
        struct $name($target);

        impl Wrapper for $name {
            type Inner = $target;
            fn inner(self) -> $target {
                self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct MessageVisitor;
                impl<'de> Visitor<'de> for MessageVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                        Ok($name(<$target>::default()))
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut message = <$target>::default();
                        while let Some(key) = map.next_key::<Key<'de>>()? {
                            match key.as_bytes() {
                                $($($key)|+ => message.$field = map.next_value::<$kind>()?.0,)*
                                _ => skip_value(&mut map)?,
                            }
                        }
                        Ok($name(message))
                    }
                }
                deserializer.deserialize_any(MessageVisitor)
            }
        }
    };
}

message!(ResourceSpansJson, ResourceSpans, "an object with scopeSpans", {
    b"resource" => resource: Optional<ResourceJson>,
    b"scopeSpans" | b"scope_spans" => scope_spans: List<ScopeSpansJson>,
    b"schemaUrl" | b"schema_url" => schema_url: Text,
});

message!(ResourceJson, Resource, "a resource", {
    b"attributes" => attributes: List<KeyValueJson>,
    b"droppedAttributesCount" | b"dropped_attributes_count" => dropped_attributes_count: Uint32,
    b"entityRefs" | b"entity_refs" => entity_refs: List<EntityRefJson>,
});

message!(EntityRefJson, EntityRef, "a reference to an entity", {
    b"schemaUrl" | b"schema_url" => schema_url: Text,
    b"type" => r#type: Text,
    b"idKeys" | b"id_keys" => id_keys: List<Text>,
    b"descriptionKeys" | b"description_keys" => description_keys: List<Text>,
});

message!(ScopeSpansJson, ScopeSpans, "an object with spans", {
    b"scope" => scope: Optional<ScopeJson>,
    b"spans" => spans: List<SpanJson>,
    b"schemaUrl" | b"schema_url" => schema_url: Text,
});

message!(ScopeJson, InstrumentationScope, "an instrumentation scope", {
    b"name" => name: Text,
    b"version" => version: Text,
    b"attributes" => attributes: List<KeyValueJson>,
    b"droppedAttributesCount" | b"dropped_attributes_count" => dropped_attributes_count: Uint32,
});

message!(SpanJson, Span, "a span", {
    b"traceId" | b"trace_id" => trace_id: Id<16>,
    b"spanId" | b"span_id" => span_id: Id<8>,
    b"traceState" | b"trace_state" => trace_state: Text,
    b"parentSpanId" | b"parent_span_id" => parent_span_id: Id<8>,
    b"flags" => flags: Uint32,
    b"name" => name: Text,
    b"kind" => kind: SpanKind,
    b"startTimeUnixNano" | b"start_time_unix_nano" => start_time_unix_nano: Nanos,
    b"endTimeUnixNano" | b"end_time_unix_nano" => end_time_unix_nano: Nanos,
    b"attributes" => attributes: List<KeyValueJson>,
    b"droppedAttributesCount" | b"dropped_attributes_count" => dropped_attributes_count: Uint32,
    b"events" => events: List<EventJson>,
    b"droppedEventsCount" | b"dropped_events_count" => dropped_events_count: Uint32,
    b"links" => links: List<LinkJson>,
    b"droppedLinksCount" | b"dropped_links_count" => dropped_links_count: Uint32,
    b"status" => status: Optional<StatusJson>,
});

message!(EventJson, Event, "a span event", {
    b"timeUnixNano" | b"time_unix_nano" => time_unix_nano: Nanos,
    b"name" => name: Text,
    b"attributes" => attributes: List<KeyValueJson>,
    b"droppedAttributesCount" | b"dropped_attributes_count" => dropped_attributes_count: Uint32,
});

message!(LinkJson, Link, "a span link", {
    b"traceId" | b"trace_id" => trace_id: Id<16>,
    b"spanId" | b"span_id" => span_id: Id<8>,
    b"traceState" | b"trace_state" => trace_state: Text,
    b"attributes" => attributes: List<KeyValueJson>,
    b"droppedAttributesCount" | b"dropped_attributes_count" => dropped_attributes_count: Uint32,
    b"flags" => flags: Uint32,
});

message!(StatusJson, Status, "a span status", {
    b"message" => message: Text,
    b"code" => code: StatusCode,
});

message!(KeyValueJson, KeyValue, "an attribute: an object with key and value", {
    b"key" => key: Text,
    b"value" => value: Optional<AnyValueJson>,
});

message!(ArrayJson, ArrayValue, "an object with a list of values", {
    b"values" => values: List<AnyValueJson>,
});

message!(KvlistJson, KeyValueList, "an object with a list of keys and values", {
    b"values" => values: List<KeyValueJson>,
});

/// The request itself: its own reader, because a body of another signal deserves an answer that says so.
struct RequestJson(ExportTraceServiceRequest);

impl<'de> Deserialize<'de> for RequestJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequestVisitor;
        impl<'de> Visitor<'de> for RequestVisitor {
            type Value = RequestJson;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with resourceSpans")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut request = ExportTraceServiceRequest::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    match key.as_bytes() {
                        b"resourceSpans" | b"resource_spans" => request.resource_spans = map.next_value::<List<ResourceSpansJson>>()?.0,
                        b"resourceLogs" | b"resource_logs" => return Err(A::Error::custom("these are logs: send them to /v1/logs")),
                        b"resourceMetrics" | b"resource_metrics" => {
                            return Err(A::Error::custom("these are metrics: send them to /v1/metrics"));
                        }
                        _ => skip_value(&mut map)?,
                    }
                }
                Ok(RequestJson(request))
            }
        }
        deserializer.deserialize_any(RequestVisitor)
    }
}

/// An attribute value. Beside the protocol's object, a bare string, number or boolean is taken for what it is.
struct AnyValueJson(AnyValue);

impl Wrapper for AnyValueJson {
    type Inner = AnyValue;
    fn inner(self) -> AnyValue {
        self.0
    }
    fn null_item() -> Option<AnyValue> {
        Some(AnyValue::default())
    }
}

impl<'de> Deserialize<'de> for AnyValueJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        fn scalar(value: Value) -> AnyValueJson {
            AnyValueJson(AnyValue { value: Some(value) })
        }
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = AnyValueJson;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value such as {\"stringValue\": \"text\"}")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(AnyValueJson(AnyValue::default()))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(scalar(Value::BoolValue(value)))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(scalar(Value::IntValue(value)))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(scalar(i64::try_from(value).map_or_else(|_| Value::StringValue(value.to_string()), Value::IntValue)))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(scalar(Value::DoubleValue(value)))
            }
            fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(scalar(Value::StringValue(value.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    let value = match key.as_bytes() {
                        b"stringValue" | b"string_value" => map.next_value::<StringValue>()?.0,
                        b"boolValue" | b"bool_value" => map.next_value::<BoolValue>()?.0,
                        b"intValue" | b"int_value" => map.next_value::<IntValue>()?.0,
                        b"doubleValue" | b"double_value" => map.next_value::<DoubleValue>()?.0,
                        b"arrayValue" | b"array_value" => map.next_value::<Optional<ArrayJson>>()?.0.map(Value::ArrayValue),
                        b"kvlistValue" | b"kvlist_value" => map.next_value::<Optional<KvlistJson>>()?.0.map(Value::KvlistValue),
                        b"bytesValue" | b"bytes_value" => map.next_value::<BytesValue>()?.0,
                        _ => {
                            skip_value(&mut map)?;
                            None
                        }
                    };
                    found = value.or(found);
                }
                Ok(AnyValueJson(AnyValue { value: found }))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}
