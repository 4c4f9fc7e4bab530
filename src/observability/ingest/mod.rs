//! The way in: from the bytes of an OTLP request to rows that are stored, or an entry that is queued, before the 2xx.

mod body;
mod budget;
mod http;
mod repeat;
mod service;
mod signal;

pub use budget::{Budget, Held};
pub use http::routes;
pub use repeat::Repeats;
pub use service::{
    Accepted, Batch, Ingest, IngestError, PartialSuccess, Prepared, PublishError, Published, TelemetryQueue, Tenant, TraceRequest,
};
pub use signal::Signal;
