//! Whole-process benchmark of ingestion: how many spans a second are acknowledged, durable and readable, for how much
//! processor and memory, against what the engine does with the same rows. Run it with `make bench-ingest`.

mod api;
mod corpus;
mod engine;
mod load;
mod measure;
mod process;
mod report;
mod setup;
mod template;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};

use measure::Shape;
use report::Report;
use setup::{Services, Setup};
use template::Ids;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Spans a request of the rows of the table.
const SIZES: [usize; 4] = [1, 10, 100, 510];
/// The size that is also sent at half the rate at which it became readable.
const PACED_SIZE: usize = 10;
/// How long the warm-up before the rows of a set-up lasts.
const WARM_UP: Duration = Duration::from_secs(2);

/// Measures ingestion.
#[derive(Debug, Parser)]
struct Arguments {
    /// The optimised brokle binary
    #[arg(long, env = "BROKLE_BIN")]
    bin: PathBuf,
    /// Where data and logs go while it runs
    #[arg(long, env = "BROKLE_BENCH_DIR")]
    dir: PathBuf,
    /// Seconds a row
    #[arg(long, default_value_t = 10)]
    duration: u64,
    /// 3 seconds a row
    #[arg(long)]
    quick: bool,
    /// Only these parts: engine, standalone, split
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only these sizes of request, in spans
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
    /// Leave the file as it is
    #[arg(long)]
    no_write: bool,
    /// The file that gets the result
    #[arg(long, default_value = "docs/benchmarks.md")]
    out: PathBuf,
    #[arg(long, env = "BROKLE_TEST_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    #[arg(long, env = "BROKLE_TEST_REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    #[arg(long, env = "BROKLE_TEST_CLICKHOUSE_URL", hide_env_values = true)]
    clickhouse_url: Option<String>,
    /// Directory of scripts/services.sh, whose processes are then watched too
    #[arg(long, env = "BROKLE_BENCH_SERVICES")]
    services: Option<PathBuf>,
    /// cargo passes this
    #[arg(long, hide = true)]
    bench: bool,
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("cannot start the runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // Dropping the run stops its load and its processes.
        tokio::select! {
            result = run(&arguments) => result,
            _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted; the processes that were started are stopped")),
            _ = terminate.recv() => Err(anyhow::anyhow!("terminated; the processes that were started are stopped")),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn services(arguments: &Arguments) -> anyhow::Result<Services> {
    let need = |value: &Option<String>, name: &str| {
        value.clone().with_context(|| format!("{name} is not set; scripts/bench-ingest.sh starts the services and sets it"))
    };
    let mut processes = Vec::new();
    for (name, file) in [("engine", "clickhouse.pid"), ("redis", "redis.pid")] {
        let pid = arguments.services.as_ref().and_then(|directory| std::fs::read_to_string(directory.join(file)).ok());
        if let Some(pid) = pid.and_then(|text| text.split_whitespace().next()?.parse().ok()) {
            processes.push((name, pid));
        }
    }
    Ok(Services {
        database_url: need(&arguments.database_url, "BROKLE_TEST_DATABASE_URL")?,
        redis_url: need(&arguments.redis_url, "BROKLE_TEST_REDIS_URL")?,
        clickhouse_url: need(&arguments.clickhouse_url, "BROKLE_TEST_CLICKHOUSE_URL")?,
        processes,
    })
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let seconds = if arguments.quick { 3 } else { arguments.duration.max(1) };
    let duration = Duration::from_secs(seconds);
    if let Some(unknown) = arguments.only.iter().find(|part| !matches!(part.as_str(), "engine" | "standalone" | "split")) {
        bail!("--only {unknown}: the parts are engine, standalone and split");
    }
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == part);
    std::fs::create_dir_all(&arguments.dir).with_context(|| format!("cannot make {}", arguments.dir.display()))?;
    let http = api::client()?;

    say("preparing the requests");
    let big = Arc::new(template::sequences(510)?);
    let command =
        std::env::args().skip(1).filter(|argument| argument != "--bench").fold("make bench-ingest".to_owned(), |mut text, argument| {
            text.push_str(if text.contains("ARGS") { " " } else { " ARGS='" });
            text.push_str(&argument);
            text
        });
    let command = if command.contains("ARGS") { format!("{command}'") } else { command };
    let mut report = Report { command, seconds, span_bytes: template::span_bytes(&big), ..Report::default() };
    say(&format!("spans of {} bytes", report.span_bytes));

    if wanted("engine") {
        report.engine.push(engine_rate(arguments, &http, &big, duration).await?);
    }
    if wanted("standalone") {
        say("standalone: starting");
        let setup = setup::standalone(&arguments.bin, &arguments.dir, &http).await?;
        measure_all(setup, None, arguments, &big, duration, &mut report).await?;
    }
    if wanted("split") {
        say("server + worker: starting");
        let services = services(arguments)?;
        let setup = setup::split(&arguments.bin, &arguments.dir, &http, &services).await?;
        measure_all(setup, Some(&services), arguments, &big, duration, &mut report).await?;
    }
    if wanted("engine") {
        report.engine.push(engine_rate(arguments, &http, &big, duration).await?);
    }

    let _ = writeln!(std::io::stdout(), "\n{}", report.markdown());
    if !arguments.no_write {
        report.write(&arguments.out)?;
        say(&format!("written to {}", arguments.out.display()));
    }
    Ok(())
}

async fn engine_rate(
    arguments: &Arguments,
    http: &reqwest::Client,
    sequences: &Arc<Vec<template::Sequence>>,
    duration: Duration,
) -> anyhow::Result<engine::EngineRate> {
    say("the engine alone");
    let rate = engine::measure(&arguments.bin, &arguments.dir, http, sequences, duration).await?;
    say(&format!("  {:.0} rows/s", rate.rows_per_second));
    Ok(rate)
}

async fn measure_all(
    mut setup: Setup,
    services: Option<&Services>,
    arguments: &Arguments,
    big: &Arc<Vec<template::Sequence>>,
    duration: Duration,
    report: &mut Report,
) -> anyhow::Result<()> {
    for start in &setup.starts {
        say(&format!(
            "  {}: first start {:.2} s, start {:.2} s, idle {} MB, {:.1} % of a core",
            start.name,
            start.first.as_secs_f64(),
            start.again.as_secs_f64(),
            start.idle_rss / 1_000_000,
            start.idle_cpu
        ));
    }
    report.starts.extend(setup.starts.iter().cloned());
    let ids = Arc::new(Ids::new());
    measure::row(&mut setup, big, &ids, Shape { size: 510, gzip: 0, pace: None }, WARM_UP).await.context("warm-up")?;
    let mut requests_per_second = 0.0;
    for size in SIZES.into_iter().filter(|size| arguments.sizes.is_empty() || arguments.sizes.contains(size)) {
        let sequences = if size == 510 { Arc::clone(big) } else { Arc::new(template::sequences(size)?) };
        let row = measure::row(&mut setup, &sequences, &ids, Shape { size, gzip: 0, pace: None }, duration).await?;
        say_row(&row);
        requests_per_second = row.requests_per_second;
        #[expect(clippy::cast_precision_loss, reason = "at most 510")]
        let half = row.queryable_per_second / size as f64 / 2.0;
        report.rows.push(row);
        if size == PACED_SIZE {
            let row = measure::row(&mut setup, &sequences, &ids, Shape { size, gzip: 0, pace: Some(half) }, duration).await?;
            say_row(&row);
            report.rows.push(row);
        }
    }
    if arguments.sizes.is_empty() || arguments.sizes.contains(&510) {
        // Compressed in advance, so there have to be enough of them: what the row before took, and half as much again.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count of some hundreds")]
        let count = (requests_per_second * duration.as_secs_f64() * 1.5) as usize + load::CONNECTIONS;
        let row = measure::row(&mut setup, big, &ids, Shape { size: 510, gzip: count, pace: None }, duration).await?;
        say_row(&row);
        report.rows.push(row);
    }
    for process in &setup.processes {
        for error in process.errors().iter().take(5) {
            say(&format!("  {} logged: {error}", process.name));
        }
    }
    setup.tear_down(services).await
}

fn say_row(row: &measure::Measured) {
    say(&format!(
        "  {:>3}{} spans a request: {:.0} acknowledged/s, {:.0} queryable/s, answer p99 {:.0} ms, queryable after p99 {:.0} ms ({} samples), {} times asked to wait, others took {:.0} % of the processors",
        row.size,
        row.variant(),
        row.acknowledged_per_second,
        row.queryable_per_second,
        row.answer.p99 * 1e3,
        row.lag.p99 * 1e3,
        row.lag.count,
        row.busy,
        row.others * 100.0
    ));
}
