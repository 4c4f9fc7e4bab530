//! Traces, observations and what is known of them: ingestion, conversion, pricing and reads.

pub mod convert;
mod http;
pub mod ingest;
pub mod otlp;
pub mod prices;
pub mod pricing;
pub mod queue;
pub mod rows;
pub mod store;
pub mod usage;
pub mod validate;

pub use http::routes;
