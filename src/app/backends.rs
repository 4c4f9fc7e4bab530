//! The databases of a process: embedded in a standalone one, servers elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Role};
use crate::http::health::{Dependency, Readiness};
use crate::infra::clickhouse::embedded::{Engine, EngineOptions, LibrarySearch};
use crate::infra::clickhouse::migrate::{self as clickhouse_migrate, MigrateError};
use crate::infra::clickhouse::{ClickHouse, ClickHouseError};
use crate::infra::db::{self, Database};
use crate::infra::redis::{Redis, RedisHealth};
use crate::observability::prices::PriceBook;
use crate::observability::pricing::Pricer;

/// How long to wait for services that are not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A process that starts: other services may be starting too.
    Process,
    /// A command: somebody waits for the answer.
    Command,
}

impl Patience {
    const fn duration(self) -> Duration {
        match self {
            Self::Process => Duration::from_secs(60),
            Self::Command => Duration::from_secs(5),
        }
    }
}

/// Connections to everything a process keeps its data in.
#[derive(Debug)]
pub struct Backends {
    pub database: Database,
    pub clickhouse: ClickHouse,
    /// Not in a standalone process.
    pub redis: Option<Redis>,
    engine: Option<Engine>,
}

/// The relational database of a standalone installation, in its data directory.
const DATABASE_FILE: &str = "brokle.db";

/// How the embedded engine is to be opened for `data`.
#[must_use]
pub fn engine_options(config: &Config, data: PathBuf) -> EngineOptions {
    let explicit = (!config.engine.lib.is_empty()).then(|| PathBuf::from(&config.engine.lib));
    let mut options = EngineOptions::new(data, LibrarySearch::for_user(explicit, config.engine.cache_home.clone()));
    let megabytes = if config.engine.memory_mb > 0 { config.engine.memory_mb } else { (machine_memory_mb() / 4).clamp(512, 4096) };
    options.memory_limit = megabytes << 20;
    options.statement_memory_limit = options.statement_memory_limit.min(options.memory_limit / 2);
    options.fsync = config.engine.fsync == "on";
    options
}

/// Memory of this machine in MiB; 8 GiB where the system does not tell.
fn machine_memory_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.map_or(8 * 1024, |kilobytes| kilobytes / 1024)
}

impl Backends {
    /// Connects to what the role needs.
    ///
    /// # Errors
    /// Names what is missing after `patience`, and what to do.
    pub async fn connect(config: &Config, patience: Patience) -> anyhow::Result<Self> {
        if config.role == Role::Standalone { Self::embedded(config).await } else { Self::servers(config, patience).await }
    }

    /// Like [`Backends::connect`] for a process that starts; none when `stop` comes first.
    ///
    /// # Errors
    /// As [`Backends::connect`].
    pub async fn connect_unless_stopped(config: &Config, stop: &CancellationToken) -> anyhow::Result<Option<Self>> {
        if config.role == Role::Standalone {
            // Opening the engine cannot be left half-way: it must be closed before the process ends.
            return Self::embedded(config).await.map(Some);
        }
        stop.run_until_cancelled(Self::servers(config, Patience::Process)).await.transpose()
    }

    async fn embedded(config: &Config) -> anyhow::Result<Self> {
        let dir = &config.data.dir;
        make_private_dir(dir).with_context(|| format!("cannot make the data directory {} (BROKLE_DATA_DIR)", dir.display()))?;
        // The engine holds the lock of the directory: open it before anything else touches the files there.
        let engine = Engine::open(engine_options(config, dir.join("clickhouse"))).await?;
        let database = db::connect_sqlite(&dir.join(DATABASE_FILE)).await?;
        let clickhouse = ClickHouse::embedded(&engine, &config.clickhouse.database);
        Ok(Self { database, clickhouse, redis: None, engine: Some(engine) })
    }

    async fn servers(config: &Config, patience: Patience) -> anyhow::Result<Self> {
        let database = connect_postgres(config, patience).await?;
        let clickhouse = connect_clickhouse(config, patience).await?;
        let redis = connect_redis(config, patience).await?;
        Ok(Self { database, clickhouse, redis: Some(redis), engine: None })
    }

