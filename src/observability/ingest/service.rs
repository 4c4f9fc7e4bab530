//! What happens to a trace request between the wire and the promise that it is durable.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web::Bytes;
use async_trait::async_trait;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::sync::Semaphore;

use super::body::{self, Compression};
use super::budget::{Budget, Held};
use super::repeat::{Digest, Repeats, Turn};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, ProjectId};
use crate::config;
use crate::error::{ApiError, Code};
use crate::http::otlp::Encoding;
use crate::infra::metrics::Metrics;
use crate::observability::rows::ObservationRow;
use crate::observability::{otlp, validate};

/// Bodies up to this size are decoded where they arrive; larger ones would hold up the other requests of an HTTP thread.
const INLINE_BYTES: usize = 64 * 1024;

/// Whom the spans of a request belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenant {
    pub project_id: ProjectId,
    pub organization_id: OrganizationId,
}

/// What of a request was refused although the rest was taken.
///
/// Source: `ExportTracePartialSuccess` of opentelemetry-proto.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartialSuccess {
    pub rejected_spans: i64,
    /// Why, in words; empty when nothing was refused.
    pub message: String,
}

/// A request as it came, authenticated and read whole.
#[derive(Debug)]
pub struct TraceRequest {
    pub tenant: Tenant,
    /// Header `x-brokle-environment`.
    pub environment: Option<String>,
    pub encoding: Encoding,
    pub compression: Compression,
    pub body: Bytes,
    pub held: Held,
}

/// A request that was understood and holds only valid spans.
#[derive(Debug)]
pub struct Batch {
    pub tenant: Tenant,
    pub environment: Option<String>,
    /// Microseconds since the Unix epoch.
    pub received_at_us: u64,
    pub digest: Digest,
    pub spans: usize,
    pub partial: PartialSuccess,
    pub request: ExportTraceServiceRequest,
    /// The decoded body, where it is protobuf and every span of it is valid.
    pub protobuf: Option<Bytes>,
}

/// A batch in the form in which a queue takes it.
#[derive(Debug)]
pub enum Prepared {
    /// Rows for the store.
    Rows { rows: Vec<ObservationRow>, bytes: usize },
    /// A message for the stream.
    Message(Box<crate::observability::queue::Entry>),
}

/// What became of a published batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It is durable.
    Durable,
    /// Another server took the same request before; this was its answer.
    Repeat(PartialSuccess),
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Too much is waiting already.
    #[error("{0}")]
    Overloaded(String),
    /// Something we depend on is away.
    #[error("{0}")]
    Unavailable(String),
    /// The store refuses these very spans.
    #[error("{0}")]
    Refused(String),
}

/// Where accepted batches go: straight into the store (standalone) or into Redis Streams (server).
#[async_trait]
pub trait TelemetryQueue: Send + Sync {
    /// Brings a batch into the queue's own form. Blocks while it computes.
    ///
    /// # Errors
    /// When the batch cannot be written in that form.
    fn prepare(&self, batch: Batch) -> Result<Prepared, PublishError>;

    /// Makes a prepared batch durable; only then it returns.
    async fn publish(&self, prepared: Prepared) -> Result<Published, PublishError>;
}

/// The answer to a trace request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub partial: PartialSuccess,
    pub repeated: bool,
}

/// Why a request was not taken.
pub type IngestError = ApiError;

/// The ingestion service of a process.
#[derive(Clone)]
pub struct Ingest {
    limits: config::Ingest,
    clock: SharedClock,
    metrics: Metrics,
    budget: Budget,
    repeats: Repeats,
    queue: Arc<dyn TelemetryQueue>,
    preparing: Arc<AtomicUsize>,
    cores: Arc<Semaphore>,
}

impl std::fmt::Debug for Ingest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingest").field("budget", &self.budget).finish_non_exhaustive()
    }
}

/// A request on its way to the queue; whoever gathers rows may wait for it a little.
struct Preparing(Arc<AtomicUsize>);

impl Preparing {
    fn start(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(counter))
    }
}

impl Drop for Preparing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Ingest {
    /// An ingestion service in front of `queue`. `preparing` counts requests that are being decoded.
    #[must_use]
    pub fn new(
        limits: config::Ingest,
        clock: SharedClock,
        metrics: Metrics,
        queue: Arc<dyn TelemetryQueue>,
        preparing: Arc<AtomicUsize>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            budget: Budget::new(limits.memory_budget_bytes, Some(metrics.ingest_memory.clone())),
            repeats: Repeats::new(Duration::from_secs(limits.repeat_window_seconds)),
            limits,
            clock,
            metrics,
            queue,
            preparing,
            cores: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Sizes of bodies.
    #[must_use]
    pub fn limits(&self) -> &config::Ingest {
        &self.limits
    }

    /// An empty share of the memory budget.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.budget.hold()
    }

