//! What the read API answers. Times RFC 3339, durations nanoseconds, money decimal text in US dollars.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::common::{money, time};
use crate::observability::convert::{Explanation, FilledField, explain};
use crate::observability::rows::{AttributeType, NESTED_TYPES, ObservationRow, Pairs};
use crate::observability::store::{SpanRow, TraceRow};

/// Whether the work of a span or trace succeeded. Source: `Status.StatusCode` of opentelemetry-proto `trace/v1/trace.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Unset,
    Ok,
    Error,
}

impl Status {
    /// The status of a stored or received code.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    /// Its code in OTLP.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Unset => 0,
            Self::Ok => 1,
            Self::Error => 2,
        }
    }
}

/// The name of an OTLP span kind. Source: `SpanKind` of opentelemetry-proto `trace/v1/trace.proto`.
fn kind(code: u8) -> &'static str {
    match code {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "unspecified",
    }
}

fn set(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn usage(pairs: Pairs<u64>) -> BTreeMap<String, u64> {
    pairs.into_iter().collect()
}

fn cost<T: Into<i128>>(pairs: Pairs<T>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(kind, amount)| (kind, money::to_text(amount.into()))).collect()
}

/// The time of an event: one past the year 2262 is stored as a negative number, and shown as the last that can be written.
fn shown(at: i64) -> i64 {
    if at < 0 { i64::MAX } else { at }
}

fn millis(ms: i64) -> String {
    time::rfc3339(ms.saturating_mul(1_000_000))
}

/// A trace in a list or at the head of its page.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceSummary {
    pub trace_id: String,
    pub project_id: String,
    /// Null until the root span has arrived.
    pub root_span_id: Option<String>,
    pub has_root: bool,
    pub name: String,
    pub start_time: String,
    /// Null while the root span is running.
    pub end_time: Option<String>,
    /// Nanoseconds; null while the root span is running.
    pub duration: Option<u64>,
    /// The root span's, or the worst of the spans while there is no root.
    pub status: Status,
    /// 0 unset, 1 ok, 2 error.
    pub status_code: u8,
    /// Whether any span failed.
    pub has_error: bool,
    pub span_count: u32,
    pub error_span_count: u32,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    /// Tokens by kind, each counted once.
    pub usage_details: BTreeMap<String, u64>,
    /// US dollars as decimal text; null when no span has a known price.
    pub total_cost: Option<String>,
    /// US dollars by kind of usage.
    pub cost_details: BTreeMap<String, String>,
    /// Spans with tokens whose price is unknown.
    pub unpriced_span_count: u32,
    /// The first of `models`.
    pub model_name: Option<String>,
    pub models: Vec<String>,
    /// The first of `providers`.
    pub provider_name: Option<String>,
    pub providers: Vec<String>,
    pub service_name: String,
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub tags: Vec<String>,
    pub environment: String,
    pub release: Option<String>,
    pub version: Option<String>,
    /// At most 200 characters.
    pub input_preview: String,
    /// At most 200 characters.
    pub output_preview: String,
    /// When its first span was received.
    pub ingested_at: String,
}

impl TraceSummary {
    /// The view of `row`.
    #[must_use]
    pub fn new(project_id: &str, row: TraceRow) -> Self {
        let ended = row.end_time != 0;
        Self {
            trace_id: row.trace_id,
            project_id: project_id.to_owned(),
            root_span_id: set(row.root_span_id),
            has_root: row.has_root != 0,
            name: row.name,
            start_time: time::rfc3339(row.start_time),
            end_time: ended.then(|| time::rfc3339(row.end_time)),
            duration: ended.then_some(row.duration_ns),
            status: Status::from_code(row.status_code),
            status_code: row.status_code,
            has_error: row.error_count > 0,
            span_count: row.span_count,
            error_span_count: row.error_count,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            total_tokens: row.total_tokens,
            usage_details: usage(row.usage_details),
            total_cost: row.total_cost.map(money::to_text),
            cost_details: cost(row.cost_details),
            unpriced_span_count: row.unpriced_count,
            model_name: row.models.first().cloned(),
            models: row.models,
            provider_name: row.providers.first().cloned(),
            providers: row.providers,
            service_name: row.service_name,
            user_id: set(row.user_id),
            session_id: set(row.session_id),
            tags: row.tags,
            environment: row.environment,
            release: set(row.release),
            version: set(row.version),
            input_preview: row.input_preview,
            output_preview: row.output_preview,
            ingested_at: millis(row.ingested_at),
        }
    }
}

