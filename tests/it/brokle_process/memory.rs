//! Requests that would take a machine down, and what they cost.

use std::io::Write;
use std::time::Duration;

use base64::Engine;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use crate::harness::{API_KEY, Api, Installation, Proxy, Running, Spans, attribute, generation, now_ns, request};

/// What a standalone process may take while it ingests at its full rate.
const MOST: u64 = 1_200_000_000;
/// What a server may take: the budget for requests, and some for itself.
const SERVER: u64 = 600_000_000;
/// What a worker may take while the store is away.
const WORKER: u64 = 500_000_000;

async fn post(running: &Running, body: Vec<u8>, encoding: Option<&str>) -> (u16, String) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).no_proxy().build().unwrap();
    let mut post = client.post(format!("{}/v1/traces", running.url)).header("x-api-key", API_KEY);
    post = post.header("content-type", "application/x-protobuf");
    if let Some(encoding) = encoding {
        post = post.header("content-encoding", encoding);
    }
    let answer = post.body(body).send().await.unwrap();
    (answer.status().as_u16(), String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned())
}

/// Compressed, from pieces: the whole need not be in the memory of the test either.
fn zstd(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    for piece in pieces {
        encoder.write_all(&piece).unwrap();
    }
    encoder.finish().unwrap()
}

fn spans(count: u64) -> (Vec<Vec<u8>>, ExportTraceServiceRequest) {
    let (traces, now): (Vec<_>, u64) = ((0..10).map(|_| Spans::trace_id()).collect(), now_ns());
    let spans = (0..count).map(|n| generation(&traces[usize::try_from(n % 10).unwrap()], n, now + n)).collect();
    (traces, request(spans))
}

/// `body` as the only field of each of these messages, the outermost first.
fn nested(tags: &[u8], body: Vec<u8>) -> Vec<u8> {
    tags.iter().rev().fold(body, |body, tag| {
        let mut outer = vec![*tag];
        prost::encoding::encode_varint(body.len() as u64, &mut outer);
        outer.extend(body);
        outer
    })
}

const RESOURCE_SPANS: u8 = 0x0a;
const SCOPE_SPANS: u8 = 0x12;
const SPAN: u8 = 0x12;
const ATTRIBUTE: u8 = 0x4a;

