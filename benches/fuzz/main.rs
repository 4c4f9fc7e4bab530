//! `make fuzz`: sends hostile bodies through decoding, conversion and pricing. On the pinned compiler, without coverage to guide it.
//!
//! The bodies are made from the captured requests of `tests/fixtures/otlp` and a seed, so every one can be made again. A panic, a
//! body that takes longer than its bound, or more memory than its weight allows ends the run with the body in a file.
//!
//!   --runs N          bodies for each encoding (1,000,000)
//!   --seed N          of the first body (1); the next ones follow
//!   --target NAME     json or protobuf; both without it
//!   --input FILE      only this body

#![expect(clippy::print_stdout, clippy::print_stderr, clippy::cast_possible_truncation, reason = "a program for the terminal")]

mod memory;
mod mutate;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use brokle::observability::otlp::{self, decode_traces};
use brokle::observability::pricing::Pricer;

use mutate::Mutator;
use target::{Encoding, Outcome};

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

/// What one body may take; the most that was measured is far below.
const PATIENCE: Duration = Duration::from_secs(10);

struct Settings {
    runs: u64,
    seed: u64,
    targets: Vec<Encoding>,
    input: Option<PathBuf>,
}

fn settings() -> anyhow::Result<Settings> {
    let mut settings = Settings { runs: 1_000_000, seed: 1, targets: vec![Encoding::Json, Encoding::Protobuf], input: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--bench" {
            continue;
        }
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--runs" => settings.runs = value.parse().context("--runs is a number")?,
            "--seed" => settings.seed = value.parse().context("--seed is a number")?,
            "--target" if value == "json" => settings.targets = vec![Encoding::Json],
            "--target" if value == "protobuf" => settings.targets = vec![Encoding::Protobuf],
            "--input" => settings.input = Some(value.into()),
            _ => bail!("{name} {value} is not understood; see the head of benches/fuzz/main.rs"),
        }
    }
    Ok(settings)
}

fn corpus() -> anyhow::Result<Vec<opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp/captured");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<anyhow::Result<_>>()?;
    files.sort();
    let mut corpus = Vec::new();
    for file in files.iter().filter(|file| file.file_name().is_some_and(|name| name != "versions.json")) {
        corpus.push(decode_traces(&std::fs::read(file)?).with_context(|| file.display().to_string())?);
    }
    Ok(corpus)
}

/// What a body took.
struct Taken {
    outcome: Outcome,
    time: Duration,
    /// Bytes at the peak, beside the body.
    memory: usize,
}

/// Peak of memory that a body may take while it is decoded and converted, by its weight: the bound of the rows, and the decoded
/// request with what is read of one span on the way.
fn most_memory(body: &[u8], encoding: Encoding) -> usize {
    let weight = if encoding == Encoding::Json { otlp::weigh_json(body) } else { otlp::weigh_protobuf(body) };
    weight.decoded.saturating_add(target::most_bytes_of_rows(&weight, body.len())).saturating_mul(2).saturating_add(4 << 20)
}

fn take(body: &[u8], encoding: Encoding, pricer: &Pricer) -> Result<Taken, String> {
    let began = Instant::now();
    let before = memory::start();
    let outcome = catch_unwind(AssertUnwindSafe(|| target::run(body, encoding, pricer)));
    let memory = memory::peak().saturating_sub(before);
    let time = began.elapsed();
    let outcome = outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        format!("it panicked: {}", text.unwrap_or("without words"))
    })?;
    if time > PATIENCE {
        return Err(format!("it took {time:?}"));
    }
    let most = most_memory(body, encoding);
    if outcome != Outcome::Refused && memory > most {
        return Err(format!("it took {memory} bytes of memory, more than {most}"));
    }
    Ok(Taken { outcome, time, memory })
}

