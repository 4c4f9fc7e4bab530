//! `POST /v1/traces`, `/v1/metrics`, `/v1/logs` and their `/v1/otlp/…` twins.

use actix_web::{HttpRequest, HttpResponse, post, web};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use super::body::{self, Compression, PATIENCE};
use super::service::{Ingest, PartialSuccess, Tenant, TraceRequest};
use super::signal::Signal;
use crate::error::{ApiError, Code};
use crate::http::extract::{ApiKeyAuth, key_scope};
use crate::http::otlp::Encoding;

/// Adds the routes; all take an API key.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(traces).service(otlp_traces).service(metrics).service(otlp_metrics).service(logs).service(otlp_logs);
}

/// Takes an OTLP trace request. 200 means: every span that is not named in `partialSuccess` is durable.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestTraces",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportTraceServiceRequest of opentelemetry-proto, in JSON or protobuf; Content-Encoding gzip, deflate, zstd or none", content_type = "application/json"),
    params(("x-brokle-environment" = Option<String>, Header, description = "environment of spans that name none")),
    responses(
        (status = 200, description = "stored; `partialSuccess` tells what was refused", body = Object),
        (status = 400, description = "the body cannot be read"),
        (status = 401, description = "no or unknown API key"),
        (status = 413, description = "the body is too large"),
        (status = 415, description = "unknown Content-Type or Content-Encoding"),
        (status = 503, description = "cannot be stored now; try again after Retry-After seconds"),
    )
)]
#[post("/v1/traces")]
async fn traces(
    request: HttpRequest,
    key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    take_traces(&request, &key, payload, &ingest).await.inspect_err(|error| ingest.refused(error))
}

/// The same as `POST /v1/traces`.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestOtlpTraces",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportTraceServiceRequest", content_type = "application/json"),
    responses((status = 200, description = "stored", body = Object), (status = 401, description = "no or unknown API key"))
)]
#[post("/v1/otlp/traces")]
async fn otlp_traces(
    request: HttpRequest,
    key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    take_traces(&request, &key, payload, &ingest).await.inspect_err(|error| ingest.refused(error))
}

/// Takes an OTLP metrics request: counted and answered with `partialSuccess`, as metrics are not stored yet.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestMetrics",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportMetricsServiceRequest", content_type = "application/json"),
    responses((status = 200, description = "counted, not stored", body = Object), (status = 401, description = "no or unknown API key"))
)]
#[post("/v1/metrics")]
async fn metrics(
    request: HttpRequest,
    _key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    count(&request, payload, &ingest, Signal::Metrics).await.inspect_err(|error| ingest.refused(error))
}

/// The same as `POST /v1/metrics`.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestOtlpMetrics",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportMetricsServiceRequest", content_type = "application/json"),
    responses((status = 200, description = "counted, not stored", body = Object), (status = 401, description = "no or unknown API key"))
)]
#[post("/v1/otlp/metrics")]
async fn otlp_metrics(
    request: HttpRequest,
    _key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    count(&request, payload, &ingest, Signal::Metrics).await.inspect_err(|error| ingest.refused(error))
}

/// Takes an OTLP logs request: counted and answered with `partialSuccess`, as logs are not stored yet.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestLogs",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportLogsServiceRequest", content_type = "application/json"),
    responses((status = 200, description = "counted, not stored", body = Object), (status = 401, description = "no or unknown API key"))
)]
#[post("/v1/logs")]
async fn logs(
    request: HttpRequest,
    _key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    count(&request, payload, &ingest, Signal::Logs).await.inspect_err(|error| ingest.refused(error))
}

