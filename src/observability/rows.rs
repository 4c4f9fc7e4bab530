//! The rows of the telemetry store, field for field as the tables of `migrations/clickhouse` declare them.
//!
//! Field order is the order of the INSERT; names are the column names. Units: times are nanoseconds since the Unix epoch
//! unless a name says otherwise, durations nanoseconds, money 10^-12 US dollars, tokens whole tokens.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

/// A map column as ClickHouse's RowBinary carries it: pairs in the order they came.
pub type Pairs<V> = Vec<(String, V)>;

/// Bit that lifts the version of an ended span above every running report of the same span, whenever either arrives.
pub const ENDED_VERSION_BIT: u64 = 1 << 62;

/// Flag of a span whose usage is the sum of what its children report: it has no cost of its own.
pub const USAGE_ROLLED_UP: &str = "usage_rolled_up";
/// Flag of a span that costs more than can be stored.
pub const COST_OVERFLOW: &str = "cost_overflow";
/// `cost_source` of a cost that the client gave; no price list changes it.
pub const CLIENT_COST: &str = "client";

/// How the text of an attribute value is to be read back. Zero (string) is never stored in a `*_types` map.
///
/// Source: `AnyValue` of opentelemetry-proto `common/v1/common.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AttributeType {
    /// `string_value`, stored as it is
    String = 0,
    /// `bool_value`, stored as `true` or `false`
    Bool = 1,
    /// `int_value`, stored in decimal
    Int = 2,
    /// `double_value`, stored in its shortest round-trip form (`NaN`, `Infinity`, `-Infinity` by name)
    Double = 3,
    /// `array_value`, stored as JSON
    Array = 4,
    /// `kvlist_value`, stored as a JSON object
    KvList = 5,
    /// `bytes_value`, stored as standard base64
    Bytes = 6,
    /// a value that holds nothing, stored as the empty string
    Empty = 7,
    /// no value at all, stored as the empty string
    Missing = 8,
}

/// Marks an entry of a `*_types` map that belongs to what is inside a list or tree: its key is the attribute's, a `#`, and what
/// the stored JSON leaves open (`observability::convert`'s `nested` module).
pub const NESTED_TYPES: u8 = 16;

impl AttributeType {
    /// The type for a stored code; an unknown code reads as a string.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Bool,
            2 => Self::Int,
            3 => Self::Double,
            4 => Self::Array,
            5 => Self::KvList,
            6 => Self::Bytes,
            7 => Self::Empty,
            8 => Self::Missing,
            _ => Self::String,
        }
    }
}

/// One row of `observations`: a span.
#[derive(Debug, Clone, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct ObservationRow {
    pub project_id: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty for a root.
    pub parent_span_id: String,
    pub start_time: i64,
    /// Zero while the span is running.
    pub end_time: i64,
    pub completion_start_time: Option<i64>,
    pub duration_ns: u64,
    pub name: String,
    pub r#type: String,
    pub kind: u8,
    pub level: String,
    pub status_code: u8,
    pub status_message: String,
    pub is_root: u8,
    pub environment: String,
    pub release: String,
    pub version: String,
    pub service_name: String,
    pub user_id: String,
    pub session_id: String,
    pub tags: Vec<String>,
    pub model: String,
    pub provider: String,
    /// JSON object, or empty.
    pub model_parameters: String,
    pub prompt_id: String,
    pub prompt_name: String,
    pub prompt_version: u32,
    pub usage_details: Pairs<u64>,
    pub cost_details: Pairs<i64>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    pub client_total_tokens: Option<u64>,
    /// Null when the price is unknown; never zero for that.
    pub total_cost: Option<i64>,
    /// `catalogue`, `organization`, `project`, `client`, or empty.
    pub cost_source: String,
    pub price_id: String,
    pub flags: Vec<String>,
    pub attributes: Pairs<String>,
    pub attribute_types: Pairs<u8>,
    pub dropped_attributes_count: u32,
    pub resource_attributes: Pairs<String>,
    pub resource_attribute_types: Pairs<u8>,
    pub resource_dropped_attributes_count: u32,
    pub resource_schema_url: String,
    pub scope_name: String,
    pub scope_version: String,
    pub scope_attributes: Pairs<String>,
    pub scope_attribute_types: Pairs<u8>,
    pub scope_dropped_attributes_count: u32,
    pub scope_schema_url: String,
    pub trace_state: String,
    pub trace_flags: u32,
    /// Which rule filled which field, by field name.
    pub mapping: Pairs<String>,
    #[serde(rename = "events.timestamp")]
    pub events_timestamp: Vec<i64>,
    #[serde(rename = "events.name")]
    pub events_name: Vec<String>,
    #[serde(rename = "events.attributes")]
    pub events_attributes: Vec<Pairs<String>>,
    #[serde(rename = "events.attribute_types")]
    pub events_attribute_types: Vec<Pairs<u8>>,
    #[serde(rename = "events.dropped_attributes_count")]
    pub events_dropped_attributes_count: Vec<u32>,
    pub dropped_events_count: u32,
    #[serde(rename = "links.trace_id")]
    pub links_trace_id: Vec<String>,
    #[serde(rename = "links.span_id")]
    pub links_span_id: Vec<String>,
    #[serde(rename = "links.trace_state")]
    pub links_trace_state: Vec<String>,
    #[serde(rename = "links.flags")]
    pub links_flags: Vec<u32>,
    #[serde(rename = "links.attributes")]
    pub links_attributes: Vec<Pairs<String>>,
    #[serde(rename = "links.attribute_types")]
    pub links_attribute_types: Vec<Pairs<u8>>,
    #[serde(rename = "links.dropped_attributes_count")]
    pub links_dropped_attributes_count: Vec<u32>,
    pub dropped_links_count: u32,
    pub input: String,
    pub output: String,
    /// The first 200 characters of the input.
    pub input_preview: String,
    pub output_preview: String,
    /// Bytes of the whole input, also where only a preview is stored in the row.
    pub input_length: u32,
    pub output_length: u32,
    pub retention_days: u16,
    /// Milliseconds since the Unix epoch; kept when the row is rewritten.
    pub ingested_at: i64,
    /// Microseconds of first receipt, plus [`ENDED_VERSION_BIT`] once the span has ended, plus one for each time it was priced
    /// anew: more than the row before, less than anything the client sends later.
    pub row_version: u64,
}
