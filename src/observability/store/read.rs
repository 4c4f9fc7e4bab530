//! Reads: lists of traces, a trace, its spans, one span. The project comes first in every statement.

use serde::{Deserialize, Serialize};

use super::rows::{SpanRow, TraceRow};
use super::{StoreError, TelemetryStore};
use crate::observability::rows::ObservationRow;

/// Which traces a list shows.
#[derive(Debug, Clone, Default)]
pub struct TraceFilter {
    /// Nanoseconds, inclusive.
    pub from: i64,
    /// Nanoseconds, exclusive.
    pub to: i64,
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// 0 unset, 1 ok, 2 error.
    pub status_code: Option<u8>,
    pub environment: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
}

/// Place in a list of traces: start and id of the last one shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCursor(pub i64, pub String);

/// Place in the spans of a trace: start and id of the last one shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanCursor(pub i64, pub String);

const TRACE_COLUMNS: &str = "trace_id, root_span_id, start_time, end_time, duration_ns, name, has_root, status_code, environment, release, version, \
service_name, user_id, session_id, tags, models, providers, span_count, error_count, unpriced_count, usage_details, cost_details, \
input_tokens, output_tokens, total_tokens, total_cost, input_preview, output_preview, ingested_at";

const SPAN_COLUMNS: &str = "trace_id, span_id, parent_span_id, is_root, name, type, kind, level, status_code, status_message, start_time, end_time, \
completion_start_time, duration_ns, model, provider, service_name, environment, user_id, session_id, input_tokens, output_tokens, total_tokens, \
usage_details, total_cost, input_length, output_length, input_preview, output_preview, flags";

fn read(error: clickhouse::error::Error) -> StoreError {
    StoreError::of_read(&error)
}

impl TelemetryStore {
    /// The newest traces under `filter` after `cursor`, at most `limit`.
    ///
    /// # Errors
    /// When the store does not answer, or not within the limits of a reader.
    pub async fn list_traces(
        &self,
        project: &str,
        filter: &TraceFilter,
        cursor: Option<&TraceCursor>,
        limit: u32,
    ) -> Result<Vec<TraceRow>, StoreError> {
        let mut conditions = String::from(
            "project_id = {project:String} AND start_time >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') AND start_time < fromUnixTimestamp64Nano({to:Int64}, 'UTC')",
        );
        let mut add = |present: bool, condition: &str| {
            if present {
                conditions.push_str(" AND ");
                conditions.push_str(condition);
            }
        };
        add(filter.name.is_some(), "positionCaseInsensitiveUTF8(name, {name:String}) > 0");
        add(filter.status_code.is_some(), "status_code = {status:UInt8}");
        add(filter.environment.is_some(), "environment = {environment:String}");
        add(filter.session_id.is_some(), "session_id = {session:String}");
        add(filter.user_id.is_some(), "user_id = {user:String}");
        add(cursor.is_some(), "(start_time, trace_id) < (fromUnixTimestamp64Nano({after:Int64}, 'UTC'), {after_id:String})");
        let sql = format!(
            "SELECT {TRACE_COLUMNS} FROM traces FINAL WHERE {conditions} ORDER BY start_time DESC, trace_id DESC LIMIT {{limit:UInt32}}"
        );
        let mut query = self
            .clickhouse
            .read_client()
            .query(&sql)
            .param("project", project)
            .param("from", filter.from)
            .param("to", filter.to)
            .param("limit", limit);
        if let Some(name) = &filter.name {
            query = query.param("name", name);
        }
        if let Some(status) = filter.status_code {
            query = query.param("status", status);
        }
        if let Some(environment) = &filter.environment {
            query = query.param("environment", environment);
        }
        if let Some(session) = &filter.session_id {
            query = query.param("session", session);
        }
        if let Some(user) = &filter.user_id {
            query = query.param("user", user);
        }
        if let Some(TraceCursor(start, id)) = cursor {
            query = query.param("after", *start).param("after_id", id);
        }
        self.clickhouse.within(query.fetch_all::<TraceRow>()).await.map_err(read)
    }

    /// One trace.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find_trace(&self, project: &str, trace_id: &str) -> Result<Option<TraceRow>, StoreError> {
        let sql = format!(
            "SELECT {TRACE_COLUMNS} FROM traces FINAL WHERE project_id = {{project:String}} AND trace_id = {{trace:String}} LIMIT 1"
        );
        let query = self.clickhouse.read_client().query(&sql).param("project", project).param("trace", trace_id);
        self.clickhouse.within(query.fetch_optional::<TraceRow>()).await.map_err(read)
    }

    /// Spans of a trace by start, after `cursor`, at most `limit`; input and output only `with_io`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_spans(
        &self,
        project: &str,
        trace: &TraceRow,
        with_io: bool,
        cursor: Option<&SpanCursor>,
        limit: u32,
    ) -> Result<Vec<SpanRow>, StoreError> {
        let io = if with_io { "input, output" } else { "'' AS input, '' AS output" };
        let after = if cursor.is_some() {
            " AND (start_time, span_id) > (fromUnixTimestamp64Nano({after:Int64}, 'UTC'), {after_id:String})"
        } else {
            ""
        };
        // The trace's start is a bound that lets the store skip everything older. Spans may start after its end.
        let sql = format!(
            "SELECT {SPAN_COLUMNS}, {io} FROM observations FINAL \
             WHERE project_id = {{project:String}} AND trace_id = {{trace:String}} AND start_time >= fromUnixTimestamp64Nano({{from:Int64}}, 'UTC'){after} \
             ORDER BY start_time, span_id LIMIT {{limit:UInt32}}"
        );
        let mut query = self
            .clickhouse
            .read_client()
            .query(&sql)
            .param("project", project)
            .param("trace", &trace.trace_id)
            .param("from", trace.start_time)
            .param("limit", limit);
        if let Some(SpanCursor(start, id)) = cursor {
            query = query.param("after", *start).param("after_id", id);
        }
        self.clickhouse.within(query.fetch_all::<SpanRow>()).await.map_err(read)
    }

    /// One span with everything that is known of it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find_span(&self, project: &str, trace_id: Option<&str>, span_id: &str) -> Result<Option<ObservationRow>, StoreError> {
        let in_trace = if trace_id.is_some() { " AND trace_id = {trace:String}" } else { "" };
        let sql = format!(
            "SELECT ?fields FROM observations FINAL WHERE project_id = {{project:String}} AND span_id = {{span:String}}{in_trace} LIMIT 1"
        );
        let mut query = self.clickhouse.read_client().query(&sql).param("project", project).param("span", span_id);
        if let Some(trace_id) = trace_id {
            query = query.param("trace", trace_id);
        }
        self.clickhouse.within(query.fetch_optional::<ObservationRow>()).await.map_err(read)
    }
}
