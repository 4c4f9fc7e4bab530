//! What a worker runs: the consumers of the telemetry queue and the writers behind them, jobs and schedules.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::Context;

use super::application::start_writers;
use super::backends::{Backends, price_book};
use super::lifecycle::Lifecycle;
use super::{bus, jobs};
use crate::common::clock::SharedClock;
use crate::config::Config;
use crate::infra::bus::Bus;
use crate::infra::metrics::Metrics;
use crate::observability::queue::{Consumer, ConsumerSettings, Retry};

/// Starts consuming and doing jobs.
pub(super) fn start(
    config: &Config,
    clock: SharedClock,
    backends: &Backends,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let redis = backends.redis.clone().context("a worker needs Redis")?;
    let preparing = Arc::new(AtomicUsize::new(0));
    let retry = Retry::Until(lifecycle.stop_token());
    let gatherer = start_writers(config, backends, metrics, lifecycle, retry, Arc::clone(&preparing));
    let settings = ConsumerSettings {
        shards: config.queue.shards,
        claim_idle: Duration::from_millis(config.queue.claim_idle_ms),
        retention_days: config.ingest.retention_days,
        name: format!("{}-{}-{}", host(), std::process::id(), crate::common::id::fresh()),
    };
    let prices = price_book(&backends.database)?;
    let consumer = Consumer::new(redis.clone(), settings, gatherer, prices.clone(), metrics.clone(), preparing);
    let stop = lifecycle.stop_token();
    lifecycle.spawn_intake("telemetry consumer", async move {
        consumer.run(stop).await;
        Ok(())
    });
    let bus = Bus::new();
    bus::connect(&redis, &bus, lifecycle);
    bus::apply_prices(&bus, &prices, lifecycle);
    jobs::start(config, backends, prices, clock, &bus, metrics, lifecycle)
}

/// The name of this machine.
pub(super) fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned())
}
