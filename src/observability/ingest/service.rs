//! What happens to a trace request between the wire and the promise that it is durable.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use actix_web::web::Bytes;
use async_trait::async_trait;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::sync::Semaphore;

use super::body::{self, Compression};
use super::budget::{Budget, Held};
use super::repeat::{Digest, Repeats, Turn};
use super::signal::Signal;
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, ProjectId};
use crate::config;
use crate::error::{ApiError, Code};
use crate::http::otlp::Encoding;
use crate::infra::metrics::Metrics;
use crate::observability::pricing::Pricer;
use crate::observability::queue::{Entry, Preparing, Slices, memory_to_store};
use crate::observability::{otlp, validate};

/// Bodies up to this size are decoded where they arrive; larger ones would hold up the other requests of an HTTP thread.
const INLINE_BYTES: usize = 64 * 1024;
/// A request is large as well when it takes more than this many times its bytes in memory.
const INLINE_FACTOR: usize = 32;
/// How often the largest decoded body the attributes of resources and scopes may be repeated by the spans of one request.
const REPEATED_BODIES: usize = 4;

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
    /// The decoded body, where it is protobuf as the standard has it and every span of it is valid.
    pub protobuf: Option<Bytes>,
    /// Bytes of memory that the decoded request and its way into the store take.
    pub memory: usize,
    /// That memory and the body's.
    pub held: Held,
    pub preparing: Preparing,
}

/// A batch in the form in which a queue takes it.
#[derive(Debug)]
pub enum Prepared {
    /// Rows for the store, slice by slice.
    Rows { slices: Box<Slices>, preparing: Preparing, held: Held },
    /// A message for the stream.
    Message { entry: Box<Entry>, held: Held },
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
    /// The prices of the batch's project, where this queue prices spans itself.
    async fn pricer(&self, tenant: &Tenant) -> Option<Arc<Pricer>>;

    /// Brings a batch into the queue's own form, with the prices that [`TelemetryQueue::pricer`] gave. Blocks while it computes.
    ///
    /// # Errors
    /// When the batch cannot be written in that form.
    fn prepare(&self, batch: Batch, pricer: Option<Arc<Pricer>>) -> Result<Prepared, PublishError>;

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
        let (received_at_us, now_ns) = (self.clock.now_us(), self.clock.now_ns());
        let limit = self.limits.max_decoded_bytes;
        let (body, held) = self.unpack(request.compression, request.body, request.held).await?;
        let request = TraceRequest { compression: Compression::Identity, body, held, ..request };
        let batch = self.compute(request.body.len(), move || decode(request, preparing, limit, received_at_us, now_ns)).await??;
        let spans = batch.spans;
        let partial = batch.partial.clone();
        let first = match self.repeats.begin(batch.digest).await {
            Turn::Repeat(partial) => {
                self.metrics.spans_repeated.inc_by(spans as u64);
                return Ok(Accepted { partial, repeated: true });
            }
            Turn::First(first) => first,
        };
        if spans == 0 {
            self.count_rejected(&partial);
            first.finish(partial.clone());
            return Ok(Accepted { partial, repeated: false });
        }
        let queue = Arc::clone(&self.queue);
        let size = batch.protobuf.as_ref().map_or(INLINE_BYTES + 1, Bytes::len).max(batch.memory / INLINE_FACTOR);
        let pricer = self.queue.pricer(&batch.tenant).await;
        let published = match self.compute(size, move || queue.prepare(batch, pricer)).await? {
            Ok(prepared) => self.queue.publish(prepared).await,
            Err(error) => Err(error),
        };
        match published {
            Ok(Published::Durable) => {
                self.metrics.spans_accepted.inc_by(spans as u64);
                self.count_rejected(&partial);
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

    fn count_rejected(&self, partial: &PartialSuccess) {
        self.metrics.spans_rejected.with_label_values(&["invalid"]).inc_by(u64::try_from(partial.rejected_spans).unwrap_or(0));
    }

    /// Runs `work` here when it is small, else on a blocking thread, at most one per core at a time.
    async fn compute<T: Send + 'static>(&self, size: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        if size <= INLINE_BYTES {
            return Ok(work());
        }
        let permit = self.cores.acquire().await.map_err(ApiError::internal)?;
        let done = tokio::task::spawn_blocking(work).await.map_err(ApiError::internal);
        drop(permit);
        done
    }

    /// Undoes the compression: here as far as what comes out is small, else on a blocking thread.
    async fn unpack(&self, compression: Compression, body: Bytes, mut held: Held) -> Result<(Bytes, Held), ApiError> {
        if compression == Compression::Identity {
            return Ok((body, held));
        }
        let limit = self.limits.max_decoded_bytes;
        if body.len() <= INLINE_BYTES / 8 {
            // A few kilobytes may hold many megabytes: that shows only while they are unpacked.
            match body::decompress(compression, body.clone(), INLINE_BYTES.min(limit), &mut held) {
                Err(error) if error.code == Code::PayloadTooLarge => {}
                unpacked => return unpacked.map(|body| (body, held)),
            }
        }
        self.compute(INLINE_BYTES + 1, move || body::decompress(compression, body, limit, &mut held).map(|body| (body, held))).await?
    }

