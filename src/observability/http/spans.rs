//! `GET /api/v1/spans/{span_id}`.

use actix_web::{get, web};

use super::SpanQuery;
use super::views::SpanDetail;
use crate::auth::permission::TracesRead;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, ProjectAccess, Query};
use crate::observability::store::{StoreError, TelemetryStore};

/// One span with input, output, attributes, events and links.
#[utoipa::path(
    tag = "traces",
    operation_id = "getSpan",
    security(("access_token" = [])),
    params(("span_id" = String, Path, description = "16 hex digits"), SpanQuery),
    responses(
        (status = 200, description = "the span", body = Envelope<SpanDetail>),
        (status = 401, description = "no valid access token", body = ErrorEnvelope),
        (status = 404, description = "no such span or project, or not yours", body = ErrorEnvelope),
    )
)]
#[get("/api/v1/spans/{span_id}")]
pub(super) async fn get(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    query: Query<SpanQuery>,
    store: web::Data<TelemetryStore>,
) -> Result<Answer<SpanDetail>, ApiError> {
    let trace_id = query.trace_id();
    let row = store
        .find_span(&access.project_id.to_string(), trace_id.as_deref(), &path.to_ascii_lowercase())
        .await
        .map_err(StoreError::into_api)?
        .ok_or_else(|| ApiError::not_found("span"))?;
    Ok(Answer::ok(SpanDetail::new(row)))
}
