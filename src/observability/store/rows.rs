//! The rows that reads return.

use clickhouse::Row;
use serde::Deserialize;

use crate::observability::rows::Pairs;

/// A trace in a list or at the head of its page. Units as in [`crate::observability::rows`].
#[derive(Debug, Clone, Row, Deserialize)]
pub struct TraceRow {
    pub trace_id: String,
    pub root_span_id: String,
    pub start_time: i64,
    /// Zero while the root is running.
    pub end_time: i64,
    pub duration_ns: u64,
    pub name: String,
    pub has_root: u8,
    pub status_code: u8,
    pub environment: String,
    pub release: String,
    pub version: String,
    pub service_name: String,
    pub user_id: String,
    pub session_id: String,
    pub tags: Vec<String>,
    pub models: Vec<String>,
    pub providers: Vec<String>,
    pub span_count: u32,
    pub error_count: u32,
    pub unpriced_count: u32,
    pub usage_details: Pairs<u64>,
    pub cost_details: Pairs<i128>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    pub total_cost: Option<i128>,
    pub input_preview: String,
    pub output_preview: String,
    /// Milliseconds.
    pub ingested_at: i64,
}

/// A span in the tree of its trace. `input` and `output` are empty unless they were asked for.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct SpanRow {
    pub trace_id: String,
    pub span_id: String,
    pub parent_span_id: String,
    pub is_root: u8,
    pub name: String,
    pub r#type: String,
    pub kind: u8,
    pub level: String,
    pub status_code: u8,
    pub status_message: String,
    pub start_time: i64,
    pub end_time: i64,
    pub completion_start_time: Option<i64>,
    pub duration_ns: u64,
    pub model: String,
    pub provider: String,
    pub service_name: String,
    pub environment: String,
    pub user_id: String,
    pub session_id: String,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    pub usage_details: Pairs<u64>,
    pub total_cost: Option<i64>,
    pub input_length: u32,
    pub output_length: u32,
    pub input_preview: String,
    pub output_preview: String,
    pub flags: Vec<String>,
    pub input: String,
    pub output: String,
}
