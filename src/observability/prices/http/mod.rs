//! The routes of prices: own ones, the catalogue, what has none, why a span costs what it costs, and pricing anew.

mod catalogue;
mod cost;
mod organization;
mod project;
mod repricings;
mod unpriced;

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{ModelPriceInput, PriceVersion};
use crate::common::id::ModelPriceId;

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(project::list)
        .service(project::create)
        .service(project::update)
        .service(project::delete)
        .service(organization::list)
        .service(organization::create)
        .service(organization::update)
        .service(organization::delete)
        .service(catalogue::list)
        .service(catalogue::find)
        .service(unpriced::list)
        .service(cost::get)
        .service(repricings::create)
        .service(repricings::list)
        .service(repricings::get)
        .service(repricings::cancel);
}

/// An own price to be made, or the contents of one anew.
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct ModelPriceBody {
    /// Empty or left out: at any provider.
    #[serde(default)]
    provider: String,
    /// The model's name, or a pattern with `*` for any characters. 256 bytes at most.
    model: String,
    /// 1 to 50 prices, each from another day on.
    prices: Vec<PriceVersion>,
}

impl From<ModelPriceBody> for ModelPriceInput {
    fn from(body: ModelPriceBody) -> Self {
        Self { provider: body.provider, model: body.model, prices: body.prices }
    }
}

/// The price that a path names.
#[derive(Debug, Deserialize)]
struct PricePath {
    price_id: ModelPriceId,
}

/// Nothing to tell.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {}
