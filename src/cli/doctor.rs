//! `brokle doctor`: is everything there, reachable, new enough and with room, and what to do if not.

use std::path::Path;
use std::process::ExitCode;

use super::output;
use crate::app::{
    Backends, Patience, connect_clickhouse, connect_postgres, connect_redis, engine_options, is_installed, pending_migrations,
};
use crate::config::{Config, Environment, Role};
use crate::infra::clickhouse::ClickHouse;
use crate::infra::db::Database;
use crate::infra::redis::Redis;

/// Less room than this on a disk is worth a warning.
const LOW_DISK_BYTES: u64 = 5 << 30;
/// The oldest servers that are supported.
const POSTGRES_FLOOR: u64 = 13;
const REDIS_FLOOR: (u64, u64) = (6, 2);
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
        embedded(&mut report, &config).await;
    } else {
        servers(&mut report, &config).await;
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

/// What a standalone process keeps in its data directory, which is not made by asking for it.
async fn embedded(report: &mut Report, config: &Config) {
    if !is_installed(config) {
        report.ok("installation", &format!("none yet in {}; the first start makes it", config.data.dir.display()));
        match engine_options(config, config.data.dir.clone()).library.find() {
            Ok(path) => report.ok("engine", &format!("the library is at {}", path.display())),
            Err(error) => report.fail("engine", &error.to_string(), "`make engine` fetches it"),
        }
        return;
    }
    match Backends::connect(config, Patience::Command).await {
        Ok(backends) => {
            database(report, &backends.database).await;
            clickhouse(report, &backends.clickhouse).await;
            schema(report, &backends.database, &backends.clickhouse).await;
            backends.close().await;
        }
        Err(error) => report.fail(
            "data directory",
            &format!("{error:#}"),
            "see the message; a Brokle that is running is best asked by `brokle health`",
        ),
    }
}

/// What a server or worker connects to, each asked on its own, so that all that is missing is told at once.
async fn servers(report: &mut Report, config: &Config) {
    let (found_database, found_clickhouse, found_redis) = tokio::join!(
        connect_postgres(config, Patience::Command),
        connect_clickhouse(config, Patience::Command),
        connect_redis(config, Patience::Command)
    );
    match &found_database {
        Ok(found) => database(report, found).await,
        Err(error) => report.fail("postgres", &format!("{error:#}"), "start it, or correct DATABASE_URL"),
    }
    match &found_clickhouse {
        Ok(found) => clickhouse(report, found).await,
        Err(error) => report.fail("clickhouse", &format!("{error:#}"), "start it, or correct CLICKHOUSE_URL"),
    }
    match &found_redis {
        Ok(found) => check_redis(report, found, config.queue.max_bytes).await,
        Err(error) => report.fail("redis", &format!("{error:#}"), "start it, or correct REDIS_URL"),
    }
    match (&found_database, &found_clickhouse) {
        (Ok(database), Ok(clickhouse)) => schema(report, database, clickhouse).await,
        _ => report.warn("schema", "cannot be told while a database is missing", "mend that first"),
    }
    if let Ok(database) = found_database {
        let _ = database.close().await;
    }
}

async fn schema(report: &mut Report, database: &Database, clickhouse: &ClickHouse) {
    match pending_migrations(database, clickhouse).await {
        Ok(pending) if pending.is_empty() => {
            report.ok("schema", "current");
            background(report, database).await;
        }
        Ok(pending) => report.warn(
            "schema",
            &format!("{} migration(s) pending: {}", pending.len(), pending.join(", ")),
            "run `brokle migrate`, or start a server, which does it",
        ),
        Err(error) => report.fail("schema", &format!("{error:#}"), "see the message"),
    }
}

/// Jobs that were given up and mail that was not sent.
async fn background(report: &mut Report, database: &Database) {
    match super::jobs::left_behind(database).await {
        Ok((0, 0)) => report.ok("jobs", "none is dead, no mail failed"),
        Ok((dead, failed)) => report.warn(
            "jobs",
            &format!("{dead} given up, {failed} mail(s) not sent"),
            "see `brokle jobs list --status dead` and `brokle mail list --status failed`",
        ),
        Err(error) => report.fail("jobs", &format!("{error:#}"), "see the message"),
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
        Ok(version) => report.version("redis", &version, numbers(&version) >= REDIS_FLOOR, "use Redis 6.2 or newer, or Valkey"),
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
        assert!(numbers("6.0.16") < REDIS_FLOOR, "streams need what 6.2 brought");
        assert!(numbers("6.2.0") >= REDIS_FLOOR && numbers("7.0.15") >= REDIS_FLOOR);
    }

    #[test]
    fn tells_the_room_on_a_disk() {
        assert!(free_bytes(Path::new("/")).is_some_and(|bytes| bytes > 0));
    }
}