    /// Applies what is missing in both databases, under one lock: of many servers that start at once, one does it.
    ///
    /// # Errors
    /// When a migration fails, or a database is newer than this program.
    pub async fn migrate(&self) -> anyhow::Result<Vec<String>> {
        db::migrate::with_migration_lock(&self.database, async |lock| -> anyhow::Result<Vec<String>> {
            let mut applied = db::migrate::migrate(&self.database, lock).await?;
            applied.extend(named(clickhouse_migrate::run(&self.clickhouse).await?));
            Ok(applied)
        })
        .await
    }

    /// What [`Backends::migrate`] would apply.
    ///
    /// # Errors
    /// When a database does not answer or is newer than this program.
    pub async fn pending_migrations(&self) -> anyhow::Result<Vec<String>> {
        pending_migrations(&self.database, &self.clickhouse).await
    }

    /// Waits until a server has migrated both databases; says in the log what it waits for.
    ///
    /// # Errors
    /// When they are not current within ten minutes, or newer than this program.
    pub async fn wait_until_migrated(&self) -> anyhow::Result<()> {
        const LONG: Duration = Duration::from_secs(600);
        let started = Instant::now();
        db::migrate::wait_until_current(&self.database, LONG).await?;
        let mut said = false;
        loop {
            match clickhouse_migrate::check(&self.clickhouse).await.map(|status| status.pending) {
                Ok(pending) if pending.is_empty() => return Ok(()),
                Ok(pending) if !said => {
                    tracing::info!(pending = pending.len(), "waiting for a server to migrate ClickHouse");
                    said = true;
                }
                Ok(_) => {}
                Err(error) if waiting_may_mend(&error) => tracing::warn!(error = %error, "ClickHouse does not answer; waiting"),
                Err(error) => return Err(error.into()),
            }
            anyhow::ensure!(
                started.elapsed() < LONG,
                "ClickHouse was not migrated within {} s: start a server, or run `brokle migrate`",
                LONG.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Refuses a Redis that may lose queued spans, or says so only, as configured.
    ///
    /// # Errors
    /// The problems found, when the check is strict.
    pub async fn check_durability(&self, strict: bool) -> anyhow::Result<()> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let durability = redis.durability().await?;
        for note in &durability.notes {
            tracing::info!("redis: {note}");
        }
        for problem in &durability.problems {
            tracing::warn!("redis: {problem}");
        }
        anyhow::ensure!(
            !strict || durability.problems.is_empty(),
            "Redis may lose queued spans: {}. Mend that, or set REDIS_DURABILITY_CHECK=warn to run all the same",
            durability.problems.join("; ")
        );
        Ok(())
    }

    /// What `/health/ready` asks.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let mut dependencies: Vec<Box<dyn Dependency>> =
            vec![Box::new(DatabaseHealth(self.database.clone())), Box::new(ClickHouseHealth(self.clickhouse.clone()))];
        if let Some(redis) = &self.redis {
            dependencies.push(Box::new(RedisHealth(redis.clone())));
        }
        Readiness::new(dependencies)
    }

    /// Closes the connections; the engine writes out what it holds. Takes 8 seconds at most.
    pub async fn close(self) {
        match tokio::time::timeout(CLOSE_DATABASE, self.database.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "cannot close the database"),
            Err(_) => tracing::warn!("the database's connections are still in use; left behind"),
        }
        drop(self.clickhouse);
        if let Some(engine) = self.engine {
            match tokio::time::timeout(CLOSE_ENGINE, engine.shutdown(Duration::from_millis(500))).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(error = %error, "cannot close the embedded engine"),
                Err(_) => tracing::warn!("the embedded engine does not end; left behind"),
            }
        }
    }
}

const CLOSE_DATABASE: Duration = Duration::from_secs(2);
/// Statements that still run are cut off within this time.
const CLOSE_ENGINE: Duration = Duration::from_secs(6);

