//! What surrounds every request: its id, its trace, its log line, its metrics, and the form of its errors.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use futures_util::FutureExt;
use opentelemetry::propagation::Extractor;
use prometheus::IntGauge;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::context::{RequestContext, accepted_request_id, trace_id_of};
use super::proxies::TrustedProxies;
use super::{envelope, otlp};
use crate::error::{ApiError, Code};
use crate::infra::metrics::Metrics;
use crate::infra::telemetry::TRACE_TARGET;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The route of a path that is no route.
const UNMATCHED: &str = "unmatched";
/// A request slower than this is worth a line at level info.
const SLOW: Duration = Duration::from_secs(1);

/// Wraps every route: request id, span, panics, errors as envelope, metrics, log.
///
/// # Errors
/// With a finished answer inside, where the request was lost on the way (a panic).
pub async fn surround<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let started = Instant::now();
    let context = context_of(&request);
    request.extensions_mut().insert(context.clone());
    let metrics = request.app_data::<web::Data<Metrics>>().cloned();
    let _in_flight = metrics.as_ref().map(|metrics| InFlight::begin(&metrics.http_in_flight));
    let span = span_of(&request, &context);
    let head = Head::of(&request);

    let outcome = AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().instrument(span.clone()).await;
    let result = match outcome {
        Ok(Ok(response)) if !needs_body(&response) => Ok(response.map_into_left_body()),
        Ok(Ok(response)) => {
            let mut rendered = render(&head, &context, &error_of_response(&response));
            keep(response.headers(), rendered.headers_mut());
            Ok(response.into_response(rendered).map_into_right_body())
        }
        Ok(Err(error)) => Err(render(&head, &context, &error_of(&error))),
        Err(panic) => Err(render(&head, &context, &ApiError::internal(format!("panic: {}", panic_text(&*panic))))),
    };
    let route = result.as_ref().ok().and_then(|response| response.request().match_pattern()).unwrap_or_else(|| UNMATCHED.to_owned());
    let answer = Answered {
        context: &context,
        span: &span,
        metrics: metrics.as_ref().map(web::Data::get_ref),
        method: &head.method,
        route: &route,
        started,
    };
    match result {
        Ok(mut response) => {
            let status = response.status();
            answer.finish(response.headers_mut(), status);
            Ok(response)
        }
        // The request is gone with whatever failed; the error carries its finished answer.
        Err(mut response) => {
            let status = response.status();
            answer.finish(response.headers_mut(), status);
            Err(InternalError::from_response("failed", response).into())
        }
    }
}

/// What of a request its error answer needs. (A clone of the request itself would keep the router from working on it.)
struct Head {
    method: Method,
    path: String,
    accept: Option<HeaderValue>,
    encoding: Option<otlp::Encoding>,
}

impl Head {
    fn of(request: &ServiceRequest) -> Self {
        Self {
            method: request.method().clone(),
            path: request.path().to_owned(),
            accept: request.headers().get(header::ACCEPT).cloned(),
            encoding: otlp::Encoding::of(request.headers()),
        }
    }
}

fn context_of(request: &ServiceRequest) -> RequestContext {
    let text = |name: &HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    RequestContext {
        request_id: text(&REQUEST_ID)
            .and_then(accepted_request_id)
            .map_or_else(|| crate::common::id::fresh().to_string().into(), Into::into),
        trace_id: text(&HeaderName::from_static("traceparent")).and_then(trace_id_of).map(Into::into),
        client_ip: request.peer_addr().map(|peer| {
            let proxies = request.app_data::<web::Data<TrustedProxies>>();
            proxies.map_or_else(|| peer.ip(), |proxies| proxies.client(peer.ip(), request.headers()))
        }),
    }
}

