//! From a row back to the OTLP span that it was made from.
//!
//! Exact but for what OTLP itself leaves open: the attributes of the span come in the order of their keys, and doubles that are no
//! numbers are all one. What the protocol forbids is kept as far as the store can: of a key that comes twice both values are there,
//! each with a type that its text can have; text that was no Unicode has U+FFFD where it broke.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::mem::take;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::original::{self, noted};
use super::table::TABLE;
use super::{nested, original::NONE};
use crate::observability::otlp::json::decode_entity_refs;
use crate::observability::rows::{AttributeType, NESTED_TYPES, ObservationRow, Pairs};

/// A span with the resource and scope it was sent under, which hold no spans here.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuilt {
    pub resource: ResourceSpans,
    pub scope: ScopeSpans,
    pub span: Span,
}

/// Puts a span together again from its row.
#[must_use]
pub fn rebuild(mut row: ObservationRow) -> Rebuilt {
    let resource = Resource {
        attributes: attributes(take(&mut row.resource_attributes), &row.resource_attribute_types),
        dropped_attributes_count: row.resource_dropped_attributes_count,
        entity_refs: noted(&row, original::ENTITY_REFS).map(decode_entity_refs).unwrap_or_default(),
    };
    let scope = InstrumentationScope {
        name: take(&mut row.scope_name),
        version: take(&mut row.scope_version),
        attributes: attributes(take(&mut row.scope_attributes), &row.scope_attribute_types),
        dropped_attributes_count: row.scope_dropped_attributes_count,
    };
    Rebuilt {
        resource: ResourceSpans {
            resource: is_there(&row, original::RESOURCE).then_some(resource),
            schema_url: take(&mut row.resource_schema_url),
            ..ResourceSpans::default()
        },
        scope: ScopeSpans {
            scope: is_there(&row, original::SCOPE).then_some(scope),
            schema_url: take(&mut row.scope_schema_url),
            ..ScopeSpans::default()
        },
        span: span(row),
    }
}

fn is_there(row: &ObservationRow, message: &str) -> bool {
    noted(row, message) != Some(NONE)
}

fn span(mut row: ObservationRow) -> Span {
    let missing_start = row.flags.iter().any(|flag| flag == "missing_start");
    let start = if missing_start { 0 } else { time(&row, original::START, row.start_time) };
    let end = time(&row, original::END, row.end_time);
    let parent = id(noted(&row, original::PARENT).unwrap_or(&row.parent_span_id));
    let mut all = moved(&row);
    all.append(&mut row.attributes);
    let mut attributes = attributes(all, &row.attribute_types);
    // Stable, so that of a key that comes twice the first stays the first.
    attributes.sort_by(|one, other| one.key.cmp(&other.key));
    Span {
        trace_id: id(&row.trace_id),
        span_id: id(&row.span_id),
        parent_span_id: parent,
        flags: row.trace_flags,
        kind: code(&row, original::KIND, row.kind),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes,
        dropped_attributes_count: row.dropped_attributes_count,
        status: is_there(&row, original::STATUS).then(|| status(&row)),
        name: noted(&row, original::NAME).unwrap_or(&row.name).to_owned(),
        dropped_events_count: row.dropped_events_count,
        dropped_links_count: row.dropped_links_count,
        events: events(&mut row),
        links: links(&mut row),
        trace_state: take(&mut row.trace_state),
    }
}

fn id(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap_or_default()
}

fn time(row: &ObservationRow, field: &str, stored: i64) -> u64 {
    noted(row, field).and_then(|text| text.parse().ok()).unwrap_or(stored.cast_unsigned())
}

fn code(row: &ObservationRow, field: &str, stored: u8) -> i32 {
    noted(row, field).and_then(|text| text.parse().ok()).unwrap_or_else(|| stored.into())
}

fn status(row: &ObservationRow) -> Status {
    // A message that a rule filled was empty.
    let message = if noted(row, "status_message").is_some() { String::new() } else { row.status_message.clone() };
    Status { message, code: code(row, original::STATUS_CODE, row.status_code) }
}

/// The attributes that became the input and the output word for word.
fn moved(row: &ObservationRow) -> Pairs<String> {
    let mut moved: Pairs<String> = Vec::new();
    for (field, text) in [("input", &row.input), ("output", &row.output)] {
        let Some(key) = noted(row, field).and_then(moved_key) else { continue };
        // One attribute that rules take for both sides is the input.
        if !moved.iter().any(|(known, _)| known == key) {
            moved.push((key.to_owned(), text.clone()));
        }
    }
    moved
}