    /// Counts a request that was turned away.
    pub fn refused(&self, error: &ApiError) {
        self.metrics.ingest_refused.with_label_values(&[error.code.name()]).inc();
    }

    /// Takes a trace request: when this returns `Ok`, its valid spans are durable.
    ///
    /// # Errors
    /// 400 for what cannot be read, 413 for too much, 503 when the spans cannot be made durable now.
    pub async fn traces(&self, request: TraceRequest) -> Result<Accepted, IngestError> {
        let preparing = Preparing::start(&self.preparing);
        let received_at_us = self.clock.now_us();
        let now_ns = self.clock.now_ns();
        let limit = self.limits.max_decoded_bytes;
        let (batch, held) =
            self.compute(request.body.len(), request.compression, move || decode(request, limit, received_at_us, now_ns)).await??;
        let spans = batch.spans;
        let partial = batch.partial.clone();
        let first = match self.repeats.begin(batch.digest).await {
            Turn::Repeat(partial) => {
                self.metrics.spans_repeated.inc_by(spans as u64);
                return Ok(Accepted { partial, repeated: true });
            }
            Turn::First(first) => first,
        };
        if partial.rejected_spans > 0 {
            self.metrics.spans_rejected.with_label_values(&["invalid"]).inc_by(u64::try_from(partial.rejected_spans).unwrap_or(0));
        }
        if spans == 0 {
            first.finish(partial.clone());
            return Ok(Accepted { partial, repeated: false });
        }
        let queue = Arc::clone(&self.queue);
        let size = batch.protobuf.as_ref().map_or(INLINE_BYTES + 1, Bytes::len);
        let prepared = self.compute(size, Compression::Identity, move || queue.prepare(batch)).await?;
        let published = match prepared {
            Ok(prepared) => {
                let publish = self.queue.publish(prepared);
                drop(preparing);
                publish.await
            }
            Err(error) => Err(error),
        };
        drop(held);
        match published {
            Ok(Published::Durable) => {
                self.metrics.spans_accepted.inc_by(spans as u64);
                first.finish(partial.clone());
                Ok(Accepted { partial, repeated: false })
            }
            Ok(Published::Repeat(partial)) => {
                self.metrics.spans_repeated.inc_by(spans as u64);
                first.finish(partial.clone());
                Ok(Accepted { partial, repeated: true })
            }
            Err(PublishError::Overloaded(reason)) => Err(ApiError { retry_after: Some(2), ..ApiError::new(Code::Unavailable, reason) }),
            Err(PublishError::Unavailable(cause)) => {
                Err(ApiError::unavailable("the spans cannot be stored right now; send them again", cause, 5))
            }
            Err(PublishError::Refused(reason)) => {
                Err(ApiError::new(Code::BadRequest, format!("the telemetry store refuses these spans: {reason}")))
            }
        }
    }

    /// Runs `work` here when it is small, else on a blocking thread, at most one per core at a time.
    async fn compute<T: Send + 'static>(
        &self,
        size: usize,
        compression: Compression,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let inline = if compression == Compression::Identity { INLINE_BYTES } else { INLINE_BYTES / 8 };
        if size <= inline {
            return Ok(work());
        }
        let permit = self.cores.acquire().await.map_err(ApiError::internal)?;
        let done = tokio::task::spawn_blocking(work).await.map_err(ApiError::internal);
        drop(permit);
        done
    }

    /// Counts the data points of a metrics request or the records of a logs request, which are not stored yet.
    ///
    /// # Errors
    /// 400 when the body cannot be read, 413 when it is too large.
    pub fn count(
        &self,
        signal: Signal,
        encoding: Encoding,
        compression: Compression,
        body: Bytes,
        held: &mut Held,
    ) -> Result<u64, IngestError> {
        let body = body::decompress(compression, body, self.limits.max_decoded_bytes, held)?;
        let count = signal.count(encoding, &body)?;
        self.metrics.not_stored.with_label_values(&[signal.name()]).inc_by(count);
        Ok(count)
    }
}

