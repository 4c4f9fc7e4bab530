//! The read API of traces and spans.

mod otlp;
mod span_query;
mod spans;
mod traces;
mod views;

use utoipa_actix_web::service_config::ServiceConfig;

pub(in crate::observability) use span_query::SpanQuery;

/// Adds the routes; all take an access token and a project the caller may read.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(traces::list).service(traces::get).service(traces::spans).service(spans::get).service(otlp::span).service(otlp::trace);
}