/// A span in the tree of its trace.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpanSummary {
    pub span_id: String,
    pub trace_id: String,
    /// Null for a root.
    pub parent_span_id: Option<String>,
    pub is_root: bool,
    pub name: String,
    /// `generation`, `span`, `event`, `tool`, `agent`, `chain`, `retrieval`, `embedding`, `evaluator`, `guardrail`, `rerank` or `workflow`.
    pub r#type: String,
    /// OpenTelemetry's span kind, in lower case.
    pub kind: String,
    pub level: String,
    pub status: Status,
    pub status_code: u8,
    pub status_message: String,
    pub start_time: String,
    /// Null while the span is running.
    pub end_time: Option<String>,
    /// Nanoseconds; null while the span is running.
    pub duration: Option<u64>,
    /// When the first token of the answer came.
    pub completion_start_time: Option<String>,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub service_name: String,
    pub environment: String,
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    /// Tokens by kind, each counted once.
    pub usage_details: BTreeMap<String, u64>,
    /// US dollars as decimal text; null when the price is unknown or nothing was used.
    pub total_cost: Option<String>,
    /// Bytes of the whole input.
    pub input_length: u32,
    /// Bytes of the whole output.
    pub output_length: u32,
    pub input_preview: String,
    pub output_preview: String,
    /// Oddities of the span, such as `end_before_start`.
    pub flags: Vec<String>,
    /// Only with `include=io`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub input: Option<String>,
    /// Only with `include=io`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub output: Option<String>,
}

impl SpanSummary {
    /// The view of `row`.
    #[must_use]
    pub fn new(row: SpanRow, with_io: bool) -> Self {
        let ended = row.end_time != 0;
        Self {
            span_id: row.span_id,
            trace_id: row.trace_id,
            parent_span_id: set(row.parent_span_id),
            is_root: row.is_root != 0,
            name: row.name,
            r#type: row.r#type,
            kind: kind(row.kind).to_owned(),
            level: row.level,
            status: Status::from_code(row.status_code),
            status_code: row.status_code,
            status_message: row.status_message,
            start_time: time::rfc3339(row.start_time),
            end_time: ended.then(|| time::rfc3339(row.end_time)),
            duration: ended.then_some(row.duration_ns),
            completion_start_time: row.completion_start_time.map(time::rfc3339),
            model: set(row.model),
            provider: set(row.provider),
            service_name: row.service_name,
            environment: row.environment,
            user_id: set(row.user_id),
            session_id: set(row.session_id),
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            total_tokens: row.total_tokens,
            usage_details: usage(row.usage_details),
            total_cost: row.total_cost.map(|amount| money::to_text(amount.into())),
            input_length: row.input_length,
            output_length: row.output_length,
            input_preview: row.input_preview,
            output_preview: row.output_preview,
            flags: row.flags,
            input: with_io.then_some(row.input),
            output: with_io.then_some(row.output),
        }
    }
}

/// The prompt a span was made from.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptRef {
    pub id: Option<String>,
    pub name: Option<String>,
    pub version: Option<u32>,
}

/// The instrumentation scope of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScopeView {
    pub name: String,
    pub version: String,
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    pub schema_url: String,
}

/// An event of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpanEvent {
    pub name: String,
    pub timestamp: String,
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    pub dropped_attributes_count: u32,
}

/// A link of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpanLink {
    pub trace_id: String,
    pub span_id: String,
    pub trace_state: String,
    pub flags: u32,
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    pub dropped_attributes_count: u32,
}

/// What the SDK says it has dropped.
#[derive(Debug, Serialize, ToSchema)]
pub struct DroppedView {
    pub attributes: u32,
    pub events: u32,
    pub links: u32,
}

/// A field that a rule filled.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainedField {
    pub field: String,
    /// As in `mapping`.
    pub rule: String,
    /// The convention; empty where none had a part in it.
    pub family: String,
    /// The span attribute the value came from, or what several begin with and `*`; null where it came from elsewhere.
    pub attribute: Option<String>,
}

