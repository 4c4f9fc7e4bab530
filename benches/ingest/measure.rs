//! One row of the table: a load, who could read what when, whether everything is there, and what it cost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use async_compression::tokio::write::GzipEncoder;
use brokle::common::clock::{Clock, SystemClock};
use brokle::common::time::rfc3339;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::load::{Acknowledged, Bodies, Compressed, Load, Samples, Sent};
use crate::process::{Usage, machine_cpu, reset_peak, usage};
use crate::setup::Setup;
use crate::template::{Ids, Sequence};

/// Pause between two samples of the time until a trace can be read.
const SAMPLE_EVERY: Duration = Duration::from_millis(60);
/// Pause between two looks at a trace that cannot be read yet.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A trace that cannot be read so long after its acknowledgement is lost.
const LOST: Duration = Duration::from_mins(2);

/// A figure with two quantiles, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quantiles {
    pub p50: f64,
    pub p99: f64,
    pub count: usize,
}

impl Quantiles {
    /// Of sorted values.
    pub fn of(sorted: &[f64]) -> Self {
        let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0);
        Self { p50: at(50), p99: at(99), count: sorted.len() }
    }
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Measured {
    pub setup: &'static str,
    pub size: usize,
    pub gzip: bool,
    /// At half of what the set-up can do, so that nothing piles up.
    pub paced: bool,
    pub spans: u64,
    pub requests_per_second: f64,
    pub acknowledged_per_second: f64,
    /// Over the time until the last acknowledged span could be read.
    pub queryable_per_second: f64,
    pub megabytes_per_second: f64,
    pub answer: Quantiles,
    pub lag: Quantiles,
    pub busy: usize,
    /// By process: what it used during the row.
    pub usage: Vec<(&'static str, Usage)>,
    pub client_cpu: f64,
    /// Share of all processors that went to programs that have no part in this, from 0 to 1.
    pub others: f64,
}

impl Measured {
    /// What sets the row apart from the plain one of its size.
    pub fn variant(&self) -> &'static str {
        match (self.gzip, self.paced) {
            (true, _) => " gzip",
            (_, true) => " at half the rate",
            _ => "",
        }
    }
}

/// What is sent in a row.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub size: usize,
    /// Compressed requests to prepare; zero for uncompressed templates.
    pub gzip: usize,
    /// Requests a second; as fast as the answers come where there is none.
    pub pace: Option<f64>,
}

/// Ends the load when the row is given up.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

async fn compress(sequences: &[Sequence], ids: &Ids, count: usize) -> anyhow::Result<Bodies> {
    let mut bodies = Vec::with_capacity(count);
    for sequence in sequences.iter().cycle().take(count) {
        let base = ids.take(sequence, u64::try_from(SystemClock.now_ns())?);
        for part in &sequence.parts {
            let mut encoder = GzipEncoder::new(Vec::with_capacity(part.len() / 3));
            encoder.write_all(&part.fill(&base)).await?;
            encoder.shutdown().await?;
            bodies.push(Compressed { body: encoder.into_inner().into(), trace_id: base.trace_id(0), spans: part.spans });
        }
    }
    Ok(Bodies::Gzip(Arc::new(Mutex::new(bodies))))
}

