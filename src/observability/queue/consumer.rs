//! A worker's side of the streams: read, convert, write, acknowledge; keep what waits; take over from workers that fell silent.
//!
//! Nothing is acknowledged before it is in the store. While the store is away the worker holds its entries and keeps its claim on
//! them, so that an outage of any length dead-letters nothing. Only an entry that cannot be decoded, or whose rows are refused when
//! they are inserted alone, becomes a dead letter.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use deadpool_redis::redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};
use deadpool_redis::redis::{RedisError, Script, Value, cmd, from_redis_value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::entry::Entry;
use super::gather::{Gatherer, WriteError};
use super::preparing::Preparing;
use super::scripts::{ACKNOWLEDGE, BURY};
use super::slices::{Origin, Slices};
use super::streams::{GROUP, Keys};
use crate::infra::metrics::Metrics;
use crate::infra::redis::{Error, Redis};
use crate::observability::prices::PriceBook;

/// Entries asked for at once, at most.
const READ_COUNT: usize = 64;
/// Bytes asked for at once: as many entries as come to this if they are as large as those that came before.
const READ_BYTES: usize = 4 << 20;
/// Entries asked for at once from a worker that fell silent; how large they are is not known.
const TAKE_OVER_COUNT: usize = 4;
/// How long one read waits for entries.
const BLOCK: Duration = Duration::from_millis(1_000);
/// Entries of one shard in a worker at once.
const IN_FLIGHT: usize = 256;
/// Memory of the entries of all shards in a worker at once, in kibibytes; an entry that needs more has it alone.
const MEMORY: u32 = 136 << 10;
/// A consumer without entries that has been silent this long is forgotten.
const FORGET: Duration = Duration::from_secs(3_600);

/// How a worker consumes.
#[derive(Debug, Clone)]
pub struct ConsumerSettings {
    pub shards: u16,
    /// An entry idle this long is taken over.
    pub claim_idle: Duration,
    pub retention_days: u16,
    /// Host, process and a ULID: no two consumers share a name.
    pub name: String,
}

/// The consumers of all shards in this process.
#[derive(Clone)]
pub struct Consumer {
    redis: Redis,
    keys: Keys,
    settings: ConsumerSettings,
    gatherer: Gatherer,
    prices: PriceBook,
    metrics: Metrics,
    preparing: Arc<AtomicUsize>,
    cores: Arc<Semaphore>,
    /// A permit is a kibibyte.
    memory: Arc<Semaphore>,
}

impl std::fmt::Debug for Consumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What a shard has in hand: id and when the claim on it was last renewed.
type Claims = Arc<Mutex<HashMap<String, Instant>>>;

struct Done {
    id: String,
    bytes: usize,
}

/// An entry as Redis delivered it. Its values are shared, not copied.
struct Delivery {
    id: String,
    fields: HashMap<String, Bytes>,
}

impl From<StreamId> for Delivery {
    fn from(entry: StreamId) -> Self {
        let bytes = |value| from_redis_value::<Vec<u8>>(value).ok().map(Bytes::from);
        Self { id: entry.id, fields: entry.map.into_iter().filter_map(|(name, value)| Some((name, bytes(value)?))).collect() }
    }
}

impl Delivery {
    /// Of the body, as the streams count what waits.
    fn bytes(&self) -> usize {
        self.fields.get("body").map_or(0, Bytes::len)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }
}

/// One shard of a [`Consumer`] and the tasks that work on it.
#[derive(Clone)]
struct Shard {
    consumer: Consumer,
    index: u16,
    stream: String,
    claims: Claims,
    room: Arc<Semaphore>,
    acknowledge: mpsc::UnboundedSender<Done>,
    entries: TaskTracker,
}

impl Consumer {
    /// A consumer that hands rows to `gatherer`.
    #[must_use]
    pub fn new(
        redis: Redis,
        settings: ConsumerSettings,
        gatherer: Gatherer,
        prices: PriceBook,
        metrics: Metrics,
        preparing: Arc<AtomicUsize>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            keys: Keys::new(&redis),
            redis,
            settings,
            gatherer,
            prices,
            metrics,
            preparing,
            cores: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Semaphore::new(MEMORY as usize)),
        }
    }

    /// Consumes every shard until `stop`, then finishes what is in hand.
    pub async fn run(self, stop: CancellationToken) {
        let shards = (0..self.settings.shards).map(|index| self.clone().run_shard(index, stop.clone()));
        futures_util::future::join_all(shards).await;
    }

    async fn run_shard(self, index: u16, stop: CancellationToken) {
        let (acknowledge, done) = mpsc::unbounded_channel();
        let shard = Shard {
            stream: self.keys.stream(index),
            consumer: self,
            index,
            claims: Claims::default(),
            room: Arc::new(Semaphore::new(IN_FLIGHT)),
            acknowledge,
            entries: TaskTracker::new(),
        };
        // Acknowledging and keeping claims go on until the last entry in hand is done.
        let finished = CancellationToken::new();
        let keep = shard.clone().keep_claims(finished.clone());
        let acknowledging = acknowledge_all(shard.consumer.clone(), index, done, finished.clone());
        let work = async {
            tokio::join!(shard.read_new(stop.clone()), shard.take_over(stop.clone()));
            shard.entries.close();
            shard.entries.wait().await;
            finished.cancel();
        };
        tokio::join!(work, keep, acknowledging);
    }
}