/// What the rules made of a span.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explain {
    /// By name.
    pub fields: Vec<ExplainedField>,
    /// Attributes of the span that no rule used, by the rules of today.
    pub unused_attributes: Vec<String>,
}

impl Explain {
    fn new(row: &ObservationRow) -> Self {
        let Explanation { fields, unused_attributes } = explain(row);
        let field = |filled: FilledField| ExplainedField {
            field: filled.field,
            rule: filled.rule,
            family: filled.family,
            attribute: filled.attribute,
        };
        Self { fields: fields.into_iter().map(field).collect(), unused_attributes }
    }
}

/// One span with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpanDetail {
    #[serde(flatten)]
    pub summary: SpanSummary,
    /// Exactly as it was sent: JSON text or plain text.
    pub input: String,
    /// Exactly as it was sent: JSON text or plain text.
    pub output: String,
    #[schema(value_type = Option<Object>)]
    pub model_parameters: Option<Value>,
    pub prompt: Option<PromptRef>,
    /// US dollars by kind of usage.
    pub cost_details: BTreeMap<String, String>,
    /// `catalogue`, `organization`, `project`, `client` or empty.
    pub cost_source: String,
    pub price_id: String,
    /// The total that the client reported, beside ours.
    pub client_total_tokens: Option<u64>,
    pub tags: Vec<String>,
    pub release: Option<String>,
    pub version: Option<String>,
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    #[schema(value_type = Object)]
    pub resource_attributes: Map<String, Value>,
    pub resource_schema_url: String,
    pub scope: ScopeView,
    pub trace_state: String,
    pub trace_flags: u32,
    pub events: Vec<SpanEvent>,
    pub links: Vec<SpanLink>,
    pub dropped: DroppedView,
    /// Which rule filled which field.
    pub mapping: BTreeMap<String, String>,
    pub explain: Explain,
    pub ingested_at: String,
}

/// Attribute values with their types back: numbers, booleans, arrays and objects instead of text.
fn attributes(pairs: Pairs<String>, types: &[(String, u8)]) -> Map<String, Value> {
    let types: BTreeMap<&str, u8> =
        types.iter().filter(|(_, code)| *code < NESTED_TYPES).map(|(key, code)| (key.as_str(), *code)).collect();
    pairs
        .into_iter()
        .map(|(key, text)| {
            let value = typed(text, AttributeType::from_code(types.get(key.as_str()).copied().unwrap_or(0)));
            (key, value)
        })
        .collect()
}

fn typed(text: String, kind: AttributeType) -> Value {
    let parsed = match kind {
        AttributeType::String | AttributeType::Bytes => None,
        AttributeType::Empty | AttributeType::Missing => Some(Value::Null),
        AttributeType::Bool => Some(Value::Bool(text == "true")),
        // Numbers beyond JSON's (2^53, NaN, infinities) stay text, as protobuf's JSON writes them.
        AttributeType::Int => text.parse::<i64>().ok().filter(|number| number.unsigned_abs() <= 1 << 53).map(Value::from),
        AttributeType::Double => text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number),
        AttributeType::Array | AttributeType::KvList => serde_json::from_str(&text).ok(),
    };
    parsed.unwrap_or(Value::String(text))
}

