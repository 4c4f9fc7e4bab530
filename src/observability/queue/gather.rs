//! Group commit: rows of many requests or entries become one insert, because the size of an insert decides its cost per row.
//!
//! Several writers share one channel. While one inserts, another gathers; so a block is as large as the load makes it, and a lone
//! request waits for nothing. A block that the store refuses for its data is tried again request by request, so that one bad
//! request costs no other its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::infra::metrics::Metrics;
use crate::observability::rows::ObservationRow;
use crate::observability::store::{StoreError, TelemetryStore};

/// How long a gathering writer waits for the next job before it looks again whether to go on waiting.
const LINGER: Duration = Duration::from_millis(2);
/// First and longest pause between two tries of a block while the store is away.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Failures of a single request after which one for lack of time or memory is not waited out: other requests come first.
const TOO_MUCH_TRIES: u32 = 4;

/// When a block is large or old enough.
#[derive(Debug, Clone, Copy)]
pub struct GatherLimits {
    pub rows: usize,
    pub bytes: usize,
    pub wait: Duration,
    /// Whether to wait that long even when nothing else is on the way: where nobody waits for the answer, larger blocks are cheaper.
    pub patient: bool,
}

/// What else is going on while a block is gathered.
#[derive(Debug, Clone, Copy)]
struct Others {
    /// Something is about to be handed over.
    preparing: bool,
    /// Another block is being written.
    writing: bool,
}

impl GatherLimits {
    /// Whether a block of `rows`, gathered for `elapsed`, should go now rather than wait for more.
    ///
    /// While another block is being written, a small one waits for its end: two small inserts at once take longer than one of both.
    fn is_enough(&self, rows: usize, elapsed: Duration, others: Others) -> bool {
        let quiet = elapsed >= self.wait || (!self.patient && !others.preparing);
        quiet && (!others.writing || rows >= self.rows / 4 || elapsed >= self.wait * 10)
    }
}

/// What to do while the store is away.
#[derive(Debug, Clone)]
pub enum Retry {
    /// Tell the sender, who still has the spans.
    Never,
    /// Hold the block until the store is back, or until the token says that the process ends.
    Until(CancellationToken),
}

/// Why rows were not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// The rows themselves are refused.
    #[error("{0}")]
    Data(String),
    /// The store is away.
    #[error("{0}")]
    Unavailable(String),
    /// Writing these rows takes more time or memory than the store gives to a statement, again and again.
    #[error("{0}")]
    TooMuch(String),
    /// The process is ending.
    #[error("the process is stopping")]
    Stopping,
}

/// Rows of one request or entry, and who waits for them.
pub struct WriteJob {
    pub rows: Vec<ObservationRow>,
    /// About as many bytes as the rows take.
    pub bytes: usize,
    /// Names the rows for deduplication: stream and entry id, or a ULID.
    pub token: String,
    pub done: oneshot::Sender<Result<(), WriteError>>,
    /// Lives as long as the rows: the memory they were promised, also when nobody waits for them any more.
    pub keep: Option<Arc<dyn Send + Sync>>,
}

impl std::fmt::Debug for WriteJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteJob")
            .field("rows", &self.rows.len())
            .field("bytes", &self.bytes)
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// The way to hand rows to the writers.
#[derive(Debug, Clone)]
pub struct Gatherer {
    sender: mpsc::Sender<WriteJob>,
}

impl Gatherer {
    /// Hands `job` over; waits while the writers have enough.
    ///
    /// # Errors
    /// [`WriteError::Stopping`] once the writers have ended.
    pub async fn submit(&self, job: WriteJob) -> Result<(), WriteError> {
        self.sender.send(job).await.map_err(|_| WriteError::Stopping)
    }
}

/// The writers behind a [`Gatherer`].
#[derive(Clone)]
pub struct Writers {
    receiver: Arc<Mutex<mpsc::Receiver<WriteJob>>>,
    store: TelemetryStore,
    limits: GatherLimits,
    retry: Retry,
    metrics: Metrics,
    preparing: Arc<AtomicUsize>,
    /// How many of the writers are writing.
    writing: Arc<AtomicUsize>,
}

