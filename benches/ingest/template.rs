//! Requests whose bytes are ready before the clock starts; only ids and times are put in when one is sent, so no two are alike.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use crate::corpus::{self, Corpus, TRACE_SPANS};

/// Distinct spans over all templates of a size: eight requests of 510.
pub const DISTINCT_SPANS: usize = 8 * 510;

/// Ids that were never used before.
#[derive(Debug)]
pub struct Ids {
    /// First half of every trace id of this run.
    run: u64,
    traces: AtomicU64,
    spans: AtomicU64,
}

/// The ids and the time of one request.
#[derive(Debug, Clone, Copy)]
pub struct Base {
    pub run: u64,
    pub trace: u64,
    pub span: u64,
    /// Nanoseconds since the Unix epoch.
    pub now: u64,
}

impl Ids {
    pub fn new() -> Self {
        Self { run: rand::random::<u64>() | 1, traces: AtomicU64::new(1), spans: AtomicU64::new(1 << 32) }
    }

    /// Takes as many ids as `template` needs.
    pub fn take(&self, sequence: &Sequence, now: u64) -> Base {
        Base {
            run: self.run,
            trace: self.traces.fetch_add(sequence.traces, Ordering::Relaxed),
            span: self.spans.fetch_add(sequence.spans, Ordering::Relaxed),
            now,
        }
    }
}

impl Base {
    /// The id of the trace at `index`, as the API names it.
    pub fn trace_id(&self, index: u64) -> String {
        format!("{:016x}{:016x}", self.run, self.trace + index)
    }
}

#[derive(Debug, Clone, Copy)]
enum What {
    Run,
    Trace(u64),
    Span(u64),
    Time(u64),
}

/// The bytes of one request, and where ids and times stand in them.
#[derive(Debug)]
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<(usize, What)>,
    pub spans: usize,
}

/// Requests that are sent one after the other and share their ids: one request, or the ten spans of a trace one by one.
#[derive(Debug)]
pub struct Sequence {
    pub parts: Vec<Template>,
    traces: u64,
    spans: u64,
}

// Numbers that occur nowhere in text: bytes above ASCII that are no UTF-8, and different in every position.
const RUN: u64 = 0xf8f9_fafb_fcfd_fe01;
const TRACE: u64 = 0xf901_fb02_fd03_0000;
const SPAN: u64 = 0xfa11_fc12_fe13_0000;
const TIME: u64 = 0xfb21_fd22_0000_0000;

/// Gives a trace its numbers in place of ids; `trace` and `first_span` count within the request.
fn mark(spans: &mut [Span], trace: u64, first_span: u64, times: &mut Vec<u64>) {
    let span_id =
        |position: &[u8]| position.first().map_or_else(Vec::new, |at| (SPAN + first_span + u64::from(*at)).to_be_bytes().to_vec());
    let mut time = |ns: u64| {
        times.push(ns);
        TIME + times.len() as u64 - 1
    };
    for span in spans {
        span.trace_id = [RUN.to_be_bytes(), (TRACE + trace).to_be_bytes()].concat();
        span.span_id = span_id(&span.span_id);
        span.parent_span_id = span_id(&span.parent_span_id);
        span.start_time_unix_nano = time(span.start_time_unix_nano);
        span.end_time_unix_nano = time(span.end_time_unix_nano);
        for event in &mut span.events {
            event.time_unix_nano = time(event.time_unix_nano);
        }
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { scope: Some(corpus::scope()), spans, schema_url: String::new() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(corpus::resource()), scope_spans, schema_url: String::new() }],
    }
}

impl Template {
    fn new(spans: Vec<Span>, times: &[u64]) -> anyhow::Result<Self> {
        let count = spans.len();
        let events: usize = spans.iter().map(|span| span.events.len()).sum();
        let roots = spans.iter().filter(|span| span.parent_span_id.is_empty()).count();
        let bytes = request(spans).encode_to_vec();
        let times: HashMap<u64, u64> = (TIME..).zip(times.iter().copied()).collect();
        let mut places = Vec::new();
        for (at, window) in bytes.windows(8).enumerate() {
            let window: [u8; 8] = window.try_into().context("a window has eight bytes")?;
            let (big, little) = (u64::from_be_bytes(window), u64::from_le_bytes(window));
            if big == RUN {
                places.push((at, What::Run));
            } else if big & !0xffff == TRACE {
                places.push((at, What::Trace(big & 0xffff)));
            } else if big & !0xffff == SPAN {
                places.push((at, What::Span(big & 0xffff)));
            } else if let Some(ns) = times.get(&little) {
                places.push((at, What::Time(*ns)));
            }
        }
        // Run and trace, the span, its parent, start and end; no more and no less.
        let expected = count * 6 - roots + events;
        ensure!(places.len() == expected, "the template has {} places for ids and times, expected {expected}", places.len());
        Ok(Self { bytes, places, spans: count })
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes with ids and times of their own.
    pub fn fill(&self, base: &Base) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (at, what) in &self.places {
            let value = match what {
                What::Run => base.run.to_be_bytes(),
                What::Trace(index) => (base.trace + index).to_be_bytes(),
                What::Span(index) => (base.span + index).to_be_bytes(),
                What::Time(ns) => (base.now + ns).to_le_bytes(),
            };
            bytes[*at..*at + 8].copy_from_slice(&value);
        }
        bytes
    }
}

/// Requests of `size` spans: whole traces, or for 1 the spans of a trace one after the other.
pub fn sequences(size: usize) -> anyhow::Result<Vec<Sequence>> {
    let mut corpus = Corpus::new();
    let traces = size.div_ceil(TRACE_SPANS);
    (0..DISTINCT_SPANS / size.max(TRACE_SPANS))
        .map(|_| {
            let mut times = Vec::new();
            let mut spans = Vec::with_capacity(traces * TRACE_SPANS);
            for trace in 0..traces as u64 {
                let mut made = corpus.trace();
                mark(&mut made, trace, trace * TRACE_SPANS as u64, &mut times);
                spans.extend(made);
            }
            let count = spans.len() as u64;
            let parts = if size == 1 {
                spans.into_iter().map(|span| Template::new(vec![span], &times)).collect::<anyhow::Result<_>>()?
            } else {
                vec![Template::new(spans, &times)?]
            };
            Ok(Sequence { parts, traces: traces as u64, spans: count })
        })
        .collect()
}

/// The average size of a span on the wire, uncompressed, in bytes.
pub fn span_bytes(sequences: &[Sequence]) -> usize {
    let (bytes, spans) =
        sequences.iter().flat_map(|sequence| &sequence.parts).fold((0, 0), |(bytes, spans), part| (bytes + part.len(), spans + part.spans));
    bytes / spans.max(1)
}