/// From its acknowledgement until the trace can be read with all its spans.
async fn lag(api: &Api, sample: &Acknowledged) -> anyhow::Result<f64> {
    loop {
        if api.spans_of(&sample.trace_id).await?.is_some_and(|spans| spans >= sample.spans) {
            return Ok(sample.at.elapsed().as_secs_f64());
        }
        if sample.at.elapsed() > LOST {
            bail!("trace {} was acknowledged {} s ago and cannot be read", sample.trace_id, LOST.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn sample(
    api: Api,
    samples: Samples,
    mut receiver: tokio::sync::mpsc::Receiver<Acknowledged>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Vec<f64>> {
    let mut looking = JoinSet::new();
    let mut lags = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        if looking.len() < 8 {
            samples.want_one();
            if let Ok(Some(sample)) = tokio::time::timeout(Duration::from_millis(500), receiver.recv()).await {
                let api = api.clone();
                looking.spawn(async move { lag(&api, &sample).await });
            }
        }
        while let Some(done) = looking.try_join_next() {
            lags.push(done??);
        }
        tokio::time::sleep(SAMPLE_EVERY).await;
    }
    // Answers that came while the load was ending.
    while let Ok(sample) = receiver.try_recv() {
        let api = api.clone();
        looking.spawn(async move { lag(&api, &sample).await });
    }
    while let Some(done) = looking.join_next().await {
        lags.push(done??);
    }
    lags.sort_by(f64::total_cmp);
    Ok(lags)
}

/// Waits until the store counts `expected` spans in traces that began at `from` or later.
async fn drained(setup: &Setup, from: i64, expected: u64) -> anyhow::Result<()> {
    let Some(store) = &setup.store else { return Ok(()) };
    let begin = Instant::now();
    loop {
        let found: u64 = store
            .client()
            .query("SELECT sum(span_count) FROM traces FINAL WHERE project_id = ? AND start_time >= fromUnixTimestamp64Nano(?, 'UTC')")
            .bind(&setup.api.project)
            .bind(from)
            .fetch_one()
            .await?;
        if found >= expected {
            return Ok(());
        }
        ensure!(begin.elapsed() < LOST, "{found} of {expected} acknowledged spans can be read {} s after the load", LOST.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Fails unless every acknowledged span is there once.
async fn verify(setup: &Setup, from: i64, sent: &Sent) -> anyhow::Result<()> {
    let (traces, listed) = match &setup.store {
        None => setup.api.listed(&rfc3339(from), &rfc3339(SystemClock.now_ns() + 60_000_000_000)).await?,
        Some(store) => {
            let spans: u64 = store
                .client()
                // By their traces: the last spans of the row before may start after this one began.
                .query(
                    "SELECT count() FROM observations FINAL WHERE project_id = ? AND trace_id IN \
                     (SELECT trace_id FROM traces FINAL WHERE project_id = ? AND start_time >= fromUnixTimestamp64Nano(?, 'UTC'))",
                )
                .bind(&setup.api.project)
                .bind(&setup.api.project)
                .bind(from)
                .fetch_one()
                .await?;
            ensure!(spans == sent.acknowledged, "{} spans were acknowledged, the store holds {spans}", sent.acknowledged);
            store
                .client()
                .query("SELECT count(), sum(span_count) FROM traces FINAL WHERE project_id = ? AND start_time >= fromUnixTimestamp64Nano(?, 'UTC')")
                .bind(&setup.api.project)
                .bind(from)
                .fetch_one()
                .await?
        }
    };
    ensure!(listed == sent.acknowledged, "{} spans were acknowledged, the {traces} traces of the row count {listed}", sent.acknowledged);
    ensure!(sent.rejected == 0, "{} spans were rejected", sent.rejected);
    Ok(())
}

/// Measures one row.
pub async fn row(
    setup: &mut Setup,
    sequences: &Arc<Vec<Sequence>>,
    ids: &Arc<Ids>,
    shape: Shape,
    duration: Duration,
) -> anyhow::Result<Measured> {
    let from = SystemClock.now_ns();
    let bodies = if shape.gzip > 0 { compress(sequences, ids, shape.gzip).await? } else { Bodies::Templates(Arc::clone(sequences)) };
    for (_, pid) in &setup.watched {
        reset_peak(*pid);
    }
    let before: BTreeMap<u32, Usage> = setup.watched.iter().map(|(_, pid)| Ok((*pid, usage(*pid)?))).collect::<anyhow::Result<_>>()?;
    let client_before = usage(std::process::id())?;
    let (machine_before, row_begin) = (machine_cpu(), Instant::now());

    let stop = Arc::new(AtomicBool::new(false));
    let _stop = StopOnDrop(Arc::clone(&stop));
    let (samples, receiver) = Samples::new();
    let mut sampler = JoinSet::new();
    sampler.spawn(sample(setup.api.clone(), samples.clone(), receiver, Arc::clone(&stop)));
    let begin = Instant::now();
    let load = Load { target: setup.target.clone(), bodies, ids: Arc::clone(ids), pace: shape.pace, stop: Arc::clone(&stop), samples };
    let sent = tokio::task::spawn_blocking(move || load.run(duration)).await?;
    stop.store(true, Ordering::Relaxed);
    for process in &mut setup.processes {
        process.alive()?;
    }
    let sent = sent.context("the load failed")?;
    ensure!(sent.acknowledged > 0, "not one span was acknowledged");
    let client_cpu = usage(std::process::id())?.cpu - client_before.cpu;
    drained(setup, from, sent.acknowledged).await?;
    let until_queryable = if setup.store.is_some() { begin.elapsed() } else { sent.elapsed };
    let lags = sampler.join_next().await.context("nobody sampled")???;

    let usages = setup
        .watched
        .iter()
        .map(|(name, pid)| {
            let after = usage(*pid)?;
            Ok((*name, Usage { cpu: after.cpu - before.get(pid).map_or(0.0, |before| before.cpu), ..after }))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let known = usages.iter().map(|(_, usage)| usage.cpu).sum::<f64>() + usage(std::process::id())?.cpu - client_before.cpu;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    #[expect(clippy::cast_precision_loss, reason = "a few cores")]
    let others = ((machine_cpu() - machine_before - known) / row_begin.elapsed().as_secs_f64() / cores as f64).clamp(0.0, 1.0);
    verify(setup, from, &sent).await.with_context(|| format!("{}, {} spans a request", setup.name, shape.size))?;

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (spans, requests, bytes) = (sent.acknowledged as f64, sent.requests as f64, sent.bytes as f64);
    let seconds = sent.elapsed.as_secs_f64();
    Ok(Measured {
        setup: setup.name,
        size: shape.size,
        gzip: shape.gzip > 0,
        paced: shape.pace.is_some(),
        spans: sent.acknowledged,
        requests_per_second: requests / seconds,
        acknowledged_per_second: spans / seconds,
        queryable_per_second: spans / until_queryable.as_secs_f64(),
        megabytes_per_second: bytes / seconds / 1e6,
        answer: Quantiles::of(&sent.latencies),
        lag: Quantiles::of(&lags),
        busy: sent.busy,
        usage: usages,
        client_cpu,
        others,
    })
}
