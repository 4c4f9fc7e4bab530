//! Clients that send many small requests and remember what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rust_decimal::Decimal;
use tokio_util::sync::CancellationToken;

use super::app::API_KEY;
use super::{Api, Spans, attribute, environment_variable, now_ns, request, span};

const INPUT_TOKENS: u64 = 11;
const OUTPUT_TOKENS: u64 = 7;
/// What such a call of gpt-4o costs: 2.50 and 10.00 dollars for a million tokens.
const COST: &str = "0.0000975";
/// Traces that all connections add to.
const SHARED: usize = 6;

/// Random numbers for the moments at which tests do their damage. `BROKLE_TEST_SEED` repeats a run.
pub struct Chance(u64);

impl Chance {
    /// A new sequence; its seed is in the output of the test.
    #[expect(clippy::print_stdout, reason = "a failure must be repeatable")]
    pub fn new() -> Self {
        let seed = environment_variable("BROKLE_TEST_SEED").map_or_else(now_ns, |seed| seed.parse().unwrap());
        println!("BROKLE_TEST_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`. Source: splitmix64.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Sleeps for a random time between `least` and `most`.
    pub async fn sleep(&mut self, least: Duration, most: Duration) {
        let range = u64::try_from(most.checked_sub(least).unwrap().as_millis()).unwrap();
        tokio::time::sleep(least + Duration::from_millis(self.below(range))).await;
    }

    fn fork(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }
}

/// A call of a model, as the current GenAI conventions describe it, with a known price.
pub fn generation(trace_id: &[u8], n: u64, start_ns: u64) -> Span {
    let number = |key: &str, value: u64| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Any::IntValue(i64::try_from(value).unwrap())) }),
        ..KeyValue::default()
    };
    Span {
        attributes: vec![
            attribute("gen_ai.operation.name", "chat"),
            attribute("gen_ai.provider.name", "openai"),
            attribute("gen_ai.request.model", "gpt-4o"),
            number("gen_ai.usage.input_tokens", INPUT_TOKENS),
            number("gen_ai.usage.output_tokens", OUTPUT_TOKENS),
        ],
        ..span(trace_id, n, start_ns)
    }
}

/// The spans that were acknowledged: numbers of the spans of each trace.
pub type Acknowledged = BTreeMap<Vec<u8>, BTreeSet<u64>>;

struct Shared {
    url: String,
    traces: Vec<(Vec<u8>, AtomicU64)>,
    started_ns: u64,
    acknowledged: Mutex<Acknowledged>,
    /// Requests that failed in a way that was not to be expected.
    surprises: Mutex<Vec<String>>,
    failures: AtomicU64,
    stop: CancellationToken,
}

/// Connections that send until they are stopped.
pub struct Load {
    shared: Arc<Shared>,
    connections: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Clients that send each request again until it is acknowledged, as exporters do.
    pub fn start(url: &str, connections: usize, chance: &mut Chance) -> Self {
        let shared = Arc::new(Shared {
            url: format!("{url}/v1/traces"),
            traces: (0..SHARED).map(|_| (Spans::trace_id(), AtomicU64::new(0))).collect(),
            started_ns: now_ns(),
            acknowledged: Mutex::default(),
            surprises: Mutex::default(),
            failures: AtomicU64::new(0),
            stop: CancellationToken::new(),
        });
        let connections = (0..connections).map(|_| tokio::task::spawn(send_batches(Arc::clone(&shared), chance.fork()))).collect();
        Self { shared, connections }
    }

    /// Spans acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.lock().unwrap().values().map(BTreeSet::len).sum()
    }

    /// Requests that failed so far.
    pub fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }

    /// Waits until so many spans more than now are acknowledged.
    pub async fn wait_for(&self, more: usize) {
        let (target, started) = (self.acknowledged() + more, Instant::now());
        while self.acknowledged() < target {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "only {} spans acknowledged; {:?}",
                self.acknowledged(),
                self.shared.surprises
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the connections, each after its request in hand is acknowledged: what all of them together sent.
    pub async fn stop(self) -> Acknowledged {
        self.shared.stop.cancel();
        for connection in self.connections {
            connection.await.unwrap();
        }
        let surprises = self.shared.surprises.lock().unwrap();
        assert!(surprises.is_empty(), "unexpected answers: {surprises:?}");
        self.shared.acknowledged.lock().unwrap().clone()
    }
}

async fn send_batches(shared: Arc<Shared>, mut chance: Chance) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build().unwrap();
    let (mut own, mut own_next) = (Spans::trace_id(), 0);
    while !shared.stop.is_cancelled() {
        let size = 1 + chance.below(5);
        let (trace_id, first) = if chance.below(2) == 0 {
            let (trace_id, next) = &shared.traces[usize::try_from(chance.below(SHARED as u64)).unwrap()];
            (trace_id.clone(), next.fetch_add(size, Ordering::Relaxed))
        } else {
            if own_next > 30 {
                (own, own_next) = (Spans::trace_id(), 0);
            }
            own_next += size;
            (own.clone(), own_next - size)
        };
        let numbers = first..first + size;
        let spans = numbers.clone().map(|n| generation(&trace_id, n, shared.started_ns + n * 1_000)).collect();
        let body = request(spans).encode_to_vec();
        if !deliver(&shared, &client, &body).await {
            return;
        }
        shared.acknowledged.lock().unwrap().entry(trace_id).or_default().extend(numbers);
        // Many small requests, but not as many as the machine can take: all of them are compared afterwards.
        tokio::time::sleep(Duration::from_millis(4)).await;
        // A client that did not hear the answer sends again.
        if chance.below(10) == 0 {
            let _ = attempt(&shared, &client, &body).await;
        }
    }
}

