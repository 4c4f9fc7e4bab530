//! The catalogue, and what a name leads to.

use actix_web::{get, post, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::permission::ModelsRead;
use crate::common::page::Pagination;
use crate::common::time;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, ProjectAccess, Query};
use crate::observability::prices::{CatalogueFilter, CatalogueModel, PriceMatch, Prices};

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Part of a name or provider, in any case.
    #[serde(default)]
    search: String,
    /// One provider.
    #[serde(default)]
    provider: String,
    /// From 1.
    #[garde(inner(range(min = 1)))]
    page: Option<u32>,
    /// 1 to 200; 50 without it.
    #[garde(inner(range(min = 1, max = 200)))]
    limit: Option<u32>,
}

/// Looks through the catalogue of prices that this version of Brokle brings along.
#[utoipa::path(
    operation_id = "listCataloguePrices",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<CatalogueModel>>, description = "one page; `meta.pagination.next_cursor` is the number of the next"),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/prices/catalogue")]
pub(super) async fn list(
    _access: ProjectAccess<ModelsRead>,
    query: Query<ListQuery>,
    prices: web::Data<Prices>,
) -> Result<Answer<Vec<CatalogueModel>>, ApiError> {
    let query = query.into_inner();
    let (page, limit) = (query.page.unwrap_or(1), query.limit.unwrap_or(50));
    let filter = CatalogueFilter { search: query.search.trim().to_owned(), provider: query.provider.trim().to_owned() };
    let (models, more) = prices.catalogue(&filter, page, limit);
    let next = more.then(|| page.saturating_add(1).to_string());
    Ok(Answer::page(models, Pagination::new(limit, next)))
}

/// A model whose price is looked for.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MatchQuestion {
    /// As a span would name it.
    #[garde(inner(length(bytes, max = 256)))]
    provider: Option<String>,
    #[garde(length(bytes, min = 1, max = 256))]
    model: String,
    /// RFC 3339 or Unix seconds; without it, now.
    #[garde(skip)]
    start_time: Option<String>,
}

/// What prices a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchAnswer {
    /// Null: nothing does.
    pub r#match: Option<PriceMatch>,
}

/// Tells which entry of which list would price a model, and by which rule.
#[utoipa::path(
    operation_id = "matchPrice",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    request_body = MatchQuestion,
    responses(
        (status = 200, body = Envelope<MatchAnswer>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[post("/api/v1/projects/{project_id}/prices/match")]
pub(super) async fn find(
    access: ProjectAccess<ModelsRead>,
    body: Json<MatchQuestion>,
    prices: web::Data<Prices>,
) -> Result<Answer<MatchAnswer>, ApiError> {
    let time = body.start_time.as_deref().filter(|text| !text.is_empty()).map(time::parse).transpose();
    let time = time.map_err(|message| ApiError::validation("start_time", message))?;
    let provider = body.provider.as_deref().unwrap_or_default();
    let found = prices.find_match(access.organization_id, access.project_id, provider, &body.model, time).await?;
    Ok(Answer::ok(MatchAnswer { r#match: found }))
}