impl Shard {
    async fn read_new(&self, stop: CancellationToken) {
        let mut pause = Duration::from_millis(100);
        while !stop.is_cancelled() {
            // Not raced against `stop`: a reply that is thrown away would leave its entries claimed by nobody who works.
            if let Err(error) = self.read_until_error(&stop).await {
                tracing::error!(shard = self.index, error = %error, "cannot read the telemetry queue; trying again");
                tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(pause) => {} }
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
    }

    async fn read_until_error(&self, stop: &CancellationToken) -> Result<(), Error> {
        let mut connection = self.consumer.redis.blocking_connection().await?;
        self.create_group(&mut connection).await?;
        // One at first: nothing is known of the size of what waits.
        let mut at_once = 1;
        while !stop.is_cancelled() {
            // Asking for more than there is room for would only make entries wait in this worker instead of another.
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                permit = self.room.acquire() => drop(permit),
            }
            let count = self.room.available_permits().clamp(1, at_once);
            let reply: Option<StreamReadReply> = cmd("XREADGROUP")
                .arg("GROUP")
                .arg(GROUP)
                .arg(&self.consumer.settings.name)
                .arg("COUNT")
                .arg(count)
                .arg("BLOCK")
                .arg(u64::try_from(BLOCK.as_millis()).unwrap_or(1_000))
                .arg("STREAMS")
                .arg(&self.stream)
                .arg(">")
                .query_async(&mut connection)
                .await
                .inspect_err(|error| self.note_lost_group(error))?;
            let entries: Vec<Delivery> =
                reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).map(Delivery::from).collect();
            if let Some(largest) = entries.iter().map(Delivery::bytes).max() {
                at_once = (READ_BYTES / largest.max(1)).clamp(1, READ_COUNT.min(2 * at_once));
            }
            self.accept_all(entries).await;
        }
        Ok(())
    }

    fn note_lost_group(&self, error: &RedisError) {
        if error.code() == Some("NOGROUP") {
            tracing::error!(
                shard = self.index,
                "the telemetry queue has lost its stream or group: Redis was emptied; queued spans may be gone"
            );
        }
    }

    async fn create_group(&self, connection: &mut impl deadpool_redis::redis::aio::ConnectionLike) -> Result<(), Error> {
        // From 0: entries that came before the first worker are not to be passed over.
        let created: Result<Value, RedisError> =
            cmd("XGROUP").arg("CREATE").arg(&self.stream).arg(GROUP).arg("0").arg("MKSTREAM").query_async(connection).await;
        match created {
            Err(error) if error.code() != Some("BUSYGROUP") => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Takes entries of workers that fell silent.
    async fn take_over(&self, stop: CancellationToken) {
        let every = self.consumer.settings.claim_idle / 2;
        loop {
            tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(every) => {} }
            if let Err(error) = self.take_over_once(&stop).await {
                tracing::warn!(shard = self.index, error = %error, "cannot look for entries of silent workers");
            }
            if let Err(error) = self.measure().await {
                tracing::debug!(shard = self.index, error = %error, "cannot measure the queue");
            }
        }
    }

    async fn take_over_once(&self, stop: &CancellationToken) -> Result<(), Error> {
        let mut connection = self.consumer.redis.connection().await?;
        let mut cursor = "0-0".to_owned();
        while !stop.is_cancelled() {
            let reply: StreamAutoClaimReply = cmd("XAUTOCLAIM")
                .arg(&self.stream)
                .arg(GROUP)
                .arg(&self.consumer.settings.name)
                .arg(u64::try_from(self.consumer.settings.claim_idle.as_millis()).unwrap_or(60_000))
                .arg(&cursor)
                .arg("COUNT")
                .arg(TAKE_OVER_COUNT)
                .query_async(&mut *connection)
                .await?;
            let mut entries: Vec<Delivery> = reply.claimed.into_iter().map(Delivery::from).collect();
            {
                let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
                entries.retain(|entry| !claims.contains_key(&entry.id));
            }
            for entry in &entries {
                tracing::info!(shard = self.index, entry = entry.id, "took over an entry of a silent worker");
            }
            self.accept_all(entries).await;
            if reply.next_stream_id == "0-0" {
                break;
            }
            cursor = reply.next_stream_id;
        }
        self.forget_consumers(&mut connection).await
    }

    async fn forget_consumers(&self, connection: &mut deadpool_redis::Connection) -> Result<(), Error> {
        let consumers: Vec<HashMap<String, Value>> =
            cmd("XINFO").arg("CONSUMERS").arg(&self.stream).arg(GROUP).query_async(&mut **connection).await?;
        for consumer in consumers {
            let number = |name: &str| consumer.get(name).and_then(|value| from_redis_value::<u64>(value.clone()).ok());
            let name = consumer.get("name").and_then(|value| from_redis_value::<String>(value.clone()).ok());
            let silent = number("idle").is_some_and(|idle| u128::from(idle) > FORGET.as_millis());
            if let Some(name) = name.filter(|name| silent && number("pending") == Some(0) && *name != self.consumer.settings.name) {
                let _: Value =
                    cmd("XGROUP").arg("DELCONSUMER").arg(&self.stream).arg(GROUP).arg(&name).query_async(&mut **connection).await?;
            }
        }
        Ok(())
    }

    async fn measure(&self) -> Result<(), Error> {
        let mut connection = self.consumer.redis.connection().await?;
        let label = self.index.to_string();
        let length: i64 = cmd("XLEN").arg(&self.stream).query_async(&mut *connection).await?;
        let (pending, ..): (i64, Value, Value, Value) = cmd("XPENDING").arg(&self.stream).arg(GROUP).query_async(&mut *connection).await?;
        let oldest: Vec<(String, Value)> =
            cmd("XRANGE").arg(&self.stream).arg("-").arg("+").arg("COUNT").arg(1).query_async(&mut *connection).await?;
        let (seconds, _): (i64, i64) = cmd("TIME").query_async(&mut *connection).await?;
        let lag = oldest
            .first()
            .and_then(|(id, _)| id.split('-').next()?.parse::<i64>().ok())
            .map_or(0, |millis| (seconds * 1_000 - millis).max(0));
        self.consumer.metrics.queue_entries.with_label_values(&[label.as_str()]).set(length);
        self.consumer.metrics.queue_pending.with_label_values(&[label.as_str()]).set(pending);
        self.consumer.metrics.queue_lag.with_label_values(&[label.as_str()]).set(lag);
        Ok(())
    }

    /// Starts work on entries, on each as soon as there is room for it. The claims on all are kept meanwhile.
    async fn accept_all(&self, entries: Vec<Delivery>) {
        {
            let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
            claims.extend(entries.iter().map(|entry| (entry.id.clone(), Instant::now())));
        }
        for delivery in entries {
            let entry = Entry::from_fields(&delivery.fields).map_err(|error| error.to_string());
            let weight = entry.as_ref().map_or_else(|_| delivery.bytes(), Entry::weight);
            let kibibytes = u32::try_from(weight.div_ceil(1024)).unwrap_or(MEMORY).clamp(1, MEMORY);
            let Ok(room) = Arc::clone(&self.room).acquire_owned().await else { return };
            let Ok(memory) = Arc::clone(&self.consumer.memory).acquire_many_owned(kibibytes).await else { return };
            let preparing = Preparing::start(&self.consumer.preparing);
            let shard = self.clone();
            self.entries.spawn(async move {
                shard.work(&delivery, entry, preparing, Arc::new(memory)).await;
                shard.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(&delivery.id);
                drop(room);
            });
        }
    }

    async fn work(&self, delivery: &Delivery, entry: Result<Entry, String>, preparing: Preparing, memory: Arc<OwnedSemaphorePermit>) {
        let stored = match self.convert(entry).await {
            Ok(slices) => {
                let token = format!("{}/{}", self.stream, delivery.id);
                slices.store(&self.consumer.gatherer, &token, preparing, memory).await
            }
            Err(reason) => {
                drop(preparing);
                Err(WriteError::Data(reason))
            }
        };
        match stored {
            Ok(()) => {
                let _ = self.acknowledge.send(Done { id: delivery.id.clone(), bytes: delivery.bytes() });
            }
            Err(WriteError::Data(reason)) => self.bury(delivery, &reason).await,
            // Not acknowledged: another worker takes it over, or this one does.
            Err(WriteError::Unavailable(_) | WriteError::TooMuch(_) | WriteError::Stopping) => {}
        }
    }

    async fn convert(&self, entry: Result<Entry, String>) -> Result<Slices, String> {
        let entry = entry?;
        let pricer = self.consumer.prices.of_or_last(entry.tenant.organization_id, entry.tenant.project_id).await;
        let retention_days = self.consumer.settings.retention_days;
        let _permit = self.consumer.cores.acquire().await.map_err(|error| error.to_string())?;
        let work = move || {
            let request = entry.decode().map_err(|error| error.to_string())?;
            let origin = Origin {
                project_id: entry.tenant.project_id,
                environment: entry.environment,
                received_at_us: entry.received_at_us,
                retention_days,
            };
            Ok(Slices::new(request, origin, pricer))
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| format!("conversion failed: {error}"))?
    }

    /// Moves an entry to the dead letters, with the reason; tries until Redis takes it.
    async fn bury(&self, delivery: &Delivery, reason: &str) {
        let spans = delivery.text("spans").and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
        tracing::error!(
            shard = self.index,
            entry = delivery.id,
            reason,
            spans,
            "an entry cannot be stored for a fault of its own; it goes to the dead letters"
        );
        let mut pause = Duration::from_millis(100);
        for _ in 0..20 {
            match self.bury_once(delivery, reason).await {
                // Nothing moved: it was there already, and a dead letter was made then.
                Ok(moved) => return self.consumer.metrics.spans_dead.inc_by(if moved { spans } else { 0 }),
                Err(error) => {
                    tracing::error!(shard = self.index, entry = delivery.id, error = %error, "cannot write a dead letter; trying again");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Writes the dead letter and takes the entry out of the stream, both or neither.
    async fn bury_once(&self, delivery: &Delivery, reason: &str) -> Result<bool, Error> {
        let mut connection = self.consumer.redis.connection().await?;
        let script = Script::new(BURY);
        let mut invocation = script.prepare_invoke();
        invocation
            .key(&self.stream)
            .key(self.consumer.keys.bytes(self.index))
            .key(self.consumer.keys.dead_letters())
            .arg(GROUP)
            .arg(&delivery.id)
            .arg(delivery.bytes());
        for (name, value) in [("reason", reason), ("stream", &self.stream), ("entry", &delivery.id)] {
            invocation.arg(name).arg(value);
        }
        for (name, value) in &delivery.fields {
            invocation.arg(name).arg(&value[..]);
        }
        Ok(invocation.invoke_async::<i64>(&mut *connection).await? == 1)
    }

    /// Renews the claim on entries that wait here for long, so that no other worker takes them for abandoned.
    async fn keep_claims(self, finished: CancellationToken) {
        let every = self.consumer.settings.claim_idle / 3;
        loop {
            tokio::select! { () = finished.cancelled() => return, () = tokio::time::sleep(every) => {} }
            let ids: Vec<String> = {
                let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
                claims.iter().filter(|(_, since)| since.elapsed() >= every).map(|(id, _)| id.clone()).collect()
            };
            if ids.is_empty() {
                continue;
            }
            match self.renew(&ids).await {
                Ok(()) => {
                    let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
                    for id in &ids {
                        if let Some(since) = claims.get_mut(id) {
                            *since = Instant::now();
                        }
                    }
                }
                Err(error) => tracing::warn!(shard = self.index, error = %error, "cannot renew claims on queue entries"),
            }
        }
    }

    async fn renew(&self, ids: &[String]) -> Result<(), Error> {
        let mut connection = self.consumer.redis.connection().await?;
        // JUSTID: without it every renewal would count as a delivery.
        let _: Value = cmd("XCLAIM")
            .arg(&self.stream)
            .arg(GROUP)
            .arg(&self.consumer.settings.name)
            .arg(0)
            .arg(ids)
            .arg("JUSTID")
            .query_async(&mut *connection)
            .await?;
        Ok(())
    }
}

async fn acknowledge_all(consumer: Consumer, index: u16, mut done: mpsc::UnboundedReceiver<Done>, finished: CancellationToken) {
    let script = Script::new(ACKNOWLEDGE);
    let mut waiting: Vec<Done> = Vec::new();
    loop {
        if waiting.is_empty() {
            let next = tokio::select! {
                biased;
                next = done.recv() => next,
                () = finished.cancelled() => done.try_recv().ok(),
            };
            let Some(next) = next else { return };
            waiting.push(next);
        }
        while waiting.len() < 500 {
            let Ok(next) = done.try_recv() else { break };
            waiting.push(next);
        }
        match acknowledge(&consumer, index, &script, &waiting).await {
            Ok(()) => waiting.clear(),
            Err(error) => {
                // Stored but not acknowledged: a redelivery changes nothing, but the queue must not keep it for ever.
                tracing::warn!(shard = index, error = %error, entries = waiting.len(), "cannot acknowledge queue entries; trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
                if finished.is_cancelled() {
                    return;
                }
            }
        }
    }
}

async fn acknowledge(consumer: &Consumer, index: u16, script: &Script, done: &[Done]) -> Result<(), Error> {
    let mut connection = consumer.redis.connection().await?;
    let mut invocation = script.prepare_invoke();
    invocation.key(consumer.keys.stream(index)).key(consumer.keys.bytes(index)).arg(GROUP);
    for entry in done {
        invocation.arg(&entry.id).arg(entry.bytes);
    }
    invocation.invoke_async::<i64>(&mut *connection).await?;
    Ok(())
}
