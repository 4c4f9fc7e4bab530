//! Logs to standard error, and Brokle's own spans by OTLP where an endpoint is configured.

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Config;

/// Target of the spans that are exported; nothing of the ingest routes carries it, so that exporting to itself ends.
pub const TRACE_TARGET: &str = "brokle::request";

/// Keeps the exporter alive; flush it before the process ends.
#[derive(Debug)]
pub struct Guard(Option<SdkTracerProvider>);

impl Guard {
    /// Sends what is still buffered. Blocks for at most a few seconds.
    pub fn shutdown(self) {
        if let Some(provider) = self.0 {
            let _ = provider.shutdown_with_timeout(std::time::Duration::from_secs(3));
        }
    }
}

/// Starts logging for the whole process.
///
/// # Errors
/// When the OTLP exporter cannot be made, or logging was started before.
pub fn init(config: &Config) -> anyhow::Result<Guard> {
    let provider = if config.otel.endpoint.is_empty() { None } else { Some(exporter(config)?) };
    let filter = || EnvFilter::try_new(&config.log.level);
    let human = match config.log.format.as_str() {
        "human" => true,
        "json" => false,
        _ => std::io::stderr().is_terminal(),
    };
    let format = if human {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).with_filter(filter()?).boxed()
    } else {
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(std::io::stderr)
            .with_filter(filter()?)
            .boxed()
    };
    let export = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("brokle"))
            .with_filter(tracing_subscriber::filter::filter_fn(|metadata| metadata.is_span() && metadata.target() == TRACE_TARGET))
    });
    tracing_subscriber::registry().with(format).with(export).try_init()?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(Guard(provider))
}

fn exporter(config: &Config) -> anyhow::Result<SdkTracerProvider> {
    let headers = config
        .otel
        .headers
        .expose()
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", config.otel.endpoint.trim_end_matches('/')))
        .with_headers(headers)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(config.otel.service_name.clone())
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(opentelemetry::KeyValue::new("brokle.role", config.role.name()))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
