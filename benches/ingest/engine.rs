//! The engine's own rate for the same rows: RowBinary inserts of 5,000 rows into `observations` and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use brokle::common::clock::{Clock, SystemClock};
use brokle::infra::clickhouse::{ClickHouse, migrate};
use brokle::observability::convert::{ConvertContext, convert};
use brokle::observability::otlp;
use brokle::observability::pricing::Pricer;
use brokle::observability::rows::ObservationRow;
use clickhouse::{Client, Compression};
use tokio::task::JoinSet;

use crate::corpus::TRACE_SPANS;
use crate::load::CONNECTIONS;
use crate::process::{Process, free_port, usage};
use crate::template::{Ids, Sequence};

/// Rows of an insert.
const BLOCK: usize = 5_000;
const DATABASE: &str = "bench";

/// What the engine did.
#[derive(Debug, Clone, Copy)]
pub struct EngineRate {
    pub rows_per_second: f64,
    /// Bytes on disk for a row, after the inserts, before most merges.
    pub stored_bytes: f64,
    pub engine_cpu: f64,
    pub client_cpu: f64,
    pub peak: u64,
    pub rows: u64,
    /// Spans that one core decodes, converts and prices in a second, measured before the engine is used.
    pub converted_per_second: f64,
}

/// The rows that Brokle would store for the templates, and when their traces begin.
fn rows(sequences: &[Sequence], ids: &Ids) -> anyhow::Result<(Vec<ObservationRow>, u64)> {
    let pricer = Pricer::from_catalogue()?;
    let now = u64::try_from(SystemClock.now_ns())?;
    let context =
        ConvertContext { project_id: "01JDBENCH000000000000000000", received_at_us: now / 1_000, environment: None, retention_days: 365 };
    let mut rows = Vec::new();
    for sequence in sequences {
        let base = ids.take(sequence, now);
        for part in &sequence.parts {
            let request = otlp::decode_traces_protobuf(&part.fill(&base)).context("a template cannot be decoded")?;
            rows.extend(convert(request, &context, &pricer));
        }
    }
    Ok((rows, now))
}

