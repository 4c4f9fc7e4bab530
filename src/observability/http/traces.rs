//! `GET /api/v1/traces`, `/traces/{trace_id}` and `/traces/{trace_id}/spans`.

use actix_web::{get, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{SpanSummary, Status, TraceSummary};
use crate::auth::permission::TracesRead;
use crate::common::clock::SharedClock;
use crate::common::page::{Pagination, decode_cursor, encode_cursor};
use crate::common::time;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, ProjectAccess, Query};
use crate::observability::store::{SpanCursor, StoreError, TelemetryStore, TraceCursor, TraceFilter, TraceRow};

/// Without a time range, a list shows the last day.
const DEFAULT_WINDOW_NS: i64 = 86_400 * 1_000_000_000;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The project.
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    project_id: String,
    /// RFC 3339 or Unix seconds, inclusive; without it, a day before `end_time`.
    start_time: Option<String>,
    /// RFC 3339 or Unix seconds, exclusive; without it, now.
    end_time: Option<String>,
    /// Part of the name, in any case.
    name: Option<String>,
    #[param(value_type = Option<Status>)]
    status: Option<String>,
    environment: Option<String>,
    session_id: Option<String>,
    user_id: Option<String>,
    /// 1 to 100; 50 without it.
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    cursor: Option<String>,
}

fn limit_of(limit: Option<u32>, default: u32, most: u32) -> Result<u32, ApiError> {
    match limit.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(ApiError::validation("limit", format!("limit must be 1 to {most}"))),
    }
}

fn cursor_of<K: serde::de::DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, ApiError> {
    cursor
        .map(|cursor| {
            decode_cursor(cursor).ok_or_else(|| ApiError::validation("cursor", "cursor is not one this list gave; start again without it"))
        })
        .transpose()
}

fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl ListQuery {
    fn filter(self, now_ns: i64) -> Result<TraceFilter, ApiError> {
        let time =
            |field: &str, text: Option<&str>| text.map(time::parse).transpose().map_err(|message| ApiError::validation(field, message));
        // A little ahead of now: clocks of senders differ, and a trace that was just acknowledged must be in the list.
        let to = time("end_time", self.end_time.as_deref())?.unwrap_or_else(|| now_ns.saturating_add(DEFAULT_WINDOW_NS));
        let from = time("start_time", self.start_time.as_deref())?.unwrap_or_else(|| {
            if self.end_time.is_some() { to.saturating_sub(DEFAULT_WINDOW_NS) } else { now_ns.saturating_sub(DEFAULT_WINDOW_NS) }
        });
        if from >= to {
            return Err(ApiError::validation("start_time", "start_time must be before end_time"));
        }
        let status_code = match self.status.as_deref() {
            None | Some("") => None,
            Some("unset") => Some(Status::Unset.code()),
            Some("ok") => Some(Status::Ok.code()),
            Some("error") => Some(Status::Error.code()),
            Some(_) => return Err(ApiError::validation("status", "status must be ok, error or unset")),
        };
        Ok(TraceFilter {
            from,
            to,
            name: non_empty(self.name),
            status_code,
            environment: non_empty(self.environment),
            session_id: non_empty(self.session_id),
            user_id: non_empty(self.user_id),
        })
    }
}

/// Lists traces, newest first.
#[utoipa::path(
    tag = "traces",
    operation_id = "listTraces",
    security(("access_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "one page; `meta.pagination.next_cursor` leads to the next", body = Envelope<Vec<TraceSummary>>),
        (status = 400, description = "a parameter is wrong", body = ErrorEnvelope),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/traces")]
pub(super) async fn list(
    access: ProjectAccess<TracesRead>,
    query: Query<ListQuery>,
    store: web::Data<TelemetryStore>,
    clock: web::Data<SharedClock>,
) -> Result<Answer<Vec<TraceSummary>>, ApiError> {
    let query = query.into_inner();
    let limit = limit_of(query.limit, 50, 100)?;
    let cursor: Option<TraceCursor> = cursor_of(query.cursor.as_deref())?;
    let filter = query.filter(clock.now_ns())?;
    let project = access.project_id.to_string();
    let mut rows = store.list_traces(&project, &filter, cursor.as_ref(), limit + 1).await.map_err(StoreError::into_api)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| encode_cursor(&TraceCursor(row.start_time, row.trace_id.clone())))
        .transpose()
        .map_err(ApiError::internal)?;
    Ok(Answer::page(rows.into_iter().map(|row| TraceSummary::new(&project, row)).collect(), Pagination::new(limit, next)))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct GetQuery {
    /// The project.
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    project_id: String,
}

async fn find(store: &TelemetryStore, project: &str, trace_id: &str) -> Result<TraceRow, ApiError> {
    store
        .find_trace(project, &trace_id.to_ascii_lowercase())
        .await
        .map_err(StoreError::into_api)?
        .ok_or_else(|| ApiError::not_found("trace"))
}

/// One trace.
#[utoipa::path(
    tag = "traces",
    operation_id = "getTrace",
    security(("access_token" = [])),
    params(("trace_id" = String, Path, description = "32 hex digits"), GetQuery),
    responses(
        (status = 200, description = "the trace", body = Envelope<TraceSummary>),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such trace or project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/traces/{trace_id}")]
pub(super) async fn get(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    _query: Query<GetQuery>,
    store: web::Data<TelemetryStore>,
) -> Result<Answer<TraceSummary>, ApiError> {
    let project = access.project_id.to_string();
    let row = find(&store, &project, &path).await?;
    Ok(Answer::ok(TraceSummary::new(&project, row)))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct SpansQuery {
    /// The project.
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    project_id: String,
    /// `io` adds input and output to each span.
    include: Option<String>,
    /// 1 to 10000; 1000 without it. At most 100 with `include=io`.
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    cursor: Option<String>,
}

/// The spans of a trace by start time, ready to be made a tree. A span whose parent never arrived still names it.
#[utoipa::path(
    tag = "traces",
    operation_id = "listTraceSpans",
    security(("access_token" = [])),
    params(("trace_id" = String, Path, description = "32 hex digits"), SpansQuery),
    responses(
        (status = 200, description = "one page of spans", body = Envelope<Vec<SpanSummary>>),
        (status = 400, description = "a parameter is wrong", body = ErrorEnvelope),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such trace or project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/traces/{trace_id}/spans")]
pub(super) async fn spans(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    query: Query<SpansQuery>,
    store: web::Data<TelemetryStore>,
) -> Result<Answer<Vec<SpanSummary>>, ApiError> {
    let query = query.into_inner();
    let with_io = match query.include.as_deref() {
        None | Some("") => false,
        Some("io") => true,
        Some(_) => return Err(ApiError::validation("include", "include must be io or absent")),
    };
    let limit = if with_io { limit_of(query.limit, 100, 100)? } else { limit_of(query.limit, 1_000, 10_000)? };
    let cursor: Option<SpanCursor> = cursor_of(query.cursor.as_deref())?;
    let project = access.project_id.to_string();
    let trace = find(&store, &project, &path).await?;
    let mut rows = store.list_spans(&project, &trace, with_io, cursor.as_ref(), limit + 1).await.map_err(StoreError::into_api)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| encode_cursor(&SpanCursor(row.start_time, row.span_id.clone())))
        .transpose()
        .map_err(ApiError::internal)?;
    Ok(Answer::page(rows.into_iter().map(|row| SpanSummary::new(row, with_io)).collect(), Pagination::new(limit, next)))
}