/// The same as `POST /v1/logs`.
#[utoipa::path(
    tag = "ingestion",
    operation_id = "ingestOtlpLogs",
    security(("api_key" = [])),
    request_body(content = Object, description = "ExportLogsServiceRequest", content_type = "application/json"),
    responses((status = 200, description = "counted, not stored", body = Object), (status = 401, description = "no or unknown API key"))
)]
#[post("/v1/otlp/logs")]
async fn otlp_logs(
    request: HttpRequest,
    _key: ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: web::Data<Ingest>,
) -> Result<HttpResponse, ApiError> {
    count(&request, payload, &ingest, Signal::Logs).await.inspect_err(|error| ingest.refused(error))
}

async fn take_traces(
    request: &HttpRequest,
    key: &ApiKeyAuth<key_scope::Ingest>,
    payload: web::Payload,
    ingest: &Ingest,
) -> Result<HttpResponse, ApiError> {
    let encoding = encoding_of(request)?;
    let compression = Compression::of(request.headers())?;
    let mut held = ingest.hold();
    let body = body::read(request.headers(), payload, ingest.limits().max_body_bytes, PATIENCE, &mut held).await?;
    let environment = request
        .headers()
        .get("x-brokle-environment")
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned);
    let tenant = Tenant { project_id: key.project_id, organization_id: key.organization_id };
    let accepted = ingest.traces(TraceRequest { tenant, environment, encoding, compression, body, held }).await?;
    Ok(traces_response(encoding, accepted.partial))
}

fn traces_response(encoding: Encoding, partial: PartialSuccess) -> HttpResponse {
    let partial = (partial != PartialSuccess::default()).then_some(partial);
    match encoding {
        Encoding::Protobuf => {
            let partial_success =
                partial.map(|partial| ExportTracePartialSuccess { rejected_spans: partial.rejected_spans, error_message: partial.message });
            protobuf(&ExportTraceServiceResponse { partial_success })
        }
        Encoding::Json => HttpResponse::Ok().json(partial.map_or_else(
            || json!({}),
            // int64 is a string in protobuf's JSON.
            |partial| json!({"partialSuccess": {"rejectedSpans": partial.rejected_spans.to_string(), "errorMessage": partial.message}}),
        )),
    }
}

async fn count(request: &HttpRequest, payload: web::Payload, ingest: &Ingest, signal: Signal) -> Result<HttpResponse, ApiError> {
    let encoding = encoding_of(request)?;
    let compression = Compression::of(request.headers())?;
    let mut held = ingest.hold();
    let body = body::read(request.headers(), payload, ingest.limits().max_body_bytes, PATIENCE, &mut held).await?;
    let count = ingest.count(signal, encoding, compression, body, held).await?;
    let rejected = i64::try_from(count).unwrap_or(i64::MAX);
    let message = if count == 0 { String::new() } else { format!("{} are not stored yet; they were counted and dropped", signal.name()) };
    Ok(match (encoding, signal) {
        (Encoding::Protobuf, Signal::Metrics) => protobuf(&ExportMetricsServiceResponse {
            partial_success: Some(ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message: message }),
        }),
        (Encoding::Protobuf, Signal::Logs) => protobuf(&ExportLogsServiceResponse {
            partial_success: Some(ExportLogsPartialSuccess { rejected_log_records: rejected, error_message: message }),
        }),
        (Encoding::Json, Signal::Metrics) => {
            HttpResponse::Ok().json(json!({"partialSuccess": {"rejectedDataPoints": rejected.to_string(), "errorMessage": message}}))
        }
        (Encoding::Json, Signal::Logs) => {
            HttpResponse::Ok().json(json!({"partialSuccess": {"rejectedLogRecords": rejected.to_string(), "errorMessage": message}}))
        }
    })
}

fn encoding_of(request: &HttpRequest) -> Result<Encoding, ApiError> {
    Encoding::of(request.headers()).ok_or_else(|| {
        ApiError::new(
            Code::UnsupportedMediaType,
            "Content-Type must be application/x-protobuf or application/json; OTLP exporters set it themselves",
        )
    })
}

fn protobuf(message: &impl Message) -> HttpResponse {
    HttpResponse::Ok().content_type(Encoding::Protobuf.content_type()).body(message.encode_to_vec())
}
