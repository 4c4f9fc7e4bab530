//! Requests that would take a machine down, and what they cost.

use std::io::Write;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use crate::harness::{API_KEY, Api, Installation, Running, Spans, attribute, generation, now_ns, request};

/// What a standalone process may take while it ingests at its full rate.
const MOST: u64 = 1_200_000_000;

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