/// Counts a writer as writing for as long as it lives.
struct Writing(Arc<AtomicUsize>);

impl Writing {
    fn start(writing: &Arc<AtomicUsize>) -> Self {
        writing.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(writing))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl std::fmt::Debug for Writers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writers").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Writers {
    /// Writers into `store` and the gatherer that feeds them. `preparing` counts what is about to be handed over.
    #[must_use]
    pub fn new(
        store: TelemetryStore,
        limits: GatherLimits,
        retry: Retry,
        metrics: Metrics,
        preparing: Arc<AtomicUsize>,
    ) -> (Self, Gatherer) {
        let (sender, receiver) = mpsc::channel(1024);
        let receiver = Arc::new(Mutex::new(receiver));
        (Self { receiver, store, limits, retry, metrics, preparing, writing: Arc::default() }, Gatherer { sender })
    }

    /// Writes blocks until all intake has ended (`drained`) and everything handed over is written.
    pub async fn run(self, drained: CancellationToken) {
        while let Some((block, writing)) = self.gather(&drained).await {
            self.write(block).await;
            drop(writing);
        }
    }

    async fn gather(&self, drained: &CancellationToken) -> Option<(Vec<WriteJob>, Writing)> {
        let mut receiver = self.receiver.lock().await;
        let first = tokio::select! {
            biased;
            first = receiver.recv() => first?,
            () = drained.cancelled() => receiver.try_recv().ok()?,
        };
        let started = Instant::now();
        let (mut rows, mut bytes) = (first.rows.len(), first.bytes);
        let mut block = vec![first];
        while rows < self.limits.rows && bytes < self.limits.bytes {
            let next = match receiver.try_recv() {
                Ok(job) => Some(job),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) if self.limits.is_enough(rows, started.elapsed(), self.others()) => break,
                Err(mpsc::error::TryRecvError::Empty) => tokio::time::timeout(LINGER, receiver.recv()).await.ok().flatten(),
            };
            if let Some(job) = next {
                rows += job.rows.len();
                bytes += job.bytes;
                block.push(job);
            }
        }
        // Before another writer may gather, so that it knows.
        Some((block, Writing::start(&self.writing)))
    }

    fn others(&self) -> Others {
        Others { preparing: self.preparing.load(Ordering::Acquire) > 0, writing: self.writing.load(Ordering::Acquire) > 0 }
    }

    async fn write(&self, mut block: Vec<WriteJob>) {
        match self.store_block(&block).await {
            Err(WriteError::Data(reason) | WriteError::TooMuch(reason)) if block.len() > 1 => {
                tracing::warn!(requests = block.len(), reason, "the store refuses a block; writing its requests one by one");
                for job in block {
                    let result = self.store_block(std::slice::from_ref(&job)).await;
                    let _ = job.done.send(result);
                }
            }
            result => {
                for job in block.drain(..) {
                    let _ = job.done.send(result.clone());
                }
            }
        }
    }

    async fn store_block(&self, block: &[WriteJob]) -> Result<(), WriteError> {
        let mut pause = BACK_OFF.0;
        let mut too_much = 0;
        loop {
            match self.try_block(block).await {
                Ok(()) => {
                    self.count(block);
                    return Ok(());
                }
                Err(StoreError::Data(reason)) => return Err(WriteError::Data(reason)),
                // Less at once may pass; what is alone is tried a few times and then makes room for others.
                Err(StoreError::TooMuch(reason)) if block.len() > 1 || too_much == TOO_MUCH_TRIES => {
                    return Err(WriteError::TooMuch(reason));
                }
                Err(StoreError::Unavailable(reason) | StoreError::TooMuch(reason)) => match &self.retry {
                    Retry::Never => {
                        tracing::error!(requests = block.len(), reason, "cannot store spans");
                        return Err(WriteError::Unavailable(reason));
                    }
                    Retry::Until(stop) => {
                        tracing::error!(
                            requests = block.len(),
                            reason,
                            retry_ms = u64::try_from(pause.as_millis()).unwrap_or(0),
                            "cannot store spans; holding them"
                        );
                        tokio::select! {
                            () = stop.cancelled() => return Err(WriteError::Stopping),
                            () = tokio::time::sleep(pause) => {}
                        }
                        pause = (pause * 2).min(BACK_OFF.1);
                        too_much += 1;
                    }
                },
            }
        }
    }

    async fn try_block(&self, block: &[WriteJob]) -> Result<(), StoreError> {
        let token = block_token(block);
        let started = Instant::now();
        self.store.insert_observations(block.iter().flat_map(|job| &job.rows), &token).await.inspect_err(|_| self.failed("insert"))?;
        self.metrics.store_duration.with_label_values(&["insert"]).observe(started.elapsed().as_secs_f64());

        let started = Instant::now();
        let rows = block.iter().flat_map(|job| &job.rows);
        self.store.recompute(rows).await.map_err(StoreError::after_insert).inspect_err(|_| self.failed("recompute"))?;
        self.metrics.store_duration.with_label_values(&["recompute"]).observe(started.elapsed().as_secs_f64());
        Ok(())
    }

    fn failed(&self, step: &str) {
        self.metrics.store_errors.with_label_values(&[step]).inc();
    }

    fn count(&self, block: &[WriteJob]) {
        let rows = || block.iter().flat_map(|job| &job.rows);
        self.metrics.spans_stored.inc_by(rows().count() as u64);
        self.metrics.tokens.with_label_values(&["input"]).inc_by(rows().map(|row| row.input_tokens).sum());
        self.metrics.tokens.with_label_values(&["output"]).inc_by(rows().map(|row| row.output_tokens).sum());
        let cost: i64 = rows().filter_map(|row| row.total_cost).sum();
        self.metrics.cost_micros.inc_by(u64::try_from(cost / 1_000_000).unwrap_or(0));
    }
}