fn decode(mut request: TraceRequest, limit: usize, received_at_us: u64, now_ns: i64) -> Result<(Batch, Held), ApiError> {
    let body = body::decompress(request.compression, request.body, limit, &mut request.held)?;
    // Decoded spans take about as much again as their bytes.
    if !request.held.grow(body.len()) {
        return Err(body::overloaded());
    }
    let json = request.encoding == Encoding::Json;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&request.tenant.project_id.0.to_bytes());
    hasher.update(&[u8::from(json)]);
    hasher.update(request.environment.as_deref().unwrap_or_default().as_bytes());
    hasher.update(&[0]);
    hasher.update(&body);
    let digest = *hasher.finalize().as_bytes();

    // Some SDKs send protobuf under application/json: JSON starts with a brace.
    let looks_like_json = body.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| *byte == b'{');
    let (mut decoded, protobuf) = if json && looks_like_json {
        (otlp::decode_traces(&body).map_err(|error| not_traces(&body, true, &error.to_string()))?, None)
    } else {
        let decoded = otlp::decode_traces_protobuf(&body).map_err(|error| not_traces(&body, false, &error.to_string()))?;
        (decoded, Some(body))
    };
    let rejections = validate::validate(&mut decoded, now_ns);
    let partial = PartialSuccess {
        rejected_spans: i64::try_from(rejections.len()).unwrap_or(i64::MAX),
        message: if rejections.is_empty() { String::new() } else { validate::partial_success_message(&rejections) },
    };
    let spans = decoded.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
    let batch = Batch {
        tenant: request.tenant,
        environment: request.environment,
        received_at_us,
        digest,
        spans,
        partial,
        request: decoded,
        protobuf: protobuf.filter(|_| rejections.is_empty()),
    };
    Ok((batch, request.held))
}

/// The error for a body that is no trace request, with a hint where it is something else we know.
fn not_traces(body: &[u8], json: bool, reason: &str) -> ApiError {
    let kind = if json { "JSON" } else { "protobuf" };
    let other = [Signal::Logs, Signal::Metrics].into_iter().find(|signal| signal.recognises(body, json));
    let hint = match other {
        Some(signal) => format!("; it looks like OTLP {0}: send it to /v1/{0}", signal.name()),
        None if !json && body.first() == Some(&b'{') => "; it looks like JSON: send it with Content-Type: application/json".to_owned(),
        None => String::new(),
    };
    ApiError::new(Code::BadRequest, format!("the body is not a valid OTLP trace request in {kind}: {reason}{hint}"))
}

/// The signals of OTLP that are counted, not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Metrics,
    Logs,
}

impl Signal {
    /// As in the path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    fn recognises(self, body: &[u8], json: bool) -> bool {
        if json {
            let key: &[u8] = if self == Self::Logs { b"\"resourceLogs\"" } else { b"\"resourceMetrics\"" };
            return body.windows(key.len()).take(4096).any(|window| window == key);
        }
        self.count(Encoding::Protobuf, body).is_ok_and(|count| count > 0)
    }

    fn count(self, encoding: Encoding, body: &[u8]) -> Result<u64, ApiError> {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let count = if encoding == Encoding::Json && first == Some(&b'{') {
            self.count_json(body)
        } else {
            self.count_protobuf(body).map_err(|error| error.to_string())
        };
        count
            .map(|count| count as u64)
            .map_err(|reason| ApiError::new(Code::BadRequest, format!("the body is not a valid OTLP {} request: {reason}", self.name())))
    }

    fn count_protobuf(self, body: &[u8]) -> Result<usize, prost::DecodeError> {
        use opentelemetry_proto::tonic::metrics::v1::metric::Data;
        Ok(match self {
            Self::Logs => ExportLogsServiceRequest::decode(body)?
                .resource_logs
                .iter()
                .flat_map(|resource| &resource.scope_logs)
                .map(|scope| scope.log_records.len())
                .sum(),
            Self::Metrics => ExportMetricsServiceRequest::decode(body)?
                .resource_metrics
                .iter()
                .flat_map(|resource| &resource.scope_metrics)
                .flat_map(|scope| &scope.metrics)
                .map(|metric| match &metric.data {
                    Some(Data::Gauge(data)) => data.data_points.len(),
                    Some(Data::Sum(data)) => data.data_points.len(),
                    Some(Data::Histogram(data)) => data.data_points.len(),
                    Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
                    Some(Data::Summary(data)) => data.data_points.len(),
                    None => 0,
                })
                .sum(),
        })
    }

    fn count_json(self, body: &[u8]) -> Result<usize, String> {
        let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let list = |value: &serde_json::Value, key: &str| value.get(key).and_then(|list| list.as_array()).cloned().unwrap_or_default();
        let (resources, scopes, items) = match self {
            Self::Logs => ("resourceLogs", "scopeLogs", "logRecords"),
            Self::Metrics => ("resourceMetrics", "scopeMetrics", "metrics"),
        };
        let items: Vec<_> =
            list(&value, resources).iter().flat_map(|resource| list(resource, scopes)).flat_map(|scope| list(&scope, items)).collect();
        Ok(match self {
            Self::Logs => items.len(),
            Self::Metrics => items
                .iter()
                .filter_map(|metric| metric.as_object())
                .flat_map(|metric| metric.values())
                .filter_map(|data| data.get("dataPoints").and_then(|points| points.as_array()))
                .map(Vec::len)
                .sum(),
        })
    }
}
