//! A process from its configuration to its end.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use actix_web::dev::Server;
use anyhow::Context;

use super::backends::{Backends, price_book};
use super::lifecycle::{Ending, Lifecycle};
use super::{first_start, jobs, server, worker};
use crate::common::clock::SharedClock;
use crate::config::{Config, Role};
use crate::http::health::Readiness;
use crate::infra::clickhouse::ClickHouse;
use crate::infra::crypto::Sealer;
use crate::infra::metrics::Metrics;
use crate::observability::ingest::TelemetryQueue;
use crate::observability::prices::PriceBook;
use crate::observability::queue::{Direct, GatherLimits, Gatherer, Retry, Streams, StreamsLimits, Writers};
use crate::observability::store::TelemetryStore;

/// A built process: it serves and its tasks run; [`Application::run_until_stopped`] waits for its end.
#[derive(Debug)]
pub struct Application {
    lifecycle: Lifecycle,
    port: u16,
    bound: Duration,
    backends: Backends,
}

impl Application {
    /// Connects, migrates, makes the first start's things, binds the port and starts the background tasks.
    ///
    /// # Errors
    /// Says what is missing and what to do.
    pub async fn build(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        Self::build_unless_stopped(config, clock, Lifecycle::default()).await?.context("stopped before it was ready")
    }

    /// The same with a lifecycle that may be stopped meanwhile, which services that are away and long migrations make likely:
    /// none then, with everything closed that was open.
    ///
    /// # Errors
    /// Says what is missing and what to do.
    pub async fn build_unless_stopped(config: Config, clock: SharedClock, lifecycle: Lifecycle) -> anyhow::Result<Option<Self>> {
        // Bound before anything is opened: a taken port is found out at once, and leaves nothing behind.
        let listener = bind(&config)?;
        let port = listener.local_addr()?.port();
        let bound = Duration::from_secs(config.server.shutdown_timeout_seconds);
        let Some(backends) = Backends::connect_unless_stopped(&config, &lifecycle.stop_token()).await? else { return Ok(None) };
        let stop = lifecycle.stop_token();
        let started = tokio::select! {
            started = Self::start(&config, clock, listener, port, &backends, &lifecycle) => Some(started),
            () = stop.cancelled() => None,
        };
        if let Some(Ok(())) = started {
            tracing::info!(role = config.role.name(), host = config.server.host, port, version = env!("CARGO_PKG_VERSION"), "ready");
            return Ok(Some(Self { lifecycle, port, bound, backends }));
        }
        lifecycle.stop();
        let ending = lifecycle.finish(bound).await;
        backends.close().await;
        match (started, ending) {
            (Some(Err(error)), _) => Err(error),
            (_, Ending::Crashed(reason)) => Err(anyhow::anyhow!(reason)),
            _ => Ok(None),
        }
    }

