//! `/api/v1/projects/{project_id}/prices`.

use actix_web::{delete, get, post, put, web};

use super::{Deleted, ModelPriceBody, PricePath};
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{ModelsConfigure, ModelsRead};
use crate::http::extract::{Json, Path, ProjectAccess};
use crate::observability::prices::{ModelPrice, Prices, Scope};

fn scope<P>(access: &ProjectAccess<P>) -> Scope {
    Scope::Project(access.organization_id, access.project_id)
}

/// The prices that count in a project, its own before those of its organisation, in the order in which they count.
#[utoipa::path(
    operation_id = "listProjectPrices",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<ModelPrice>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/prices")]
pub(super) async fn list(access: ProjectAccess<ModelsRead>, prices: web::Data<Prices>) -> Result<Answer<Vec<ModelPrice>>, ApiError> {
    Ok(Answer::ok(prices.list(scope(&access)).await?))
}

/// Sets a project's own price for a model. Spans that come from now on are priced by it.
#[utoipa::path(
    operation_id = "createProjectPrice",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    request_body = ModelPriceBody,
    responses(
        (status = 201, body = Envelope<ModelPrice>),
        (status = 400, body = ErrorEnvelope, description = "`details` names each field that is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "there is one for this provider and model, or the project is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/prices")]
pub(super) async fn create(
    access: ProjectAccess<ModelsConfigure>,
    body: Json<ModelPriceBody>,
    origin: Origin,
    prices: web::Data<Prices>,
) -> Result<Answer<ModelPrice>, ApiError> {
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::created(prices.create(&by, scope(&access), body.into_inner().into()).await?))
}

/// Replaces one of a project's own prices.
#[utoipa::path(
    operation_id = "updateProjectPrice",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("price_id" = String, Path)),
    request_body = ModelPriceBody,
    responses(
        (status = 200, body = Envelope<ModelPrice>),
        (status = 400, body = ErrorEnvelope, description = "`details` names each field that is wrong"),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such price of the project's own, or no such project, or not yours"),
        (status = 409, body = ErrorEnvelope, description = "another one is for this provider and model, or the project is archived")
    )
)]
#[put("/api/v1/projects/{project_id}/prices/{price_id}")]
pub(super) async fn update(
    access: ProjectAccess<ModelsConfigure>,
    path: Path<PricePath>,
    body: Json<ModelPriceBody>,
    origin: Origin,
    prices: web::Data<Prices>,
) -> Result<Answer<ModelPrice>, ApiError> {
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(prices.update(&by, scope(&access), path.price_id, body.into_inner().into()).await?))
}

/// Deletes one of a project's own prices.
#[utoipa::path(
    operation_id = "deleteProjectPrice",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("price_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Deleted>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no such price of the project's own, or no such project, or not yours"),
        (status = 409, body = ErrorEnvelope, description = "the project is archived")
    )
)]
#[delete("/api/v1/projects/{project_id}/prices/{price_id}")]
pub(super) async fn delete(
    access: ProjectAccess<ModelsConfigure>,
    path: Path<PricePath>,
    origin: Origin,
    prices: web::Data<Prices>,
) -> Result<Answer<Deleted>, ApiError> {
    prices.delete(&By::user(access.user.user_id, origin), scope(&access), path.price_id).await?;
    Ok(Answer::ok(Deleted {}))
}