/// Makes `dir`, and what of its parents is missing, for this user alone. One that exists stays as it is.
fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Whether there is anything to look at yet: a standalone installation is made by its first start.
#[must_use]
pub fn is_installed(config: &Config) -> bool {
    config.role != Role::Standalone || config.data.dir.join(DATABASE_FILE).exists()
}

/// The migrations that these two lack.
///
/// # Errors
/// When one does not answer or is newer than this program.
pub async fn pending_migrations(database: &Database, clickhouse: &ClickHouse) -> anyhow::Result<Vec<String>> {
    let mut pending = db::migrate::pending(database).await?;
    pending.extend(named(clickhouse_migrate::check(clickhouse).await?.pending));
    Ok(pending)
}

/// The Postgres of server and worker.
///
/// # Errors
/// When it cannot be used after `patience`.
pub async fn connect_postgres(config: &Config, patience: Patience) -> anyhow::Result<Database> {
    Ok(db::connect_postgres(&config.database, patience.duration()).await?)
}

/// The ClickHouse of server and worker.
///
/// # Errors
/// When it does not answer after `patience`.
pub async fn connect_clickhouse(config: &Config, patience: Patience) -> anyhow::Result<ClickHouse> {
    let clickhouse = ClickHouse::connect_url(
        &config.clickhouse.url,
        Some(&config.clickhouse.user),
        config.clickhouse.password.secret(),
        &config.clickhouse.database,
    );
    wait_for("ClickHouse (CLICKHOUSE_URL)", patience, || async { clickhouse.ping().await.map_err(|error| error.to_string()) }).await?;
    Ok(clickhouse)
}

/// The Redis of server and worker.
///
/// # Errors
/// When it does not answer after `patience`.
pub async fn connect_redis(config: &Config, patience: Patience) -> anyhow::Result<Redis> {
    let redis = Redis::new(&config.redis)?;
    wait_for("Redis (REDIS_URL)", patience, || async { redis.ping().await.map_err(|error| error.to_string()) }).await?;
    Ok(redis)
}

/// Whether ClickHouse was merely away. One that is too old stays so however long one waits.
fn waiting_may_mend(error: &MigrateError) -> bool {
    matches!(error, MigrateError::Store(ClickHouseError::Client(_)))
}

fn named(steps: Vec<(u32, &'static str)>) -> impl Iterator<Item = String> {
    steps.into_iter().map(|(version, name)| format!("clickhouse {version:04}_{name}"))
}

const ONE_TRY: Duration = Duration::from_secs(5);

async fn wait_for<F: Future<Output = Result<(), String>>>(what: &str, patience: Patience, ask: impl Fn() -> F) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        // A service that takes the connection and then says nothing must be named, too.
        let reason = match tokio::time::timeout(ONE_TRY, ask()).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => format!("no answer within {} s", ONE_TRY.as_secs()),
        };
        anyhow::ensure!(started.elapsed() + pause < patience.duration(), "{what} does not answer: {reason}");
        tracing::warn!(reason, "{what} does not answer yet; trying again");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

struct DatabaseHealth(Database);

#[async_trait]
impl Dependency for DatabaseHealth {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}

struct ClickHouseHealth(ClickHouse);

#[async_trait]
impl Dependency for ClickHouseHealth {
    fn name(&self) -> &'static str {
        "clickhouse"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}

/// The prices of the installation: those kept in the database before those of the catalogue.
pub(super) fn price_book(database: &Database) -> anyhow::Result<PriceBook> {
    Ok(PriceBook::new(database.clone(), Arc::new(Pricer::from_catalogue()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clickhouse_that_is_too_old_is_not_waited_for() {
        let too_old = ClickHouseError::TooOld { found: "25.8.1.1".to_owned() };
        assert!(!waiting_may_mend(&too_old.into()));
        assert!(!waiting_may_mend(&ClickHouseError::Version("unknown".to_owned()).into()));
        assert!(waiting_may_mend(&ClickHouseError::Client(clickhouse::error::Error::TimedOut).into()));
    }
}
