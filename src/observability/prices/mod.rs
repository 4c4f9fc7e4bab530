//! Own prices of projects and organisations, what stored spans cost by them, and pricing stored spans anew.

mod book;
mod catalogue;
mod check;
mod entity;
mod error;
mod explain;
mod http;
mod manage;
mod model;
pub mod repricing;
mod store;
#[cfg(test)]
mod tests;
mod unpriced;

pub use book::PriceBook;
pub use catalogue::{CatalogueFilter, CatalogueModel, CataloguePrice};
pub use error::Error;
pub use explain::{CostExplanation, CostLine};
pub use http::routes;
pub use manage::Prices;
pub use model::{AboveRates, ModelPrice, ModelPriceInput, PriceMatch, PriceScope, PriceVersion, Scope, TierRates, UpdatedBy};
pub use unpriced::{UnpricedModel, UnpricedReason};
