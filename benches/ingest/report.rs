//! The figures in words: on the terminal and in docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use brokle::common::clock::{Clock, SystemClock};

use crate::engine::EngineRate;
use crate::load::CONNECTIONS;
use crate::measure::Measured;
use crate::setup::Start;

const BEGIN: &str = "<!-- ingest:begin (written by make bench-ingest) -->";
const END: &str = "<!-- ingest:end -->";
/// From this share of the processors on, what other programs did makes the figures unfit for a verdict.
const BUSY: f64 = 0.1;
const PREAMBLE: &str =
    "# Benchmarks\n\nWhat `make bench-*` measured last. Each part is written by its own command; do not edit between its markers.\n";

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Report {
    pub command: String,
    pub seconds: u64,
    pub span_bytes: usize,
    /// The engine's own rate, before and after the rest.
    pub engine: Vec<EngineRate>,
    pub starts: Vec<Start>,
    pub rows: Vec<Measured>,
}

/// A promise and what came of it.
struct Budget {
    what: String,
    limit: String,
    found: String,
    met: bool,
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", (seconds * 1e3).ceil())
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cores, processor and memory of this machine. Source: proc(5).
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let field = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start_matches([':', ' ', '\t']).trim().to_owned())
    };
    let cpu = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| field(&text, "model name"))
        .unwrap_or_else(|| "unknown processor".to_owned());
    let memory = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| field(&text, "MemTotal")?.trim_end_matches(" kB").parse::<u64>().ok())
        .map_or_else(|| "unknown".to_owned(), |kilobytes| format!("{} GiB", kilobytes.div_ceil(1024 * 1024)));
    format!("{cores} cores of {cpu}, {memory} of memory")
}