fn span_of(request: &ServiceRequest, context: &RequestContext) -> Span {
    // A span for each ingest request would be most of the export of an installation that sends its traces to itself.
    if otlp::is_otlp_path(request.path()) {
        return Span::none();
    }
    let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let span = tracing::info_span!(
        target: TRACE_TARGET,
        "request",
        // The exporter takes the name when the span starts; later records do not reach it.
        otel.name = %format_args!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        url.path = %request.path(),
        http.route = route,
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

/// What the CORS layer said of an answer holds for the one that replaces it: else no page of another origin could read an error. So
/// does what is left of a limit.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    let kept = |name: &HeaderName| {
        *name == header::VARY || name.as_str().starts_with("access-control-") || name.as_str().starts_with("ratelimit-")
    };
    for (name, value) in from.iter().filter(|(name, _)| kept(name)) {
        to.append(name.clone(), value.clone());
    }
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

fn render(head: &Head, context: &RequestContext, error: &ApiError) -> HttpResponse {
    let (request_id, trace_id) = (&*context.request_id, context.trace_id.as_deref());
    if let Some(cause) = &error.cause {
        if error.code.status().is_server_error() {
            tracing::error!(request_id, trace_id, path = head.path, code = error.code.name(), cause, "request failed");
        } else {
            tracing::debug!(request_id, trace_id, path = head.path, code = error.code.name(), cause, "request refused");
        }
    }
    if otlp::is_otlp_path(&head.path) {
        return otlp::error_response(head.encoding, error);
    }
    envelope::error_response(context, head.accept.as_ref(), &head.path, error)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// A request that is being answered, until dropped: also when its client is gone and it is never answered.
struct InFlight(IntGauge);

impl InFlight {
    fn begin(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A request that has its answer, to be counted and logged.
struct Answered<'a> {
    context: &'a RequestContext,
    span: &'a Span,
    metrics: Option<&'a Metrics>,
    method: &'a Method,
    route: &'a str,
    started: Instant,
}

impl Answered<'_> {
    fn finish(&self, headers: &mut HeaderMap, status: StatusCode) {
        if let Ok(value) = HeaderValue::from_str(&self.context.request_id) {
            headers.insert(REQUEST_ID, value);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let elapsed = self.started.elapsed();
        let (method, route) = (self.method.as_str(), self.route);
        if let Some(metrics) = self.metrics {
            metrics.http_requests.with_label_values(&[method, route, status.as_str()]).inc();
            metrics.http_duration.with_label_values(&[method, route]).observe(elapsed.as_secs_f64());
        }
        self.span.record("http.response.status_code", status.as_u16());
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let (request_id, trace_id) = (&*self.context.request_id, self.context.trace_id.as_deref());
        if elapsed > SLOW || status.is_server_error() {
            tracing::info!(request_id, trace_id, method, route, status = status.as_u16(), duration_ms, "answered");
        } else {
            tracing::debug!(request_id, trace_id, method, route, status = status.as_u16(), duration_ms, "answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, HttpResponse, body, web};
    use serde_json::Value;

    use super::surround;
    use crate::infra::metrics::Metrics;

    /// Status, request id and body of a GET.
    async fn get(path: &str) -> (StatusCode, String, Value) {
        let routes = web::scope("/scope")
            .route("/{id}", web::get().to(async |id: web::Path<String>| HttpResponse::Ok().json(id.into_inner())))
            .route("/{id}/panic", web::get().to(async || -> HttpResponse { panic!("on purpose") }));
        let app = init_service(App::new().service(routes).wrap(from_fn(surround))).await;
        let request = TestRequest::get().uri(path).insert_header(("x-request-id", "request-7")).to_request();
        let response = match try_call_service(&app, request).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        };
        let id = response.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
        let status = response.status();
        (status, id, serde_json::from_slice(&body::to_bytes(response.into_body()).await.unwrap()).unwrap())
    }

    #[actix_web::test]
    async fn routes_with_parameters_answer_as_they_would_alone() {
        assert_eq!(get("/scope/7").await, (StatusCode::OK, "request-7".to_owned(), Value::from("7")));
    }

    #[actix_web::test]
    async fn a_request_whose_client_is_gone_is_in_flight_no_more() {
        let metrics = Metrics::new().unwrap();
        let routes = web::scope("").route("/", web::get().to(async || -> HttpResponse { std::future::pending().await }));
        let app = init_service(App::new().app_data(web::Data::new(metrics.clone())).service(routes).wrap(from_fn(surround))).await;
        let mut request = Box::pin(try_call_service(&app, TestRequest::get().uri("/").to_request()));
        assert!(futures_util::poll!(&mut request).is_pending());
        assert_eq!(metrics.http_in_flight.get(), 1);
        drop(request);
        assert_eq!(metrics.http_in_flight.get(), 0);
    }

    #[actix_web::test]
    async fn what_is_not_there_and_what_breaks_answers_in_the_envelope() {
        for (path, status, code) in [
            ("/nowhere", StatusCode::NOT_FOUND, "NOT_FOUND_ERROR"),
            ("/v1/traces", StatusCode::NOT_FOUND, "NOT_FOUND_ERROR"),
            ("/scope/7/panic", StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR"),
        ] {
            let (answered, id, body) = get(path).await;
            assert_eq!((answered, id.as_str()), (status, "request-7"), "{path}");
            assert_eq!((&body["success"], &body["error"]["code"]), (&Value::Bool(false), &Value::from(code)), "{path}");
            assert!(!body.to_string().contains("on purpose"));
        }
    }
}
