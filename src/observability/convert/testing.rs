//! What the tests of the conventions share: short ways to write spans and to look at rows.

use std::path::Path;
use std::sync::LazyLock;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::{ConvertContext, convert};
use crate::observability::otlp::decode_traces;
use crate::observability::pricing::Pricer;
use crate::observability::rows::ObservationRow;

/// 2025-10-09T08:53:20Z, the start of the test spans, in nanoseconds.
pub(crate) const START: u64 = 1_760_000_000_000_000_000;

pub(crate) trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::StringValue(self.to_owned())
    }
}
impl IntoValue for i64 {
    fn into_value(self) -> Value {
        Value::IntValue(self)
    }
}
impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::DoubleValue(self)
    }
}
impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::BoolValue(self)
    }
}
impl IntoValue for Vec<AnyValue> {
    fn into_value(self) -> Value {
        Value::ArrayValue(ArrayValue { values: self })
    }
}

pub(crate) fn value(value: impl IntoValue) -> AnyValue {
    AnyValue { value: Some(value.into_value()) }
}

pub(crate) fn pairs(pairs: &[(&str, AnyValue)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| KeyValue { key: (*key).to_owned(), value: Some(value.clone()), ..KeyValue::default() }).collect()
}

pub(crate) fn kvlist(items: &[(&str, AnyValue)]) -> AnyValue {
    AnyValue { value: Some(Value::KvlistValue(KeyValueList { values: pairs(items) })) }
}

pub(crate) fn context() -> ConvertContext<'static> {
    ConvertContext { project_id: "p", received_at_us: START / 1_000 + 5_000_000, environment: None, retention_days: 365 }
}

/// One pricer for all tests: reading the catalogue takes a while.
pub(crate) fn pricer() -> &'static Pricer {
    static PRICER: LazyLock<Pricer> = LazyLock::new(|| Pricer::from_catalogue().unwrap());
    &PRICER
}

pub(crate) fn span(attributes: Vec<KeyValue>) -> Span {
    Span {
        trace_id: (1..=16).collect(),
        span_id: (1..=8).collect(),
        name: "test span".to_owned(),
        kind: 3,
        start_time_unix_nano: START,
        end_time_unix_nano: START + 1_000_000_000,
        attributes,
        ..Span::default()
    }
}

pub(crate) fn request(span: Span, resource: Vec<KeyValue>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: resource, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn convert_span(span: Span) -> ObservationRow {
    convert(request(span, Vec::new()), &context(), pricer()).remove(0)
}

pub(crate) fn convert_with(attributes: &[(&str, AnyValue)], resource: &[(&str, AnyValue)], context: &ConvertContext<'_>) -> ObservationRow {
    convert(request(span(pairs(attributes)), pairs(resource)), context, pricer()).remove(0)
}

pub(crate) fn row_of(attributes: Vec<KeyValue>) -> ObservationRow {
    convert_span(span(attributes))
}

/// The row of a span with these attributes.
pub(crate) fn row(attributes: &[(&str, AnyValue)]) -> ObservationRow {
    row_of(pairs(attributes))
}

pub(crate) fn attribute<'a>(row: &'a ObservationRow, key: &str) -> Option<&'a str> {
    row.attributes.iter().find(|(name, _)| name == key).map(|(_, text)| text.as_str())
}

pub(crate) fn mapped<'a>(row: &'a ObservationRow, field: &str) -> Option<&'a str> {
    row.mapping.iter().find(|(name, _)| name == field).map(|(_, rule)| rule.as_str())
}

pub(crate) fn flagged(row: &ObservationRow, flag: &str) -> bool {
    row.flags.iter().any(|name| name == flag)
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp").join(name)).unwrap()
}

/// The rows of a fixture that is a whole request.
pub(crate) fn fixture_rows(name: &str) -> Vec<ObservationRow> {
    convert(decode_traces(&fixture(name)).unwrap(), &context(), pricer())
}

/// The attributes of a fixture that is a plain object of them.
pub(crate) fn fixture_attributes(name: &str) -> Vec<KeyValue> {
    fn plain(json: &serde_json::Value) -> AnyValue {
        match json {
            serde_json::Value::String(text) => value(text.as_str()),
            serde_json::Value::Bool(flag) => value(*flag),
            serde_json::Value::Number(number) => number.as_i64().map_or_else(|| value(number.as_f64().unwrap()), value),
            serde_json::Value::Array(items) => value(items.iter().map(plain).collect::<Vec<_>>()),
            serde_json::Value::Null | serde_json::Value::Object(_) => AnyValue::default(),
        }
    }
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&fixture(name)).unwrap();
    json.iter().map(|(key, json)| KeyValue { key: key.clone(), value: Some(plain(json)), ..KeyValue::default() }).collect()
}

/// The attributes of each span with their text and type, sorted, in the order of the spans.
pub(crate) fn pairs_of_request(request: ExportTraceServiceRequest) -> Vec<Vec<(String, String, u8)>> {
    let spans = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans);
    spans
        .map(|span| {
            let mut all: Vec<_> = span
                .attributes
                .into_iter()
                .map(|attribute| {
                    let (text, kind) = super::value::into_text(attribute.value, &mut super::nested::Doubts::default());
                    (attribute.key, text, kind as u8)
                })
                .collect();
            all.sort();
            all
        })
        .collect()
}