/// How many spans one core decodes, converts and prices in a second: the templates over and over, for a second of processor time.
fn conversion_rate(sequences: &[Sequence], ids: &Ids) -> anyhow::Result<f64> {
    let pricer = Pricer::from_catalogue()?;
    let now = u64::try_from(SystemClock.now_ns())?;
    let context =
        ConvertContext { project_id: "01JDBENCH000000000000000000", received_at_us: now / 1_000, environment: None, retention_days: 365 };
    let bodies: Vec<Vec<u8>> = sequences
        .iter()
        .flat_map(|sequence| {
            let base = ids.take(sequence, now);
            sequence.parts.iter().map(move |part| part.fill(&base))
        })
        .collect();
    let before = usage(std::process::id())?.cpu;
    let (mut spans, mut took) = (0_usize, 0.0);
    while took < 1.0 {
        for body in &bodies {
            spans += convert(otlp::decode_traces_protobuf(body)?, &context, &pricer).len();
        }
        took = usage(std::process::id())?.cpu - before;
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(spans as f64 / took)
}

/// A block of rows that gets new ids and times before each insert.
struct Block {
    rows: Vec<ObservationRow>,
    /// Position of each row's parent within its trace; `None` for a root.
    parents: Vec<Option<usize>>,
    /// When the rows' traces begin now.
    begin: i64,
}

impl Block {
    fn new(all: &[ObservationRow], begin: u64, offset: usize) -> anyhow::Result<Self> {
        let rows: Vec<ObservationRow> = (0..BLOCK).map(|at| all[(offset + at) % all.len()].clone()).collect();
        let parents = rows
            .chunks(TRACE_SPANS)
            .flat_map(|trace| trace.iter().map(|row| trace.iter().position(|parent| parent.span_id == row.parent_span_id)))
            .collect();
        Ok(Self { rows, parents, begin: i64::try_from(begin)? })
    }

    fn renew(&mut self, run: u64, first: u64, now: i64) {
        let shift = now - self.begin;
        self.begin = now;
        for (at, row) in self.rows.iter_mut().enumerate() {
            let number = first + at as u64;
            row.trace_id = format!("{run:016x}{:016x}", number / TRACE_SPANS as u64);
            row.span_id = format!("{number:016x}");
            if let Some(parent) = self.parents[at] {
                row.parent_span_id = format!("{:016x}", first + (at - at % TRACE_SPANS + parent) as u64);
            }
            row.start_time += shift;
            row.end_time += shift;
            if let Some(time) = &mut row.completion_start_time {
                *time += shift;
            }
            for time in &mut row.events_timestamp {
                *time += shift;
            }
        }
    }
}

/// Starts an engine on an empty directory, makes the tables, inserts for `duration`, counts, and stops it.
pub async fn measure(
    binary: &Path,
    directory: &Path,
    http: &reqwest::Client,
    sequences: &[Sequence],
    duration: Duration,
) -> anyhow::Result<EngineRate> {
    let port = free_port()?;
    let data = tempfile::tempdir_in(directory)?;
    let listen = format!("127.0.0.1:{port}");
    let environment = BTreeMap::from([("LOG_LEVEL".to_owned(), "warn".to_owned()), ("LOG_FORMAT".to_owned(), "json".to_owned())]);
    let path = data.path().join("engine");
    let arguments = ["engine", "--listen", &listen, "--data", path.to_str().context("the directory is no UTF-8")?];
    let mut process = Process::start("engine-alone", binary, &arguments, &environment, directory)?;
    process.ready(http, &format!("http://{listen}/ping"), Duration::from_secs(30)).await?;

    let url = format!("http://{listen}");
    let store = ClickHouse::connect_url(&url, None, None, DATABASE);
    migrate::run(&store).await.context("cannot make the tables")?;
    let client = Client::default()
        .with_url(&url)
        .with_database(DATABASE)
        .with_compression(Compression::None)
        .with_validation(false)
        .with_setting("async_insert", "0");

    let ids = Ids::new();
    let converted_per_second = conversion_rate(sequences, &ids)?;
    let (all, begin) = rows(sequences, &ids)?;
    let mut blocks = Vec::new();
    for connection in 0..CONNECTIONS {
        blocks.push(Block::new(&all, begin, connection * all.len() / CONNECTIONS / TRACE_SPANS * TRACE_SPANS)?);
    }
    let before = (usage(process.id())?, usage(std::process::id())?);
    let next = Arc::new(std::sync::atomic::AtomicU64::new(1 << 20));
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for mut block in blocks {
        let (client, next) = (client.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            let mut inserted = 0;
            while started.elapsed() < duration {
                let first = next.fetch_add(BLOCK as u64, std::sync::atomic::Ordering::Relaxed);
                block.renew(ids_run(), first, SystemClock.now_ns());
                let mut insert = client.insert::<ObservationRow>("observations").await?;
                for row in &block.rows {
                    insert.write(row).await?;
                }
                insert.end().await?;
                inserted += BLOCK as u64;
            }
            anyhow::Ok(inserted)
        });
    }
    let mut inserted = 0;
    while let Some(count) = tasks.join_next().await {
        inserted += count??;
    }
    let elapsed = started.elapsed();
    let after = (usage(process.id())?, usage(std::process::id())?);

    let found: u64 = store.client().query("SELECT count() FROM observations").fetch_one().await?;
    ensure!(found == inserted, "the engine holds {found} rows, {inserted} were inserted");
    let bytes: u64 = store
        .client()
        .query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'observations'")
        .fetch_one()
        .await?;
    process.alive()?;
    process.stop();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    Ok(EngineRate {
        rows_per_second: inserted as f64 / elapsed.as_secs_f64(),
        stored_bytes: bytes as f64 / found.max(1) as f64,
        engine_cpu: after.0.cpu - before.0.cpu,
        client_cpu: after.1.cpu - before.1.cpu,
        peak: after.0.peak,
        rows: inserted,
        converted_per_second,
    })
}

/// Another number for every block, so that no trace id of one block looks like one of another.
fn ids_run() -> u64 {
    rand::random::<u64>() | 1
}