/// The key of the attribute that a side was, by the label of the rule that filled it; nothing when the side was put together.
pub(in crate::observability::convert) fn moved_key(label: &str) -> Option<&str> {
    let (_, key) = label.split_once(':')?;
    let built = key.ends_with('*') || key.contains(['+', '#']) || TABLE.leaves_attributes(label);
    (!built).then_some(key)
}

fn events(row: &mut ObservationRow) -> Vec<Event> {
    let lists = row.events_timestamp.iter().zip(&mut row.events_name).zip(&mut row.events_attributes);
    let rest = row.events_attribute_types.iter().zip(&row.events_dropped_attributes_count);
    lists
        .zip(rest)
        .map(|(((time, name), pairs), (types, dropped))| Event {
            time_unix_nano: time.cast_unsigned(),
            name: take(name),
            attributes: attributes(take(pairs), types),
            dropped_attributes_count: *dropped,
        })
        .collect()
}

fn links(row: &mut ObservationRow) -> Vec<Link> {
    let lists = row.links_trace_id.iter().zip(&row.links_span_id).zip(&mut row.links_trace_state).zip(&row.links_flags);
    let rest = row.links_attributes.iter_mut().zip(&row.links_attribute_types).zip(&row.links_dropped_attributes_count);
    lists
        .zip(rest)
        .map(|((((trace_id, span_id), trace_state), flags), ((pairs, types), dropped))| Link {
            trace_id: id(trace_id),
            span_id: id(span_id),
            trace_state: take(trace_state),
            attributes: attributes(take(pairs), types),
            dropped_attributes_count: *dropped,
            flags: *flags,
        })
        .collect()
}

/// What is known of the types of one key.
#[derive(Default)]
struct Known<'a> {
    kinds: Vec<AttributeType>,
    notes: Vec<&'a str>,
}

fn attributes(pairs: Pairs<String>, types: &[(String, u8)]) -> Vec<KeyValue> {
    let mut known: HashMap<&str, Known<'_>> = HashMap::new();
    // From the end, so that the first of a key is taken first.
    for (entry, code) in types.iter().rev() {
        if *code < NESTED_TYPES {
            known.entry(entry).or_default().kinds.push(AttributeType::from_code(*code));
        } else if let Some((key, notes)) = nested::notes_of(entry) {
            known.entry(key).or_default().notes.push(notes);
        }
    }
    pairs
        .into_iter()
        .map(|(key, text)| {
            let value = match known.get_mut(key.as_str()) {
                Some(known) => known.next(text),
                None => string(text),
            };
            KeyValue { key, value, ..KeyValue::default() }
        })
        .collect()
}

fn string(text: String) -> Option<AnyValue> {
    Some(AnyValue { value: Some(Value::StringValue(text)) })
}

/// What a stored text was.
enum Typed {
    /// A key without a value.
    Missing,
    Value(Option<Value>),
}

impl Known<'_> {
    /// The value of a text by the next type of its key: text when there is none, or the text cannot have it.
    fn next(&mut self, text: String) -> Option<AnyValue> {
        match self.typed(&text) {
            Some(Typed::Missing) => None,
            Some(Typed::Value(value)) => Some(AnyValue { value }),
            None => string(text),
        }
    }

    fn typed(&mut self, text: &str) -> Option<Typed> {
        let kind = self.kinds.last()?;
        let notes = self.notes.last().copied().unwrap_or_default();
        let value = match kind {
            AttributeType::String => return None,
            AttributeType::Missing | AttributeType::Empty if !text.is_empty() => return None,
            AttributeType::Missing => Typed::Missing,
            AttributeType::Empty => Typed::Value(None),
            AttributeType::Bool => Typed::Value(Some(Value::BoolValue(text.parse().ok()?))),
            AttributeType::Int => Typed::Value(Some(Value::IntValue(text.parse().ok()?))),
            AttributeType::Double => Typed::Value(Some(Value::DoubleValue(text.parse().ok()?))),
            AttributeType::Bytes => Typed::Value(Some(Value::BytesValue(STANDARD.decode(text).ok()?))),
            AttributeType::Array | AttributeType::KvList => Typed::Value(Some(nested::read(text, notes)?)),
        };
        if matches!(kind, AttributeType::Array | AttributeType::KvList) {
            self.notes.pop();
        }
        self.kinds.pop();
        Some(value)
    }
}