fn keep(body: &[u8], encoding: Encoding, seed: u64) -> String {
    let name = if encoding == Encoding::Json { "json" } else { "protobuf" };
    let file = std::env::temp_dir().join(format!("brokle-fuzz-{name}-{seed}"));
    match std::fs::write(&file, body) {
        Ok(()) => format!("the body is in {}; send it again with --target {name} --input FILE, or --seed {seed} --runs 1", file.display()),
        Err(error) => format!("the body could not be kept ({error}); --target {name} --seed {seed} --runs 1 makes it again"),
    }
}

/// Ends the program when one body takes for ever: nothing else would.
fn watch(current: Arc<AtomicU64>, body: Arc<Mutex<Vec<u8>>>, encoding: Encoding) {
    std::thread::spawn(move || {
        let mut last = (0, Instant::now());
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let seed = current.load(Ordering::Relaxed);
            if seed == u64::MAX {
                return;
            }
            if seed != last.0 {
                last = (seed, Instant::now());
            } else if last.1.elapsed() > 2 * PATIENCE {
                let body = body.lock().map(|body| body.clone()).unwrap_or_default();
                eprintln!("seed {seed} hangs; {}", keep(&body, encoding, seed));
                std::process::exit(1);
            }
        }
    });
}

fn fuzz(settings: &Settings, encoding: Encoding, mutator: &Mutator, pricer: &Pricer) -> anyhow::Result<()> {
    let current = Arc::new(AtomicU64::new(settings.seed));
    let shown = Arc::new(Mutex::new(Vec::new()));
    watch(Arc::clone(&current), Arc::clone(&shown), encoding);
    let began = Instant::now();
    let (mut refused, mut undecoded, mut empty, mut rows, mut bytes) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    let (mut slowest, mut largest) = ((Duration::ZERO, 0), (0, 0));
    for run in 0..settings.runs {
        let seed = settings.seed.wrapping_add(run);
        let body = mutator.body(seed, encoding);
        current.store(seed, Ordering::Relaxed);
        if let Ok(mut shown) = shown.lock() {
            shown.clone_from(&body);
        }
        let taken = match take(&body, encoding, pricer) {
            Ok(taken) => taken,
            Err(reason) => bail!("{encoding:?}, seed {seed}: {reason}; {}", keep(&body, encoding, seed)),
        };
        bytes += body.len() as u64;
        match taken.outcome {
            Outcome::Refused => refused += 1,
            Outcome::NotDecoded => undecoded += 1,
            Outcome::Rows(0) => empty += 1,
            Outcome::Rows(count) => rows += count as u64,
        }
        slowest = slowest.max((taken.time, seed));
        largest = largest.max((taken.memory, seed));
        if run > 0 && run % 100_000 == 0 {
            println!("{encoding:?}: {run} runs in {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    current.store(u64::MAX, Ordering::Relaxed);
    println!(
        "{encoding:?}: {} runs from seed {} in {:.0} s, {} MB; {undecoded} not decoded, {refused} too heavy, {empty} without a valid span, \
         {rows} rows; slowest {:?} (seed {}), most memory {} KB (seed {}); no panic, no hang, no memory beyond the bounds",
        settings.runs,
        settings.seed,
        began.elapsed().as_secs_f64(),
        bytes / 1_000_000,
        slowest.0,
        slowest.1,
        largest.0 / 1_000,
        largest.1
    );
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let settings = settings()?;
    let pricer = Pricer::from_catalogue()?;
    // What is made once and for all belongs to no body.
    let corpus = corpus()?;
    for request in &corpus {
        target::run(&otlp::encode_traces(request), Encoding::Json, &pricer);
    }
    if let Some(file) = &settings.input {
        let body = std::fs::read(file)?;
        for encoding in &settings.targets {
            match take(&body, *encoding, &pricer) {
                Ok(taken) => println!("{encoding:?}: {:?} in {:?}, {} bytes of memory", taken.outcome, taken.time, taken.memory),
                Err(reason) => bail!("{encoding:?}: {reason}"),
            }
        }
        return Ok(());
    }
    let mutator = Mutator::new(corpus);
    settings.targets.iter().try_for_each(|encoding| fuzz(&settings, *encoding, &mutator, &pricer))
}
