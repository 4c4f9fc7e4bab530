//! `GET /api/v1/spans/{span_id}/cost`.

use actix_web::{get, web};

use crate::auth::permission::TracesRead;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, ProjectAccess, Query};
use crate::observability::http::SpanQuery;
use crate::observability::prices::{CostExplanation, Prices};

/// Why a span costs what it costs: the price that was matched and by which rule, unit prices, and whether today's prices agree.
#[utoipa::path(
    tag = "prices",
    operation_id = "getSpanCost",
    security(("access_token" = [])),
    params(("span_id" = String, Path, description = "16 hex digits"), SpanQuery),
    responses(
        (status = 200, body = Envelope<CostExplanation>),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such span or project, or not yours")
    )
)]
#[get("/api/v1/spans/{span_id}/cost")]
pub(super) async fn get(
    access: ProjectAccess<TracesRead>,
    path: Path<String>,
    query: Query<SpanQuery>,
    prices: web::Data<Prices>,
) -> Result<Answer<CostExplanation>, ApiError> {
    let trace_id = query.trace_id();
    let span_id = path.to_ascii_lowercase();
    Ok(Answer::ok(prices.explain(access.organization_id, access.project_id, trace_id.as_deref(), &span_id).await?))
}