/// Sends until it is acknowledged; false after an answer that ends the test.
async fn deliver(shared: &Shared, client: &reqwest::Client, body: &[u8]) -> bool {
    loop {
        match attempt(shared, client, body).await {
            Ok(()) => return true,
            Err(surprise) => {
                shared.failures.fetch_add(1, Ordering::Relaxed);
                if let Some(surprise) = surprise {
                    shared.surprises.lock().unwrap().push(surprise);
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One try. The error says what was wrong, unless it is what has to be expected of a server that is away or has nowhere to store.
async fn attempt(shared: &Shared, client: &reqwest::Client, body: &[u8]) -> Result<(), Option<String>> {
    let post = client.post(&shared.url).header("x-api-key", API_KEY).header("content-type", "application/x-protobuf").body(body.to_vec());
    let answer = post.send().await.map_err(|_| None)?;
    let (status, retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let bytes = answer.bytes().await.map_err(|_| None)?;
    match status {
        200 => match ExportTraceServiceResponse::decode(bytes.clone()).map(|answer| answer.partial_success) {
            Ok(None) => Ok(()),
            other => Err(Some(format!("200 with {other:?}"))),
        },
        503 if retry_after => Err(None),
        _ => Err(Some(format!("{status}, retry-after: {retry_after}: {}", String::from_utf8_lossy(&bytes)))),
    }
}

/// A request with one span, and what it adds to the acknowledged ones.
pub fn one_span(acknowledged: &mut Acknowledged) -> ExportTraceServiceRequest {
    let trace_id = Spans::trace_id();
    let sent = request(vec![generation(&trace_id, 0, now_ns())]);
    acknowledged.entry(trace_id).or_default().insert(0);
    sent
}

/// Compares what the API tells with what was acknowledged: everything is there, once in every total, and nothing else is.
///
/// Where a worker has to store it first, waits up to `patience`.
#[expect(clippy::print_stdout, reason = "says how much the test proved")]
pub async fn verify(api: &Api, acknowledged: &Acknowledged, patience: Duration) {
    let expected: usize = acknowledged.values().map(BTreeSet::len).sum();
    let started = Instant::now();
    let traces = loop {
        let traces = api.traces().await;
        let stored: u64 = traces.iter().map(|trace| trace["span_count"].as_u64().unwrap()).sum();
        // While spans still come in, the start of a trace may move between two pages of the list, and it stands on both.
        let settled = traces.iter().map(|trace| trace["trace_id"].as_str().unwrap()).collect::<BTreeSet<_>>().len() == traces.len();
        if (stored >= expected as u64 && settled) || started.elapsed() >= patience {
            break traces;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    println!("{expected} spans acknowledged in {} traces", acknowledged.len());
    let listed: Vec<&str> = traces.iter().map(|trace| trace["trace_id"].as_str().unwrap()).collect();
    let unique: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), unique.len(), "a trace is listed twice");
    let sent: BTreeSet<String> = acknowledged.keys().map(hex::encode).collect();
    let missing: Vec<_> = sent.iter().filter(|id| !unique.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "acknowledged traces that are not listed: {missing:?}");
    let foreign: Vec<_> = unique.iter().filter(|id| !sent.contains(**id)).collect();
    assert!(foreign.is_empty(), "traces that nobody was told are stored: {foreign:?}");
    for trace in &traces {
        let id = trace["trace_id"].as_str().unwrap();
        let numbers = &acknowledged[&hex::decode(id).unwrap()];
        let mut stored: Vec<String> = api.spans(id).await.iter().map(|span| span["span_id"].as_str().unwrap().to_owned()).collect();
        stored.sort_unstable();
        let sent: Vec<String> = numbers.iter().map(|n| hex::encode(Spans::span_id(*n))).collect();
        assert_eq!(stored, sent, "spans of trace {id}");
        assert_totals(trace, numbers.len() as u64);
        let (status, one) = api.try_get(&format!("/api/v1/traces/{id}?project_id={}", api.project_id)).await;
        assert_eq!(status, 200, "{one}");
        assert_totals(&one["data"], numbers.len() as u64);
    }
}

/// The totals of a trace that consists of so many generations.
fn assert_totals(trace: &serde_json::Value, spans: u64) {
    assert_eq!(trace["span_count"], spans, "{trace}");
    assert_eq!(trace["input_tokens"], spans * INPUT_TOKENS, "{trace}");
    assert_eq!(trace["output_tokens"], spans * OUTPUT_TOKENS, "{trace}");
    assert_eq!(trace["total_tokens"], spans * (INPUT_TOKENS + OUTPUT_TOKENS), "{trace}");
    let cost: Decimal = trace["total_cost"].as_str().unwrap_or_else(|| panic!("a price is known: {trace}")).parse().unwrap();
    assert_eq!(cost, COST.parse::<Decimal>().unwrap() * Decimal::from(spans), "{trace}");
}
