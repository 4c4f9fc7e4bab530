//! `brokle demo`: a realistic set of traces for a running Brokle, to look around with.

mod content;
mod llm;
mod plan;
mod random;
mod scenario;
mod send;
#[cfg(test)]
mod tests;
mod tracer;

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::output;
use crate::common::clock::{Clock, SystemClock};
use plan::Wanted;
use send::{Taken, Target};
use tracer::Draft;

/// A request carries traces until it has this many spans.
const SPANS_PER_REQUEST: usize = 120;

/// What to send, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where Brokle listens
    #[arg(long, env = "BROKLE_BASE_URL", default_value = "http://localhost:8080")]
    url: String,
    /// API key of the project that gets the traces (bk_…)
    #[arg(long, env = "BROKLE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// How many traces
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    traces: u32,
    /// Over how many hours up to now
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    hours: u32,
    /// Another number gives other traces
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Sends the demo and prints what became of it.
///
/// # Errors
/// When there is no key, nobody answers, or the traces are refused; the message says what to do.
pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let key = args.api_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
    let Some(key) = key else {
        bail!(
            "no API key: give one with --api-key bk_… or in BROKLE_API_KEY; the first start of Brokle showed one, and `brokle admin create-key` makes another"
        );
    };
    let target = Target::new(&args.url, key)?;
    let project = target.project().await?;
    let now = u64::try_from(SystemClock.now_ns()).context("the clock of this machine is before 1970")?;
    let wanted = Wanted { traces: args.traces as usize, hours: args.hours.into(), seed: args.seed, now };
    let drafts = plan::generate(wanted);

    let mut report = Report::new(&drafts);
    for request in requests(drafts) {
        let spans = count(&request);
        let taken =
            target.send(&request).await.with_context(|| format!("{} of {} spans were taken before", report.spans_sent, report.spans))?;
        report.add(spans, &taken);
    }
    report.print(&target, project.as_deref(), args.hours);
    if report.rejected > 0 {
        bail!("{} of {} spans were rejected", report.rejected, report.spans);
    }
    Ok(())
}

fn count(request: &ExportTraceServiceRequest) -> usize {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum()
}

/// Whole traces, gathered into requests of moderate size.
fn requests(drafts: Vec<Draft>) -> Vec<ExportTraceServiceRequest> {
    let mut requests = vec![ExportTraceServiceRequest::default()];
    let mut spans = 0;
    for draft in drafts {
        if spans > 0 && spans + draft.spans.len() > SPANS_PER_REQUEST {
            requests.push(ExportTraceServiceRequest::default());
            spans = 0;
        }
        spans += draft.spans.len();
        if let Some(request) = requests.last_mut() {
            request.resource_spans.push(draft.into_resource_spans());
        }
    }
    requests
}

/// What was sent and what the server said.
#[derive(Debug)]
struct Report {
    /// Traces and spans by what they show.
    titles: BTreeMap<&'static str, (usize, usize)>,
    traces: usize,
    spans: usize,
    requests: usize,
    spans_sent: usize,
    bytes: usize,
    rejected: i64,
    messages: Vec<String>,
}

impl Report {
    fn new(drafts: &[Draft]) -> Self {
        let mut titles = BTreeMap::<_, (usize, usize)>::new();
        for draft in drafts {
            let entry = titles.entry(draft.title).or_default();
            entry.0 += 1;
            entry.1 += draft.spans.len();
        }
        let spans = drafts.iter().map(|draft| draft.spans.len()).sum();
        Self { titles, traces: drafts.len(), spans, requests: 0, spans_sent: 0, bytes: 0, rejected: 0, messages: Vec::new() }
    }

    fn add(&mut self, spans: usize, taken: &Taken) {
        self.requests += 1;
        self.spans_sent += spans;
        self.bytes += taken.bytes;
        self.rejected += taken.rejected;
        if !taken.message.is_empty() {
            self.messages.push(taken.message.clone());
        }
    }

    fn print(&self, target: &Target, project: Option<&str>, hours: u32) {
        let span = if hours == 1 { "hour".to_owned() } else { format!("{hours} hours") };
        output::line(&format!(
            "Sent {} traces with {} spans from the last {span} to {} ({} requests, {} kB compressed):",
            self.traces,
            self.spans,
            target.url(),
            self.requests,
            self.bytes.div_ceil(1_000)
        ));
        for (title, (traces, spans)) in &self.titles {
            output::line(&format!("  {traces:>4} {title} ({spans} spans)"));
        }
        if self.rejected > 0 {
            output::line(&format!("Rejected: {} spans", self.rejected));
        }
        for message in &self.messages {
            output::line(&format!("The server said: {message}"));
        }
        match project {
            Some(project) => output::line(&format!("Look at them: {}/projects/{project}/traces", target.url())),
            None => output::line(&format!("Look at them: {}", target.url())),
        }
    }
}
