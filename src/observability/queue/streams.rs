//! The queue of servers and workers: Redis Streams `telemetry:{0}` … `telemetry:{P-1}`, one cluster slot each.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_redis::redis::{RedisError, Script};
use prost::Message;

use super::entry::Entry;
use super::scripts::ADD;
use crate::infra::redis::{Error, Redis};
use crate::observability::ingest::{Batch, Prepared, PublishError, Published, TelemetryQueue, Tenant};
use crate::observability::pricing::Pricer;

/// zstd level of queued bodies: the fastest that still shrinks text to a third.
const LEVEL: i32 = 1;

/// The consumer group of all workers.
pub const GROUP: &str = "telemetry-workers";

/// The names of the queue's keys. The braces make all keys of a shard live in one slot of a Redis Cluster.
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Keys under the installation's prefix.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { prefix: redis.prefix().to_owned() }
    }

    /// The stream of a shard.
    #[must_use]
    pub fn stream(&self, shard: u16) -> String {
        format!("{}telemetry:{{{shard}}}", self.prefix)
    }

    /// Bytes waiting in a shard.
    #[must_use]
    pub fn bytes(&self, shard: u16) -> String {
        format!("{}telemetry:{{{shard}}}:bytes", self.prefix)
    }

    /// The mark of a request, in its shard's slot. The digest covers the project; the name shows it too.
    #[must_use]
    pub fn mark(&self, shard: u16, project: &str, digest: &[u8; 32]) -> String {
        format!("{}dedup:{{{shard}}}:{project}:{}", self.prefix, hex::encode(digest))
    }

    /// Entries given up for a fault of their own.
    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}telemetry:dlq", self.prefix)
    }
}

/// Sizes of the queue.
#[derive(Debug, Clone, Copy)]
pub struct StreamsLimits {
    pub shards: u16,
    /// Over all shards.
    pub max_entries: u64,
    /// Over all shards.
    pub max_bytes: u64,
    /// Seconds.
    pub repeat_window: u64,
}

/// Publishes accepted requests to the streams.
#[derive(Debug, Clone)]
pub struct Streams {
    redis: Redis,
    keys: Keys,
    limits: StreamsLimits,
    add: std::sync::Arc<ScriptHolder>,
}

struct ScriptHolder(Script);

impl std::fmt::Debug for ScriptHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Streams {
    /// A publisher into `redis`.
    #[must_use]
    pub fn new(redis: Redis, limits: StreamsLimits) -> Self {
        Self { keys: Keys::new(&redis), redis, limits, add: std::sync::Arc::new(ScriptHolder(Script::new(ADD))) }
    }

    fn shard(&self, digest: &[u8; 32]) -> u16 {
        u16::from_be_bytes([digest[0], digest[1]]) % self.limits.shards
    }

    async fn add(&self, entry: &Entry) -> Result<(String, String), Error> {
        let shard = self.shard(&entry.digest);
        let per_shard = |total: u64| total.div_ceil(u64::from(self.limits.shards));
        let mut connection = self.redis.connection().await?;
        let mut invocation = self.add.0.prepare_invoke();
        invocation
            .key(self.keys.stream(shard))
            .key(self.keys.mark(shard, &entry.tenant.project_id.to_string(), &entry.digest))
            .key(self.keys.bytes(shard))
            .arg(self.limits.repeat_window.max(1))
            .arg(serde_json::to_string(&entry.partial).unwrap_or_default())
            .arg(per_shard(self.limits.max_entries))
            .arg(per_shard(self.limits.max_bytes))
            .arg(entry.body.len());
        for (name, value) in entry.fields() {
            invocation.arg(name).arg(&value[..]);
        }
        Ok(invocation.invoke_async(&mut *connection).await?)
    }
}

#[async_trait]
impl TelemetryQueue for Streams {
    async fn pricer(&self, _: &Tenant) -> Option<Arc<Pricer>> {
        // Workers price.
        None
    }

    fn prepare(&self, batch: Batch, _: Option<Arc<Pricer>>) -> Result<Prepared, PublishError> {
        let protobuf = batch.protobuf.unwrap_or_else(|| batch.request.encode_to_vec().into());
        drop(batch.request);
        let body =
            zstd::bulk::compress(&protobuf, LEVEL).map_err(|error| PublishError::Unavailable(format!("cannot compress: {error}")))?;
        let entry = Entry {
            tenant: batch.tenant,
            environment: batch.environment,
            received_at_us: batch.received_at_us,
            spans: batch.spans,
            memory: batch.memory.saturating_add(protobuf.len()),
            body: body.into(),
            digest: batch.digest,
            partial: batch.partial,
        };
        Ok(Prepared::Message { entry: Box::new(entry), held: batch.held })
    }

    async fn publish(&self, prepared: Prepared) -> Result<Published, PublishError> {
        let Prepared::Message { entry, held: _held } = prepared else {
            return Err(PublishError::Unavailable("rows cannot be queued".to_owned()));
        };
        let (outcome, value) = self.add(&entry).await.map_err(|error| PublishError::Unavailable(out_of_memory(&error)))?;
        match outcome.as_str() {
            "added" => Ok(Published::Durable),
            "repeat" => Ok(Published::Repeat(serde_json::from_str(&value).unwrap_or_default())),
            _ => Err(PublishError::Overloaded(format!(
                "too many {value} wait in the telemetry queue; the workers are behind, try again later"
            ))),
        }
    }
}

fn out_of_memory(error: &Error) -> String {
    match error {
        Error::Command(command) if RedisError::code(command) == Some("OOM") => format!("Redis is out of memory: {command}"),
        _ => error.to_string(),
    }
}
