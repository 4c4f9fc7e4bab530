//! Arbitrary requests for property tests: any values, keys that conventions know, hostile numbers and times.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::family::{FAMILIES, Source};

fn keys() -> Vec<String> {
    let mut keys: Vec<String> =
        ["__proto__", "", "llm.input_messages.", "llm.output_messages.999999999.message.role"].map(str::to_owned).into();
    for rule in FAMILIES.iter().flat_map(|family| family.rules) {
        match rule.source {
            Source::Attribute(key) | Source::Resource(key) => keys.push(key.to_owned()),
            Source::Part(path) => keys.extend(path.split_once('#').map(|(key, _)| key.to_owned())),
            Source::Indexed { prefix, .. } => {
                keys.extend(
                    ["0.message.role", "1.message.contents.0.message_content.text", "3", "0.embedding.text", "temperature"]
                        .map(|tail| format!("{prefix}{tail}")),
                );
            }
            Source::Events(_) => {}
        }
    }
    keys
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        select(vec![
            "[]",
            "[{\"role\":\"user\"}]",
            "{\"a\":1}",
            "{\"input\":5,\"output_tokens\":7,\"total\":-1,\"usage\":{\"inputTokens\":3}}",
            "{\"anthropic\":{\"cacheCreationInputTokens\":\"9\"}}",
            "[[[[[[",
            "-1",
            "NaN",
            "1e400",
            "12",
            "0.5",
            "gpt-4o",
            "openai",
            "anthropic",
            "LLM",
            "chat",
            "\u{0}\u{FFFD}"
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::StringValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        2 => any::<i64>().prop_map(Value::IntValue),
        2 => (0..1_000_i64).prop_map(Value::IntValue),
        1 => any::<f64>().prop_map(Value::DoubleValue),
        1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300]).prop_map(Value::DoubleValue),
        1 => vec(any::<u8>(), 0..6).prop_map(Value::BytesValue),
    ];
    let leaf = option::weighted(0.95, leaf).prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(("[a-c]{0,2}", option::weighted(0.9, inner)), 0..3).prop_map(|items| {
                let values = items.into_iter().map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }).collect();
                Value::KvlistValue(KeyValueList { values })
            }),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![3 => select(keys()), 1 => "[a-z.]{0,8}"];
    vec((key, option::weighted(0.95, value())), 0..most)
        .prop_map(|pairs| pairs.into_iter().map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }).collect())
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), 1_700_000_000_000_000_000..1_800_000_000_000_000_000_u64]
}

fn event() -> impl Strategy<Value = Event> {
    let name = prop_oneof![text(), select(vec!["gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt"]).prop_map(str::to_owned)];
    (time(), name, attributes(3), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (any::<[u8; 16]>(), any::<[u8; 8]>(), text(), attributes(2), any::<(u32, u32)>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, (dropped_attributes_count, flags))| Link {
            trace_id: trace_id.into(),
            span_id: span_id.into(),
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    )
}

pub(crate) fn span() -> impl Strategy<Value = Span> {
    let parent = prop_oneof![4 => any::<[u8; 8]>(), 1 => Just([0; 8])];
    let ids = (any::<[u8; 16]>(), any::<[u8; 8]>(), option::of(parent));
    let counts = any::<(u32, u32, u32, u32)>();
    let status = option::of((text(), prop_oneof![3 => 0..3, 1 => any::<i32>()]).prop_map(|(message, code)| Status { message, code }));
    let kind = prop_oneof![3 => 0..6, 1 => any::<i32>()];
    (ids, (text(), text()), (kind, time(), time()), attributes(16), vec(event(), 0..3), vec(link(), 0..2), counts, status).prop_map(
        |((trace_id, span_id, parent), (name, trace_state), (kind, start, end), attributes, events, links, counts, status)| Span {
            trace_id: trace_id.into(),
            span_id: span_id.into(),
            parent_span_id: parent.map(Vec::from).unwrap_or_default(),
            trace_state,
            flags: counts.0,
            name,
            kind,
            start_time_unix_nano: start,
            end_time_unix_nano: end,
            attributes,
            dropped_attributes_count: counts.1,
            events,
            dropped_events_count: counts.2,
            links,
            dropped_links_count: counts.3,
            status,
        },
    )
}

pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope = (text(), text(), attributes(2), any::<u32>()).prop_map(|(name, version, attributes, dropped_attributes_count)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count }
    });
    let scope_spans =
        (option::of(scope), vec(span(), 0..3), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let names = || vec(text(), 0..2);
    let entity = (text(), text(), names(), names()).prop_map(|(schema_url, r#type, id_keys, description_keys)| EntityRef {
        schema_url,
        r#type,
        id_keys,
        description_keys,
    });
    let resource = (attributes(4), any::<u32>(), vec(entity, 0..2))
        .prop_map(|(attributes, dropped_attributes_count, entity_refs)| Resource { attributes, dropped_attributes_count, entity_refs });
    let resource_spans = (option::of(resource), vec(scope_spans, 0..3), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url });
    vec(resource_spans, 0..2).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}
