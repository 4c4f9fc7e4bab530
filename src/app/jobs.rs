//! The jobs of a process: which it can do, when they are done on their own, and the tasks that do them.

use std::time::Duration;

use anyhow::Context;

use super::backends::Backends;
use super::lifecycle::Lifecycle;
use super::worker::host;
use crate::common::clock::SharedClock;
use crate::config::{Config, Role};
use crate::infra::bus::Bus;
use crate::infra::db::Database;
use crate::infra::jobs::{Jobs, PruneJobs, Registry, Runner, Settings};
use crate::infra::mail::{Mailer, Post, PruneMail, SendMail, Smtp};
use crate::infra::metrics::Metrics;
use crate::observability::prices::PriceBook;
use crate::observability::prices::repricing::{RepriceSpans, Repricer};
use crate::observability::store::TelemetryStore;
use crate::organization::Directory;

/// What jobs are made from.
struct Infra {
    database: Database,
    clock: SharedClock,
    jobs: Jobs,
    mailer: Mailer,
    smtp: Option<Smtp>,
    prices: PriceBook,
    telemetry: TelemetryStore,
}

/// Every kind of job, with what it needs, and every schedule.
fn registry(infra: &Infra) -> anyhow::Result<Registry> {
    let mut registry = Registry::default();
    registry.register::<PruneJobs>(infra.jobs.clone());
    registry.schedule("prune-jobs", "17 3 * * *", &PruneJobs {})?;

    registry.register::<SendMail>(Post::new(infra.database.clone(), infra.clock.clone(), infra.smtp.clone()));
    registry.register::<PruneMail>(infra.mailer.clone());
    registry.schedule("prune-mail", "37 * * * *", &PruneMail {})?;

    let directory = Directory::new(infra.database.clone(), infra.clock.clone());
    let (prices, telemetry) = (infra.prices.clone(), infra.telemetry.clone());
    registry.register::<RepriceSpans>(Repricer::new(infra.database.clone(), infra.clock.clone(), directory, prices, telemetry));
    Ok(registry)
}

/// Starts doing jobs.
pub(super) fn start(
    config: &Config,
    backends: &Backends,
    prices: PriceBook,
    clock: SharedClock,
    bus: &Bus,
    metrics: &Metrics,
    lifecycle: &Lifecycle,
) -> anyhow::Result<()> {
    let database = &backends.database;
    let smtp = Smtp::of(&config.mail).context("the mail server of SMTP_HOST cannot be used")?;
    if let Some(smtp) = &smtp {
        tracing::info!(server = smtp.server(), from = config.mail.from_address, "mail is sent");
    } else {
        tracing::warn!(
            "no mail server is set (SMTP_HOST): mail is kept in the outbox; read it with `brokle mail list` and `brokle mail show ID`, or as an administrator in the web app"
        );
    }
    let jobs = Jobs::new(database.clone(), clock.clone(), bus.clone());
    let mailer = Mailer::new(jobs.clone(), clock.clone()).delivering(smtp.is_some());
    let telemetry = TelemetryStore::new(backends.clickhouse.clone());
    let registry = registry(&Infra { database: database.clone(), clock, jobs: jobs.clone(), mailer, smtp, prices, telemetry })?;
    let settings = Settings {
        name: format!("{}-{}-{}", host().chars().take(64).collect::<String>(), std::process::id(), crate::common::id::fresh()),
        concurrency: config.jobs.concurrency,
        lease: Duration::from_secs(config.jobs.lease_seconds),
        stop_grace: Duration::from_secs(stop_grace(config.server.shutdown_timeout_seconds)),
        look: Duration::from_secs(1),
        alone: config.role == Role::Standalone,
    };
    let (dispatcher, slots) = Runner::new(jobs, registry, settings, metrics.clone()).split();
    for slot in slots {
        lifecycle.spawn_intake("job slot", async move {
            slot.run().await;
            Ok(())
        });
    }
    let stop = lifecycle.stop_token();
    lifecycle.spawn_intake("job dispatcher", async move {
        dispatcher.run(stop).await;
        Ok(())
    });
    Ok(())
}

/// Seconds that running jobs get when the process stops, of those it has in all: what they did not finish must be given back
/// within them, too.
fn stop_grace(bound: u64) -> u64 {
    (bound / 2).min(10)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::common::clock::SystemClock;
    use crate::infra::db::testing::migrated_sqlite;

    #[tokio::test]
    async fn every_schedule_has_a_job_that_can_be_done() {
        let (db, clock): (_, SharedClock) = (migrated_sqlite().await, Arc::new(SystemClock));
        let jobs = Jobs::new(db.db.clone(), clock.clone(), Bus::new());
        let mailer = Mailer::new(jobs.clone(), clock.clone());
        let registry = registry(&Infra {
            database: db.db.clone(),
            clock,
            jobs,
            mailer,
            smtp: None,
            prices: crate::app::backends::price_book(&db.db).unwrap(),
            telemetry: TelemetryStore::new(crate::infra::clickhouse::ClickHouse::connect_url("http://127.0.0.1:1", None, None, "none")),
        })
        .unwrap();
        let (kinds, scheduled) = (registry.kinds(), registry.scheduled());
        assert_eq!(kinds, ["prune_jobs", "prune_mail", "reprice_spans", "send_mail"]);
        assert_eq!(scheduled.len(), 2);
        assert!(scheduled.iter().all(|(_, kind)| kinds.contains(kind)), "{scheduled:?}");
    }

    #[test]
    fn jobs_are_given_back_before_the_process_has_to_end() {
        assert_eq!([1, 10, 25, 300].map(stop_grace), [0, 5, 10, 10]);
    }
}