/// Small on the wire and large in memory: each is refused with words, or stored, and costs no more than others.
async fn send_what_grows_in_memory(running: &Running) {
    let empty = |tag: u8| [tag, 0].repeat(5_000_000);
    let one = request(vec![generation(&Spans::trace_id(), 0, now_ns())]).encode_to_vec();
    for (what, body) in [
        ("empty spans", nested(&[RESOURCE_SPANS, SCOPE_SPANS], empty(SPAN))),
        ("empty attributes", nested(&[RESOURCE_SPANS, SCOPE_SPANS, SPAN], empty(ATTRIBUTE))),
        ("empty resources", empty(RESOURCE_SPANS)),
        ("empty scopes", nested(&[RESOURCE_SPANS], empty(SCOPE_SPANS))),
    ] {
        let (status, answer) = post(running, zstd(std::iter::once(body)), Some("zstd")).await;
        assert!(status == 413 && answer.contains("memory"), "{what}: {status} {answer}");
    }
    assert_eq!(post(running, one, None).await.0, 200, "the memory was given back");

    // A megabyte of resource attributes in the row of each of ten thousand spans.
    let (_, mut many) = spans(10_000);
    let resource = many.resource_spans[0].resource.as_mut().unwrap();
    resource.attributes.extend((0..100).map(|n| attribute(&format!("big.{n}"), &"0123456789".repeat(1_000))));
    let (status, answer) = post(running, many.encode_to_vec(), None).await;
    assert!(status == 413 && answer.contains("resource") && answer.contains("10000 spans"), "{status} {answer}");
    // With fewer spans it is much, and it is stored.
    many.resource_spans[0].scope_spans[0].spans.truncate(100);
    let (status, answer) = post(running, many.encode_to_vec(), None).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_bounds_its_memory_as_well() {
    let installation = Installation::split().await.initialised();
    let mut server = installation.start("server").await;
    let mut noise = vec![0; 10_000_000];
    blake3::Hasher::new().update(&now_ns().to_be_bytes()).finalize_xof().fill(&mut noise);
    for encoding in [None, Some("gzip"), Some("zstd")] {
        let (status, answer) = post(&server, noise.clone(), encoding).await;
        assert_eq!(status, 400, "{answer}");
    }
    let bomb = zstd((0..1_024).map(|_| vec![0; 1 << 20]));
    let bombs = (0..6).map(|_| post(&server, bomb.clone(), Some("zstd")));
    for (status, answer) in futures_util::future::join_all(bombs).await {
        assert!([413, 503].contains(&status), "{status}: {answer}");
    }
    send_what_grows_in_memory(&server).await;
    assert!(server.process.is_running(), "{}", server.process.output());
    let peak = server.process.peak_memory();
    assert!((1..SERVER).contains(&peak), "took {peak} bytes");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_must_wait_holds_no_more_than_it_may() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    let server = installation.start("server").await;
    let mut worker = installation.start_with("worker", &[("CLICKHOUSE_URL", &proxy.url())]).await;
    let api = Api::sign_in(&server.url).await;
    proxy.cut().await;
    let mut sent = Vec::new();
    for n in 0..40_u64 {
        // No codec shrinks this by much.
        let mut noise = vec![0; 6_000_000];
        blake3::Hasher::new().update(&(now_ns() + n).to_be_bytes()).finalize_xof().fill(&mut noise);
        let trace_id = Spans::trace_id();
        let mut span = generation(&trace_id, 0, now_ns());
        span.attributes.push(attribute("noise", &base64::engine::general_purpose::STANDARD.encode(noise)));
        let (status, answer) = post(&server, request(vec![span]).encode_to_vec(), None).await;
        assert_eq!(status, 200, "{answer}");
        sent.push(trace_id);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.open().await;
    for trace_id in sent {
        let started = std::time::Instant::now();
        let path = format!("/api/v1/traces/{}?project_id={}", hex::encode(trace_id), api.project_id);
        while api.try_get(&path).await.0 != 200 {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", worker.process.output());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(worker.process.is_running(), "{}", worker.process.output());
    let peak = worker.process.peak_memory();
    assert!((1..WORKER).contains(&peak), "took {peak} bytes");
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_get_an_answer_and_no_memory() {
    let installation = Installation::standalone().initialised();
    let mut running = installation.start("standalone").await;
    let api = Api::sign_in(&running.url).await;

    let mut noise = vec![0; 10_000_000];
    blake3::Hasher::new().update(&now_ns().to_be_bytes()).finalize_xof().fill(&mut noise);
    let (status, answer) = post(&running, noise.clone(), None).await;
    assert_eq!(status, 400, "{answer}");
    let (status, answer) = post(&running, noise, Some("gzip")).await;
    assert_eq!(status, 400, "{answer}");

    // A gibibyte of zeros in a few kilobytes, several times at once.
    let bomb = zstd((0..1_024).map(|_| vec![0; 1 << 20]));
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let bombs = (0..6).map(|_| post(&running, bomb.clone(), Some("zstd")));
    for (status, answer) in futures_util::future::join_all(bombs).await {
        assert!([413, 503].contains(&status), "{status}: {answer}");
    }

    send_what_grows_in_memory(&running).await;

    // A hundred thousand spans, compressed: within both limits, so they are stored.
    let (traces, many) = spans(100_000);
    let (status, answer) = post(&running, zstd(std::iter::once(many.encode_to_vec())), Some("zstd")).await;
    assert_eq!(status, 200, "{answer}");
    for trace in &traces {
        let trace = api.get(&format!("/api/v1/traces/{}?project_id={}", hex::encode(trace), api.project_id)).await;
        assert_eq!(trace["data"]["span_count"], 10_000, "{trace}");
    }

    // One attribute of 9.5 MB, to its last byte.
    let (trace_id, large) = (Spans::trace_id(), "0123456789abcdef".repeat(593_750));
    let mut span = generation(&trace_id, 0, now_ns());
    span.attributes.push(attribute("large", &large));
    let (status, answer) = post(&running, request(vec![span]).encode_to_vec(), None).await;
    assert_eq!(status, 200, "{answer}");
    let span_id = hex::encode(Spans::span_id(0));
    let path = format!("/api/v1/spans/{span_id}?project_id={}&trace_id={}", api.project_id, hex::encode(&trace_id));
    let stored: Value = api.get(&path).await;
    assert!(stored["data"]["attributes"]["large"] == *large, "not stored whole");

    assert!(running.process.is_running(), "{}", running.process.output());
    let peak = running.process.peak_memory();
    assert!((1..MOST).contains(&peak), "took {peak} bytes");
    running.stop().await;
}