impl SpanDetail {
    /// The view of `row`.
    #[must_use]
    pub fn new(row: ObservationRow) -> Self {
        let mut row = row;
        let explain = Explain::new(&row);
        let input = std::mem::take(&mut row.input);
        let output = std::mem::take(&mut row.output);
        let take = std::mem::take::<Pairs<String>>;
        let prompt = (!row.prompt_id.is_empty() || !row.prompt_name.is_empty() || row.prompt_version > 0).then(|| PromptRef {
            id: set(std::mem::take(&mut row.prompt_id)),
            name: set(std::mem::take(&mut row.prompt_name)),
            version: (row.prompt_version > 0).then_some(row.prompt_version),
        });
        let events = std::mem::take(&mut row.events_name)
            .into_iter()
            .enumerate()
            .map(|(index, name)| SpanEvent {
                name,
                timestamp: row.events_timestamp.get(index).copied().map(|at| time::rfc3339(shown(at))).unwrap_or_default(),
                attributes: attributes(
                    row.events_attributes.get_mut(index).map(take).unwrap_or_default(),
                    row.events_attribute_types.get(index).map_or(&[], Vec::as_slice),
                ),
                dropped_attributes_count: row.events_dropped_attributes_count.get(index).copied().unwrap_or(0),
            })
            .collect();
        let links = std::mem::take(&mut row.links_trace_id)
            .into_iter()
            .enumerate()
            .map(|(index, trace_id)| SpanLink {
                trace_id,
                span_id: row.links_span_id.get_mut(index).map(std::mem::take).unwrap_or_default(),
                trace_state: row.links_trace_state.get_mut(index).map(std::mem::take).unwrap_or_default(),
                flags: row.links_flags.get(index).copied().unwrap_or(0),
                attributes: attributes(
                    row.links_attributes.get_mut(index).map(take).unwrap_or_default(),
                    row.links_attribute_types.get(index).map_or(&[], Vec::as_slice),
                ),
                dropped_attributes_count: row.links_dropped_attributes_count.get(index).copied().unwrap_or(0),
            })
            .collect();
        Self {
            input,
            output,
            model_parameters: serde_json::from_str(&row.model_parameters).ok(),
            prompt,
            cost_details: cost(std::mem::take(&mut row.cost_details)),
            cost_source: std::mem::take(&mut row.cost_source),
            price_id: std::mem::take(&mut row.price_id),
            client_total_tokens: row.client_total_tokens,
            tags: std::mem::take(&mut row.tags),
            release: set(std::mem::take(&mut row.release)),
            version: set(std::mem::take(&mut row.version)),
            attributes: attributes(std::mem::take(&mut row.attributes), &row.attribute_types),
            resource_attributes: attributes(std::mem::take(&mut row.resource_attributes), &row.resource_attribute_types),
            resource_schema_url: std::mem::take(&mut row.resource_schema_url),
            scope: ScopeView {
                name: std::mem::take(&mut row.scope_name),
                version: std::mem::take(&mut row.scope_version),
                attributes: attributes(std::mem::take(&mut row.scope_attributes), &row.scope_attribute_types),
                schema_url: std::mem::take(&mut row.scope_schema_url),
            },
            trace_state: std::mem::take(&mut row.trace_state),
            trace_flags: row.trace_flags,
            events,
            links,
            dropped: DroppedView {
                attributes: row.dropped_attributes_count,
                events: row.dropped_events_count,
                links: row.dropped_links_count,
            },
            mapping: std::mem::take(&mut row.mapping).into_iter().collect(),
            explain,
            ingested_at: millis(row.ingested_at),
            summary: SpanSummary::new(summary_row(row), false),
        }
    }
}

fn summary_row(row: ObservationRow) -> SpanRow {
    SpanRow {
        trace_id: row.trace_id,
        span_id: row.span_id,
        parent_span_id: row.parent_span_id,
        is_root: row.is_root,
        name: row.name,
        r#type: row.r#type,
        kind: row.kind,
        level: row.level,
        status_code: row.status_code,
        status_message: row.status_message,
        start_time: row.start_time,
        end_time: row.end_time,
        completion_start_time: row.completion_start_time,
        duration_ns: row.duration_ns,
        model: row.model,
        provider: row.provider,
        service_name: row.service_name,
        environment: row.environment,
        user_id: row.user_id,
        session_id: row.session_id,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        total_tokens: row.total_tokens,
        usage_details: row.usage_details,
        total_cost: row.total_cost,
        input_length: row.input_length,
        output_length: row.output_length,
        input_preview: row.input_preview,
        output_preview: row.output_preview,
        flags: row.flags,
        input: String::new(),
        output: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attribute_values_get_their_types_back() {
        let pairs = [
            ("n", "42"),
            ("b", "true"),
            ("d", "0.5"),
            ("a", "[1,\"x\"]"),
            ("s", "42"),
            ("big", "9223372036854775807"),
            ("nan", "NaN"),
            ("e", ""),
        ];
        let types = [("n", 2), ("b", 1), ("d", 3), ("a", 4), ("big", 2), ("nan", 3), ("e", 7)];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let types = types.map(|(key, code)| (key.to_owned(), code));
        assert_eq!(
            Value::Object(attributes(pairs, &types)),
            json!({"n": 42, "b": true, "d": 0.5, "a": [1, "x"], "s": "42", "big": "9223372036854775807", "nan": "NaN", "e": null})
        );
    }
}
