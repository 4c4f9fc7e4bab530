//! `GET /api/v1/spans/{span_id}/otlp` and `/traces/{trace_id}/otlp`: spans as they were sent, for any collector.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use bytes::Bytes;
use futures_util::{Stream, stream};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::SpanQuery;
use crate::auth::permission::TracesRead;
use crate::error::ApiError;
use crate::http::envelope::ErrorEnvelope;
use crate::http::extract::{Path, ProjectAccess, Query};
use crate::observability::convert::rebuild;
use crate::observability::otlp::json::SpanWriter;
use crate::observability::rows::ObservationRow;
use crate::observability::store::{RawTrace, StoreError, TelemetryStore};

/// An OTLP trace request in JSON, as a collector takes it at `/v1/traces`. Defaults are left out, as the protocol allows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OtlpTraces)]
struct OtlpTraces {
    /// `ResourceSpans` of the protocol: a resource, and under its scopes the spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>, nullable = false)]
    resource_spans: Option<()>,
}

fn push(writer: &mut SpanWriter, row: ObservationRow) {
    let back = rebuild(row);
    writer.push(&back.resource, &back.scope, &back.span);
}

/// One span as it was sent, as an OTLP trace request in JSON.
///
/// Equal to what came in, attributes sorted by key. Not in the envelope, so that it can be posted to any collector.
#[utoipa::path(
    tag = "traces",
    operation_id = "getSpanOtlp",
    security(("access_token" = [])),
    params(("span_id" = String, Path, description = "16 hex digits"), SpanQuery),
    responses(
        (status = 200, description = "the span", body = OtlpTraces),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such span or project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/spans/{span_id}/otlp")]
pub(super) async fn span(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    query: Query<SpanQuery>,
    store: web::Data<TelemetryStore>,
) -> Result<HttpResponse, ApiError> {
    let trace_id = query.trace_id();
    let row = store
        .find_span(&access.project_id.to_string(), trace_id.as_deref(), &path.to_ascii_lowercase())
        .await
        .map_err(StoreError::into_api)?
        .ok_or_else(|| ApiError::not_found("span"))?;
    let mut writer = SpanWriter::default();
    push(&mut writer, row);
    writer.finish();
    Ok(HttpResponse::Ok().content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store")).body(writer.out))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct TraceQuery {
    /// The project.
    #[expect(dead_code, reason = "read by the extractor that checks the permission")]
    project_id: String,
}

/// All spans of a trace as they were sent, as one OTLP trace request in JSON.
///
/// Grouped by resource and scope; else as for one span. Sent while it is read from the store: an answer that breaks off is no JSON.
#[utoipa::path(
    tag = "traces",
    operation_id = "getTraceOtlp",
    security(("access_token" = [])),
    params(("trace_id" = String, Path, description = "32 hex digits"), TraceQuery),
    responses(
        (status = 200, description = "the trace; of more than 200,000 spans not all", body = OtlpTraces),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such trace or project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/traces/{trace_id}/otlp")]
pub(super) async fn trace(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    _query: Query<TraceQuery>,
    store: web::Data<TelemetryStore>,
) -> Result<HttpResponse, ApiError> {
    let project = access.project_id.to_string();
    let trace_id = path.to_ascii_lowercase();
    let found = store.find_trace(&project, &trace_id).await.map_err(StoreError::into_api)?.ok_or_else(|| ApiError::not_found("trace"))?;
    let raw = store.raw_trace(&project, &trace_id, found.start_time).await.map_err(StoreError::into_api)?;
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(pieces(store.get_ref().clone(), raw)))
}

/// The request in pieces, each with what the store gave at once.
fn pieces(store: TelemetryStore, raw: RawTrace) -> impl Stream<Item = Result<Bytes, StoreError>> {
    stream::try_unfold(Some((store, raw, SpanWriter::default())), |state| async move {
        let Some((store, mut raw, mut writer)) = state else { return Ok(None) };
        let rows =
            store.next_raw_rows(&mut raw).await.inspect_err(|error| tracing::warn!(%error, "a trace broke off while it was read"))?;
        let end = rows.is_empty();
        for row in rows {
            push(&mut writer, row);
        }
        if end {
            writer.finish();
        }
        let piece = Bytes::from(std::mem::take(&mut writer.out));
        Ok(Some((piece, (!end).then_some((store, raw, writer)))))
    })
}
