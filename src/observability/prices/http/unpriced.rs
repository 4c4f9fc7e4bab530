//! `GET /api/v1/projects/{project_id}/unpriced-models`.

use actix_web::{get, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::permission::ModelsRead;
use crate::common::clock::SharedClock;
use crate::common::time;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{ProjectAccess, Query};
use crate::observability::prices::{Prices, UnpricedModel};

const DAY_NS: i64 = 86_400 * 1_000_000_000;

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// RFC 3339 or Unix seconds, inclusive; without it, 30 days before `end_time`.
    start_time: Option<String>,
    /// RFC 3339 or Unix seconds, exclusive; without it, now.
    end_time: Option<String>,
}

/// Lists models that spans used and that have no price, those of most spans first, with the reason.
#[utoipa::path(
    operation_id = "listUnpricedModels",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<UnpricedModel>>, description = "500 at most"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/unpriced-models")]
pub(super) async fn list(
    access: ProjectAccess<ModelsRead>,
    query: Query<ListQuery>,
    prices: web::Data<Prices>,
    clock: web::Data<SharedClock>,
) -> Result<Answer<Vec<UnpricedModel>>, ApiError> {
    let time = |field: &str, text: Option<&str>| {
        text.filter(|text| !text.is_empty()).map(time::parse).transpose().map_err(|message| ApiError::validation(field, message))
    };
    let end = time("end_time", query.end_time.as_deref())?;
    // A little ahead of now: clocks of senders differ.
    let to = end.unwrap_or_else(|| clock.now_ns().saturating_add(DAY_NS));
    let from = time("start_time", query.start_time.as_deref())?;
    let from = from.unwrap_or_else(|| end.unwrap_or_else(|| clock.now_ns()).saturating_sub(30 * DAY_NS));
    if from >= to {
        return Err(ApiError::validation("start_time", "start_time must be before end_time"));
    }
    Ok(Answer::ok(prices.unpriced(access.organization_id, access.project_id, from.max(0), to.max(0)).await?))
}