/// BLAKE3 of the ordered list of the jobs' tokens: ids of stream entries are unique only together with their stream.
fn block_token(block: &[WriteJob]) -> String {
    let mut hasher = blake3::Hasher::new();
    for job in block {
        hasher.update(job.token.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(token: &str) -> WriteJob {
        WriteJob { rows: Vec::new(), bytes: 0, token: token.to_owned(), done: oneshot::channel().0, keep: None }
    }

    #[test]
    fn a_lone_request_waits_for_nobody_and_small_blocks_for_each_other() {
        let limits = |patient| GatherLimits { rows: 1_000, bytes: 1 << 20, wait: Duration::from_millis(100), patient };
        let enough = |patient, rows, ms, preparing, writing| {
            limits(patient).is_enough(rows, Duration::from_millis(ms), Others { preparing, writing })
        };
        assert!(enough(false, 1, 0, false, false), "nobody else is on the way");
        assert!(!enough(false, 1, 0, true, false) && enough(false, 1, 100, true, false), "somebody is, but not for ever");
        assert!(!enough(false, 1, 500, false, true), "a small block waits for the one before it");
        assert!(enough(false, 250, 0, false, true), "a large one does not");
        assert!(enough(false, 1, 1_000, false, true), "nor does one that has waited long");
        assert!(!enough(true, 1, 99, false, false) && enough(true, 1, 100, false, false), "where nobody waits, more is gathered");
    }

    #[test]
    fn tokens_tell_streams_and_orders_apart() {
        let token = |tokens: &[&str]| block_token(&tokens.iter().map(|token| job(token)).collect::<Vec<_>>());
        assert_eq!(token(&["telemetry:{0}/1-0"]), token(&["telemetry:{0}/1-0"]));
        assert_ne!(token(&["telemetry:{0}/1-0"]), token(&["telemetry:{1}/1-0"]), "equal ids on two streams");
        assert_ne!(token(&["a", "b"]), token(&["b", "a"]));
        assert_ne!(token(&["a", "b"]), token(&["ab"]));
    }
}
