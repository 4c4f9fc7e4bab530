//! What surrounds every request: its id, its trace, its log line, its metrics, and the form of its errors.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use futures_util::FutureExt;
use opentelemetry::propagation::Extractor;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::context::{RequestContext, accepted_request_id, trace_id_of};
use super::{envelope, otlp};
use crate::error::{ApiError, Code};
use crate::infra::metrics::Metrics;
use crate::infra::telemetry::TRACE_TARGET;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A request slower than this is worth a line at level info.
const SLOW: Duration = Duration::from_secs(1);

/// Wraps every route: request id, span, panics, errors as envelope, metrics, log.
///
/// # Errors
/// Never: every error becomes an answer.
pub async fn surround<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let context = context_of(&request);
    request.extensions_mut().insert(context.clone());
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    if let Some(metrics) = &metrics {
        metrics.http_in_flight.inc();
    }
    let span = span_of(&request, &context);
    let http = request.request().clone();

    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    let response = match outcome {
        Ok(Ok(response)) if !needs_body(&response) => response.map_into_left_body(),
        Ok(Ok(response)) => {
            let error = error_of_response(&response);
            ServiceResponse::new(http.clone(), render(&http, &context, &error, response.response().error())).map_into_right_body()
        }
        Ok(Err(error)) => {
            let api = error_of(&error);
            ServiceResponse::new(http.clone(), render(&http, &context, &api, Some(&error))).map_into_right_body()
        }
        Err(panic) => {
            let api = ApiError::internal(format!("panic: {}", panic_text(&*panic)));
            ServiceResponse::new(http.clone(), render(&http, &context, &api, None)).map_into_right_body()
        }
    };
    Ok(finish(response, &context, &span, metrics.as_ref().map(web::Data::get_ref), started))
}

fn context_of(request: &ServiceRequest) -> RequestContext {
    let text = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    RequestContext {
        request_id: text(&REQUEST_ID)
            .and_then(accepted_request_id)
            .map_or_else(|| crate::common::id::fresh().to_string().into(), Into::into),
        trace_id: text(&HeaderName::from_static("traceparent")).and_then(trace_id_of).map(Into::into),
    }
}

fn span_of(request: &ServiceRequest, context: &RequestContext) -> Span {
    // A span for each ingest request would be most of the export of an installation that sends its traces to itself.
    if otlp::is_otlp_path(request.path()) {
        return Span::none();
    }
    let span = tracing::info_span!(
        target: TRACE_TARGET,
        "request",
        otel.name = tracing::field::Empty,
        otel.kind = "server",
        http.request.method = %request.method(),
        url.path = %request.path(),
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
        request_id = %context.request_id,
        trace_id = context.trace_id.as_deref(),
    );
    let parent = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&Headers(request.headers())));
    let _ = span.set_parent(parent);
    span
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Errors of actix's router and extractors come without a body, or with one in plain text.
fn needs_body<B>(response: &ServiceResponse<B>) -> bool {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return false;
    }
    let json = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.starts_with("application/json")
            || value.starts_with("application/problem+json")
            || value.starts_with("application/x-protobuf")
    });
    response.response().error().is_some() || !json
}

fn error_of_response<B>(response: &ServiceResponse<B>) -> ApiError {
    response.response().error().map_or_else(|| bare(response.status()), error_of)
}

fn error_of(error: &Error) -> ApiError {
    error.as_error::<ApiError>().cloned().unwrap_or_else(|| {
        let status = error.as_response_error().status_code();
        let code = Code::from_status(status);
        if code == Code::Internal { ApiError::internal(error) } else { ApiError::new(code, error.to_string()) }
    })
}

fn bare(status: actix_web::http::StatusCode) -> ApiError {
    let code = Code::from_status(status);
    let message = match code {
        Code::NotFound => "no such route; /docs lists them",
        Code::MethodNotAllowed => "this route does not take that method; /docs lists what it takes",
        Code::PayloadTooLarge => "the body is too large",
        Code::Internal => "internal error; the log has the cause under this request id",
        _ => status.canonical_reason().unwrap_or("the request failed"),
    };
    ApiError::new(code, message)
}

fn render(http: &actix_web::HttpRequest, context: &RequestContext, error: &ApiError, _source: Option<&Error>) -> actix_web::HttpResponse {
    if let Some(cause) = &error.cause {
        if error.code.status().is_server_error() {
            tracing::error!(request_id = %context.request_id, trace_id = context.trace_id.as_deref(), path = http.path(), code = error.code.name(), cause, "request failed");
        } else {
            tracing::debug!(request_id = %context.request_id, path = http.path(), code = error.code.name(), cause, "request refused");
        }
    }
    if otlp::is_otlp_path(http.path()) {
        return otlp::error_response(http, error);
    }
    envelope::error_response(context, http.headers().get(header::ACCEPT), http.path(), error)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn finish<B>(
    mut response: ServiceResponse<B>,
    context: &RequestContext,
    span: &Span,
    metrics: Option<&Metrics>,
    started: Instant,
) -> ServiceResponse<B> {
    if let Ok(value) = HeaderValue::from_str(&context.request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let elapsed = started.elapsed();
    let status = response.status();
    let method = response.request().method().as_str().to_owned();
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    if let Some(metrics) = metrics {
        metrics.http_in_flight.dec();
        metrics.http_requests.with_label_values(&[method.as_str(), &route, status.as_str()]).inc();
        metrics.http_duration.with_label_values(&[method.as_str(), &route]).observe(elapsed.as_secs_f64());
    }
    span.record("otel.name", format!("{method} {route}"));
    span.record("http.route", &route);
    span.record("http.response.status_code", status.as_u16());
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let (request_id, trace_id) = (&*context.request_id, context.trace_id.as_deref());
    if elapsed > SLOW || status.is_server_error() {
        tracing::info!(request_id, trace_id, method, route, status = status.as_u16(), duration_ms, "answered");
    } else {
        tracing::debug!(request_id, trace_id, method, route, status = status.as_u16(), duration_ms, "answered");
    }
    response
}
