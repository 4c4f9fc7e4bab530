//! Redis: a pool for short commands, single connections for waiting ones, and the check that queued spans are safe in it.

use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncConnectionConfig, Client, InfoDict, RedisError, cmd};
use deadpool_redis::{Manager, Pool, PoolError};

use crate::config;
use crate::http::health::Dependency;

/// A command that takes longer than this has lost its server.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a waiting read lets the server be silent beyond its own BLOCK time.
const BLOCKING_PATIENCE: Duration = Duration::from_secs(15);

/// A Redis that could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no Redis connection: {0}")]
    Pool(#[from] PoolError),
    #[error("no Redis connection: no answer within {0} s")]
    Silent(u64),
    #[error("Redis: {0}")]
    Command(#[from] RedisError),
}

/// The Redis of an installation.
#[derive(Debug, Clone)]
pub struct Redis {
    pool: Pool,
    client: Client,
    prefix: String,
}

impl Redis {
    /// Prepares connections; nothing is sent yet.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(config: &config::Redis) -> anyhow::Result<Self> {
        let url = config.url.expose();
        let options = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE)).set_connection_timeout(Some(PATIENCE));
        let manager = Manager::new_with_config(url, options).context("REDIS_URL cannot be read")?;
        let pool = Pool::builder(manager)
            .max_size(32)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .runtime(deadpool_redis::Runtime::Tokio1)
            .build()?;
        Ok(Self { pool, client: Client::open(url).context("REDIS_URL cannot be read")?, prefix: config.key_prefix.clone() })
    }

    /// A connection for short commands.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn connection(&self) -> Result<deadpool_redis::Connection, Error> {
        // The pool's own limits hold for each connection that it tries; with a server that hangs it would try them all.
        match tokio::time::timeout(PATIENCE, self.pool.get()).await {
            Ok(connection) => Ok(connection?),
            Err(_) => Err(Error::Silent(PATIENCE.as_secs())),
        }
    }

    /// A connection of its own for a command that waits.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn blocking_connection(&self) -> Result<MultiplexedConnection, Error> {
        let options = AsyncConnectionConfig::new().set_response_timeout(Some(BLOCKING_PATIENCE)).set_connection_timeout(Some(PATIENCE));
        Ok(self.client.get_multiplexed_async_connection_with_config(&options).await?)
    }

    /// A connection to be kept and shared, which sends what comes in at the same time together.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn own_connection(&self) -> Result<MultiplexedConnection, Error> {
        let options = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE)).set_connection_timeout(Some(PATIENCE));
        Ok(self.client.get_multiplexed_async_connection_with_config(&options).await?)
    }

    /// A connection that only listens.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn subscription(&self) -> Result<deadpool_redis::redis::aio::PubSub, Error> {
        Ok(self.client.get_async_pubsub().await?)
    }

    /// `name` with the installation's prefix.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The prefix of every key.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        cmd("PING").query_async::<String>(&mut connection).await?;
        Ok(())
    }

    /// The server's version.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&self) -> Result<String, Error> {
        let mut connection = self.connection().await?;
        let info: InfoDict = cmd("INFO").arg("server").query_async(&mut connection).await?;
        Ok(info.get::<String>("redis_version").unwrap_or_else(|| "unknown".to_owned()))
    }

    /// What of the server's settings could lose queued spans: problems, and what is merely good to know.
    ///
    /// # Errors
    /// When the server does not answer. A server that hides its settings (CONFIG forbidden) yields a note.
    pub async fn durability(&self) -> Result<Durability, Error> {
        let mut connection = self.connection().await?;
        let info: InfoDict = cmd("INFO").query_async(&mut connection).await?;
        let mut problems = Vec::new();
        let mut notes = Vec::new();
        let policy = info.get::<String>("maxmemory_policy").unwrap_or_default();
        let bounded = info.get::<u64>("maxmemory").is_some_and(|bytes| bytes > 0);
        if policy != "noeviction" && (bounded || !policy.is_empty()) {
            problems.push(format!("maxmemory-policy is `{policy}`: Redis may evict queued spans; set it to noeviction"));
        }
        if info.get::<u8>("aof_enabled") != Some(1) {
            problems.push("appendonly is off: queued spans do not survive a restart of Redis; set appendonly yes".to_owned());
        }
        match cmd("CONFIG").arg("GET").arg("appendfsync").query_async::<Vec<String>>(&mut connection).await.as_deref() {
            Ok([_, fsync]) => notes.push(match fsync.as_str() {
                "always" => "appendfsync is always: an acknowledged span survives a power loss of Redis".to_owned(),
                "everysec" => "appendfsync is everysec: a power loss of Redis may cost the last second of queued spans".to_owned(),
                other => format!("appendfsync is {other}: a power loss of Redis may cost many seconds of queued spans"),
            }),
            _ => notes.push("the server hides appendfsync; its documentation says what a power loss may cost".to_owned()),
        }
        Ok(Durability { problems, notes })
    }
}

/// What [`Redis::durability`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    pub problems: Vec<String>,
    pub notes: Vec<String>,
}

/// Redis as `/health/ready` asks it.
#[derive(Debug)]
pub struct RedisHealth(pub Redis);

#[async_trait]
impl Dependency for RedisHealth {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}