    /// Counts the data points of a metrics request or the records of a logs request, which are not stored yet.
    ///
    /// # Errors
    /// 400 when the body cannot be read, 413 when it is too large.
    pub async fn count(
        &self,
        signal: Signal,
        encoding: Encoding,
        compression: Compression,
        body: Bytes,
        held: Held,
    ) -> Result<u64, IngestError> {
        let (body, held) = self.unpack(compression, body, held).await?;
        let count = self.compute(body.len(), move || signal.count(encoding, &body)).await??;
        drop(held);
        self.metrics.not_stored.with_label_values(&[signal.name()]).inc_by(count);
        Ok(count)
    }
}

/// Decodes and checks a request whose body is not compressed (any more).
fn decode(mut request: TraceRequest, preparing: Preparing, limit: usize, received_at_us: u64, now_ns: i64) -> Result<Batch, ApiError> {
    let json = request.encoding == Encoding::Json;
    let body = &request.body;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&request.tenant.project_id.0.to_bytes());
    hasher.update(&[u8::from(json)]);
    hasher.update(request.environment.as_deref().unwrap_or_default().as_bytes());
    hasher.update(&[0]);
    hasher.update(body);
    let digest = *hasher.finalize().as_bytes();

    let mut messages = if json { decode_json(body, limit, &mut request.held)? } else { decode_protobuf(body, limit, &mut request.held)? };
    let decoded = &mut messages.request;
    let rejections = validate::validate(decoded, now_ns);
    let partial = PartialSuccess {
        rejected_spans: i64::try_from(rejections.len()).unwrap_or(i64::MAX),
        message: if rejections.is_empty() { String::new() } else { validate::partial_success_message(&rejections) },
    };
    let spans = decoded.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
    Ok(Batch {
        tenant: request.tenant,
        environment: request.environment,
        received_at_us,
        digest,
        spans,
        partial,
        request: messages.request,
        protobuf: (messages.is_plain_protobuf && rejections.is_empty()).then_some(request.body),
        memory: messages.memory,
        held: request.held,
        preparing,
    })
}

/// A decoded body.
struct Messages {
    request: ExportTraceServiceRequest,
    /// The body is protobuf, and every other reader of protobuf reads it too.
    is_plain_protobuf: bool,
    /// What was held for it.
    memory: usize,
}

/// Takes the memory that a body of that weight needs from the budget.
fn hold(weight: &otlp::Weight, body: &[u8], limit: usize, held: &mut Held) -> Result<usize, ApiError> {
    if weight.repeated > limit.saturating_mul(REPEATED_BODIES) {
        let message = format!(
            "the attributes of resources and scopes, stored with each of {} spans, make about {} bytes; send fewer spans in a request or \
             smaller resource attributes",
            weight.spans, weight.repeated
        );
        return Err(ApiError::new(Code::PayloadTooLarge, message));
    }
    let memory = weight.decoded.saturating_add(memory_to_store(weight, body.len()));
    if !held.could_grow(memory) {
        let message = format!(
            "decoded, the body with {} spans takes about {memory} bytes of memory, more than INGEST_MEMORY_BUDGET_BYTES leaves to one \
             request; send smaller batches",
            weight.spans
        );
        return Err(ApiError::new(Code::PayloadTooLarge, message));
    }
    if held.grow(memory) { Ok(memory) } else { Err(body::overloaded()) }
}

/// Some SDKs send protobuf under application/json. The first byte of such a body is a line feed in JSON.
fn decode_json(body: &[u8], limit: usize, held: &mut Held) -> Result<Messages, ApiError> {
    let may_be_protobuf = body.first() == Some(&b'\n');
    let looks_like_json = body.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| b"{[\"".contains(byte));
    if may_be_protobuf && !looks_like_json {
        return decode_protobuf(body, limit, held);
    }
    let memory = hold(&otlp::weigh_json(body), body, limit, held)?;
    match otlp::decode_traces(body) {
        Ok(request) => Ok(Messages { request, is_plain_protobuf: false, memory }),
        Err(error) => match may_be_protobuf.then(|| decode_protobuf(body, limit, held)) {
            Some(Ok(messages)) => Ok(messages),
            _ => Err(not_traces(body, true, &error.to_string())),
        },
    }
}

fn decode_protobuf(body: &[u8], limit: usize, held: &mut Held) -> Result<Messages, ApiError> {
    let memory = hold(&otlp::weigh_protobuf(body), body, limit, held)?;
    let error = match ExportTraceServiceRequest::decode(body) {
        Ok(request) => return Ok(Messages { request, is_plain_protobuf: true, memory }),
        Err(error) => not_traces(body, false, &error.to_string()),
    };
    let broken = otlp::broken_texts(body);
    if broken == 0 {
        return Err(error);
    }
    // The repaired body, and once more while it is put together; a broken byte becomes three.
    if !held.grow(broken.saturating_mul(6).saturating_add(2 * body.len())) {
        return Err(body::overloaded());
    }
    match otlp::repair_traces_protobuf(body) {
        Some(Ok(request)) => Ok(Messages { request, is_plain_protobuf: false, memory }),
        _ => Err(error),
    }
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
