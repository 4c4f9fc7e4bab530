//! `brokle doctor`: is everything there, reachable, new enough and with room, and what to do if not.

use std::path::Path;
use std::process::ExitCode;

use super::output;
use crate::app::{Backends, Patience};
use crate::config::{Config, Environment, Role};
use crate::infra::clickhouse::ClickHouse;
use crate::infra::db::Database;
use crate::infra::redis::Redis;

/// Less room than this on a disk is worth a warning.
const LOW_DISK_BYTES: u64 = 5 << 30;
/// The oldest servers that are supported.
const POSTGRES_FLOOR: u64 = 13;
const REDIS_FLOOR: u64 = 6;
const CLICKHOUSE_FLOOR: (u64, u64) = (26, 3);

/// Findings, in the order in which they were made.
#[derive(Default)]
struct Report {
    failures: usize,
}

impl Report {
    fn ok(&self, what: &str, text: &str) {
        output::line(&format!("ok      {what}: {text}"));
    }

    fn warn(&self, what: &str, text: &str, remedy: &str) {
        output::line(&format!("warning {what}: {text}\n        → {remedy}"));
    }

    fn fail(&mut self, what: &str, text: &str, remedy: &str) {
        self.failures += 1;
        output::line(&format!("FAILED  {what}: {text}\n        → {remedy}"));
    }

    fn version(&mut self, what: &str, version: &str, good: bool, remedy: &str) {
        if good {
            self.ok(what, &format!("version {version}"));
        } else {
            self.fail(what, &format!("version {version} is too old"), remedy);
        }
    }
}

fn numbers(version: &str) -> (u64, u64) {
    let mut parts =
        version.split(|character: char| !character.is_ascii_digit()).filter(|part| !part.is_empty()).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

pub(super) async fn run(environment: &Environment) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    report.ok("brokle", &format!("{} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH));
    let config = match Config::load(environment) {
        Ok(config) => config,
        Err(problems) => {
            for problem in &problems.0 {
                report.fail("configuration", problem, "`brokle config docs` lists every setting");
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    for warning in &config.warnings {
        report.warn("configuration", warning, "correct or unset it");
    }
    report.ok("role", config.role.name());
    if config.role == Role::Standalone {
        standalone(&mut report, &config);
    }
    match Backends::connect(&config, Patience::Command).await {
        Ok(backends) => {
            database(&mut report, &backends.database).await;
            clickhouse(&mut report, &backends.clickhouse).await;
            if let Some(redis) = &backends.redis {
                check_redis(&mut report, redis, config.queue.max_bytes).await;
            }
            match backends.pending_migrations().await {
                Ok(pending) if pending.is_empty() => report.ok("schema", "current"),
                Ok(pending) => report.warn(
                    "schema",
                    &format!("{} migration(s) pending: {}", pending.len(), pending.join(", ")),
                    "run `brokle migrate`, or start a server, which does it",
                ),
                Err(error) => report.fail("schema", &format!("{error:#}"), "see the message"),
            }
            backends.close().await;
        }
        Err(error) => report.fail("connections", &format!("{error:#}"), "start what is missing, or correct its URL"),
    }
    port(&mut report, &config);
    Ok(if report.failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn standalone(report: &mut Report, config: &Config) {
    let dir = &config.data.dir;
    let existing = dir.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match free_bytes(existing) {
        Some(free) if free < LOW_DISK_BYTES => {
            report.warn(
                "disk",
                &format!("{} free under {}", gibibytes(free), dir.display()),
                "make room, or set BROKLE_DATA_DIR to a larger disk",
            );
        }
        Some(free) => report.ok("disk", &format!("{} free under {}", gibibytes(free), dir.display())),
        None => report.warn(
            "disk",
            &format!("cannot tell the room under {}", dir.display()),
            "check that BROKLE_DATA_DIR exists and can be written",
        ),
    }
}

async fn database(report: &mut Report, database: &Database) {
    match database.version().await {
        Ok(version) => {
            let name = format!("{:?}", database.kind()).to_lowercase();
            let good = name != "postgres" || numbers(&version).0 >= POSTGRES_FLOOR;
            report.version(&name, &version, good, "use PostgreSQL 13 or newer");
        }
        Err(error) => report.fail("database", &error.to_string(), "check DATABASE_URL"),
    }
}

async fn clickhouse(report: &mut Report, clickhouse: &ClickHouse) {
    match clickhouse.version().await {
        Ok(version) => report.version("clickhouse", &version, numbers(&version) >= CLICKHOUSE_FLOOR, "use ClickHouse 26.3 LTS or newer"),
        Err(error) => report.fail("clickhouse", &error.to_string(), "check CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD"),
    }
    if let Ok(space) = clickhouse.disk_space().await {
        let stored = gibibytes(space.stored_bytes);
        match space.free_bytes {
            Some(free) if free < LOW_DISK_BYTES => report.warn(
                "clickhouse disk",
                &format!("{} free, {stored} stored", gibibytes(free)),
                "make room: a full disk stops ingestion (nothing acknowledged is lost)",
            ),
            Some(free) => report.ok("clickhouse disk", &format!("{} free, {stored} stored", gibibytes(free))),
            None => report.ok("clickhouse disk", &format!("not local, {stored} stored")),
        }
    }
}

async fn check_redis(report: &mut Report, redis: &Redis, max_bytes: u64) {
    match redis.version().await {
        Ok(version) => report.version("redis", &version, numbers(&version).0 >= REDIS_FLOOR, "use Redis 6.2 or newer, or Valkey"),
        Err(error) => {
            report.fail("redis", &error.to_string(), "check REDIS_URL");
            return;
        }
    }
    if let Ok(durability) = redis.durability().await {
        for problem in durability.problems {
            report.fail("redis", &problem, "change it in redis.conf, or with CONFIG SET and CONFIG REWRITE");
        }
        for note in durability.notes {
            report.ok("redis", &note);
        }
    }
    report.ok("queue", &format!("holds up to {} of waiting spans (QUEUE_MAX_BYTES); Redis needs that much memory", gibibytes(max_bytes)));
}

fn port(report: &mut Report, config: &Config) {
    let port = if config.role == Role::Worker { config.server.worker_port } else { config.server.port };
    let variable = if config.role == Role::Worker { "WORKER_PORT" } else { "PORT" };
    match std::net::TcpListener::bind((config.server.host.as_str(), port)) {
        Ok(_) => report.ok("port", &format!("{port} is free")),
        Err(error) => report.warn("port", &format!("{port}: {error}"), &format!("fine if Brokle is running; else set {variable}")),
    }
}

fn gibibytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let size = bytes as f64 / f64::from(1 << 30);
    format!("{size:.1} GiB")
}

/// Bytes an unprivileged process may still write under `path`. Source: statvfs(3).
fn free_bytes(path: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with NUL and `stat` has room for the answer.
    let done = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) } == 0;
    // SAFETY: statvfs has filled it in when it returns 0.
    done.then(|| unsafe { stat.assume_init() }).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(numbers("26.7.3.1"), (26, 7));
        assert_eq!(numbers("PostgreSQL 15.18 (Debian 15.18-0+deb12u1)"), (15, 18));
        assert!(numbers("25.8.2.1") < CLICKHOUSE_FLOOR);
    }

    #[test]
    fn tells_the_room_on_a_disk() {
        assert!(free_bytes(Path::new("/")).is_some_and(|bytes| bytes > 0));
    }
}