    /// Starts what the role consists of. Each step may be the last one, when the process is stopped meanwhile.
    async fn start(
        config: &Config,
        clock: SharedClock,
        listener: TcpListener,
        port: u16,
        backends: &Backends,
        lifecycle: &Lifecycle,
    ) -> anyhow::Result<()> {
        let metrics = Metrics::new()?;
        let readiness = backends.readiness();
        match config.role {
            Role::Worker => {
                // First, because a server may take its time to migrate: whoever asks is told so meanwhile.
                readiness.wait_for("a server to migrate the databases");
                let server = server::worker_http(config, listener, metrics.clone(), readiness.clone())?;
                serve(lifecycle, server, readiness.clone());
                backends.check_durability(config.redis.durability_check == "strict").await?;
                backends.wait_until_migrated().await?;
                Sealer::configured(&config.secrets.ai_key_encryption_key)?.check(backends.database.conn(), false).await?;
                worker::start(config, clock, backends, &metrics, lifecycle)?;
                readiness.started();
            }
            Role::Standalone | Role::Server => {
                backends.check_durability(config.redis.durability_check == "strict").await?;
                backends.migrate().await?;
                let secrets = first_start::prepare(config, port, &backends.database, clock.clone()).await?;
                secrets.sealer()?.check(backends.database.conn(), true).await?;
                let preparing = Arc::new(AtomicUsize::new(0));
                let prices = price_book(&backends.database)?;
                let queue = queue(config, backends, &prices, &metrics, lifecycle, &preparing)?;
                let parts = server::Parts {
                    backends,
                    clock: clock.clone(),
                    metrics: metrics.clone(),
                    readiness: readiness.clone(),
                    queue,
                    prices: prices.clone(),
                    preparing,
                    secrets: &secrets,
                };
                let services = server::Services::new(config, parts, lifecycle)?;
                if config.role == Role::Standalone {
                    jobs::start(config, backends, prices, clock, services.bus(), &metrics, lifecycle)?;
                }
                serve(lifecycle, server::http(config, listener, services)?, readiness);
            }
        }
        Ok(())
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The telemetry store's database, for tests that look behind the API.
    #[must_use]
    pub fn clickhouse(&self) -> &ClickHouse {
        &self.backends.clickhouse
    }

    /// To stop it, or to add tasks.
    #[must_use]
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// Serves until it is asked to stop or a task crashes; then finishes what is in flight.
    pub async fn run_until_stopped(self) -> Ending {
        let ending = self.lifecycle.finish(self.bound).await;
        self.backends.close().await;
        ending
    }
}

/// Serves until the process is asked to stop; then finishes the requests in flight.
fn serve(lifecycle: &Lifecycle, server: Server, readiness: Readiness) {
    let (stop, handle) = (lifecycle.stop_token(), server.handle());
    lifecycle.spawn_intake("http server", async move {
        let mut server = std::pin::pin!(server);
        tokio::select! {
            ended = &mut server => {
                ended.context("the HTTP server ended")?;
                // actix answers `Ok` however it ends; without a stop that is a crash.
                anyhow::ensure!(stop.is_cancelled(), "the HTTP server ended on its own");
                return Ok(());
            }
            () = stop.cancelled() => readiness.drain(),
        }
        let ((), ended) = tokio::join!(handle.stop(true), server);
        ended.context("the HTTP server ended")
    });
}

fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    let (port, variable) =
        if config.role == Role::Worker { (config.server.worker_port, "WORKER_PORT") } else { (config.server.port, "PORT") };
    let listener = TcpListener::bind((config.server.host.as_str(), port)).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("port {port} is taken by another program: stop it, or set {variable} to another port")
        }
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("port {port} may not be opened by this user: set {variable} to a port above 1023")
        }
        _ => anyhow::anyhow!("cannot listen on {}:{port}: {error}; check HOST and {variable}", config.server.host),
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn queue(
    config: &Config,
    backends: &Backends,
    prices: &PriceBook,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
    preparing: &Arc<AtomicUsize>,
) -> anyhow::Result<Arc<dyn TelemetryQueue>> {
    if let Some(redis) = &backends.redis {
        let limits = StreamsLimits {
            shards: config.queue.shards,
            max_entries: config.queue.max_entries,
            max_bytes: config.queue.max_bytes,
            repeat_window: config.ingest.repeat_window_seconds,
        };
        return Ok(Arc::new(Streams::new(redis.clone(), limits)));
    }
    let gatherer = start_writers(config, backends, metrics, lifecycle, Retry::Never, Arc::clone(preparing));
    Ok(Arc::new(Direct::new(gatherer, prices.clone(), config.ingest.retention_days)))
}

/// Starts the tasks that write to the telemetry store; they end once all intake has.
pub(super) fn start_writers(
    config: &Config,
    backends: &Backends,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
    retry: Retry,
    preparing: Arc<AtomicUsize>,
) -> Gatherer {
    let store = TelemetryStore::new(backends.clickhouse.clone());
    let limits = GatherLimits {
        rows: config.ingest.gather_rows,
        bytes: config.ingest.gather_bytes,
        wait: Duration::from_millis(config.ingest.gather_ms),
        patient: matches!(retry, Retry::Until(_)),
    };
    let (writers, gatherer) = Writers::new(store, limits, retry, metrics.clone(), preparing);
    for _ in 0..config.ingest.writers {
        let (writers, drained) = (writers.clone(), lifecycle.drained_token());
        lifecycle.spawn("telemetry writer", async move {
            writers.run(drained).await;
            Ok(())
        });
    }
    gatherer
}