impl Report {
    fn engine_rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let count = self.engine.len().max(1) as f64;
        self.engine.iter().map(|rate| rate.rows_per_second).sum::<f64>() / count
    }

    /// Spans that one core converts in a second: the better of the measurements, for another program can only slow one down.
    fn conversion_rate(&self) -> f64 {
        self.engine.iter().map(|rate| rate.converted_per_second).fold(0.0, f64::max)
    }

    fn ratio(&self, rate: f64) -> String {
        let engine = self.engine_rate();
        if engine > 0.0 { format!("{:.0} %", rate / engine * 100.0) } else { "–".to_owned() }
    }

    fn rows_of(&self, setup: &str) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter(move |row| row.setup == setup)
    }

    fn budgets(&self) -> Vec<Budget> {
        let mut budgets = Vec::new();
        let mut add = |what: &str, limit: &str, found: String, met: bool| {
            budgets.push(Budget { what: what.to_owned(), limit: limit.to_owned(), found, met });
        };
        for start in &self.starts {
            let (limit, rss) = if start.name == "standalone" { (1.0, 300) } else { (0.5, 60) };
            let seconds = start.first.as_secs_f64();
            add(
                &format!("{}: first start, nothing there", start.name),
                &format!("{limit:.1} s"),
                format!("{seconds:.2} s"),
                seconds <= limit,
            );
            let seconds = start.again.as_secs_f64();
            add(&format!("{}: start", start.name), &format!("{limit:.1} s"), format!("{seconds:.2} s"), seconds <= limit);
            let met = start.idle_rss <= rss * 1_000_000;
            add(&format!("{}: memory when idle", start.name), &format!("{rss} MB"), megabytes(start.idle_rss), met);
            if start.name == "standalone" {
                add("standalone: processor when idle", "1 % of a core", format!("{:.1} %", start.idle_cpu), start.idle_cpu <= 1.0);
            }
        }
        if !self.engine.is_empty() {
            let rate = self.conversion_rate();
            add(
                "spans decoded, converted and priced on one core",
                "60,000 spans/s",
                format!("{} spans/s", thousands(rate)),
                rate >= 60_000.0,
            );
        }
        for (setup, share) in [("standalone", 0.5), ("server + worker", 0.35)] {
            let big = self.rows_of(setup).find(|row| row.size == 510 && !row.gzip && !row.paced);
            if let Some(big) = big.filter(|_| !self.engine.is_empty()) {
                let what = format!("{setup}: queryable spans/s of the engine's own rate, 510 a request");
                add(
                    &what,
                    &format!("{:.0} %", share * 100.0),
                    self.ratio(big.queryable_per_second),
                    big.queryable_per_second >= share * self.engine_rate(),
                );
            }
            for (paced, how) in [(true, "half the rate"), (false, "full rate, worst row")] {
                let lags = self.rows_of(setup).filter(|row| row.paced == paced && row.lag.count > 0).map(|row| row.lag.p99);
                if let Some(worst) = lags.max_by(f64::total_cmp) {
                    add(&format!("{setup}: queryable after the answer, p99, {how}"), "1 s", milliseconds(worst), worst <= 1.0);
                }
            }
        }
        for (process, limit) in [("standalone", 1_200), ("server", 400), ("worker", 500)] {
            let peak = self.rows.iter().flat_map(|row| &row.usage).filter(|(name, _)| *name == process).map(|(_, usage)| usage.peak).max();
            if let Some(peak) = peak {
                add(
                    &format!("{process}: memory while ingesting, worst row"),
                    &megabytes(limit * 1_000_000),
                    megabytes(peak),
                    peak <= limit * 1_000_000,
                );
            }
        }
        budgets
    }

    /// The part of docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        line("## Ingestion\n");
        line(&format!("`{}`, {}, {}.\n", self.command, SystemClock.now().format("%Y-%m-%d"), machine()));
        line(&format!(
            "{CONNECTIONS} connections send for {} s a row, each the next request when the last was answered; load, Brokle and its services share the machine. Spans \
             of {} bytes on the wire (OTLP protobuf, not compressed unless the row says so), traces of ten: an agent, model calls, tools, a retrieval. After each row every \
             acknowledged span was found, once.\n",
            self.seconds, self.span_bytes
        ));
        let others = self.rows.iter().map(|row| row.others).fold(0.0, f64::max);
        if others >= BUSY {
            line(&format!(
                "**Other programs took up to {:.0} % of the processors while this ran: the rates are too low, and a budget that is not met below may be met on a quiet machine.**\n",
                others * 100.0
            ));
        }
        if !self.engine.is_empty() {
            line(
                "The engine's own rate for the same rows (RowBinary, 5,000 rows an insert, `observations` only, same number of connections), before and after the rest:\n",
            );
            line("| rows/s | on disk | engine CPU for 100,000 rows | client CPU for 100,000 rows | engine memory |");
            line("|---:|---:|---:|---:|---:|");
            for rate in &self.engine {
                #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
                let rows = rate.rows as f64 / 100_000.0;
                line(&format!(
                    "| {} | {:.0} B | {:.2} s | {:.2} s | {} |",
                    thousands(rate.rows_per_second),
                    rate.stored_bytes,
                    rate.engine_cpu / rows,
                    rate.client_cpu / rows,
                    megabytes(rate.peak)
                ));
            }
            line("");
            let rate = self.conversion_rate();
            line(&format!(
                "Decoding, converting and pricing these spans before they are stored: {} spans/s on one core; 1,000 spans/s take {:.1} % of one.\n",
                thousands(rate),
                100_000.0 / rate.max(1.0)
            ));
        }
        if !self.rows.is_empty() {
            line(
                "| set-up | spans a request | requests/s | acknowledged spans/s | queryable spans/s | of the engine's rate | answer p50 / p99 | queryable after the answer p50 / p99 | asked to wait |",
            );
            line("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        }
        for row in &self.rows {
            line(&format!(
                "| {} | {}{} | {} | {} | {} | {} | {} / {} | {} / {} ({}) | {} |",
                row.setup,
                row.size,
                row.variant(),
                thousands(row.requests_per_second),
                thousands(row.acknowledged_per_second),
                thousands(row.queryable_per_second),
                self.ratio(row.queryable_per_second),
                milliseconds(row.answer.p50),
                milliseconds(row.answer.p99),
                milliseconds(row.lag.p50),
                milliseconds(row.lag.p99),
                row.lag.count,
                row.busy,
            ));
        }
        if !self.rows.is_empty() {
            line(
                "\nQueryable after the answer: sampled, the number of samples in brackets; it includes the look-up itself. Queryable spans/s counts until the last span could be read.\n",
            );
            line("CPU seconds for 100,000 spans, and the most memory, by process:\n");
            line("| set-up | spans a request | processes | load |");
            line("|---|---:|---|---:|");
        }
        for row in &self.rows {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let spans = row.spans as f64 / 100_000.0;
            let processes: Vec<String> =
                row.usage.iter().map(|(name, usage)| format!("{name} {:.2} s, {}", usage.cpu / spans, megabytes(usage.peak))).collect();
            line(&format!(
                "| {} | {}{} | {} | {:.2} s, {:.0} MB/s sent |",
                row.setup,
                row.size,
                row.variant(),
                processes.join("; "),
                row.client_cpu / spans,
                row.megabytes_per_second
            ));
        }
        line("\n| budget | limit | measured | |");
        line("|---|---:|---:|---|");
        for budget in self.budgets() {
            let verdict = if budget.met { "met" } else { "**not met**" };
            line(&format!("| {} | {} | {} | {verdict} |", budget.what, budget.limit, budget.found));
        }
        text
    }

    /// Writes the part between its markers; the rest of the file stays.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let old = fs::read_to_string(path).unwrap_or_else(|_| PREAMBLE.to_owned());
        let new = replace(&old, &self.markdown());
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn replace(old: &str, part: &str) -> String {
    let mut new = String::new();
    match (old.find(BEGIN), old.find(END)) {
        (Some(begin), Some(end)) if begin < end => {
            let _ = write!(new, "{}{BEGIN}\n{part}{}", &old[..begin], &old[end..]);
        }
        _ => {
            let _ = write!(new, "{}\n\n{BEGIN}\n{part}{END}\n", old.trim_end());
        }
    }
    new
}
