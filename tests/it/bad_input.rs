//! Wrong things get clear answers: the status, the form and the words of each.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::harness::{API_KEY, Setup, Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

/// `google.rpc.Status` of an answer in JSON.
async fn refused(app: &TestApp, body: Vec<u8>, headers: &[(&str, &str)]) -> (u16, String) {
    let (status, body) = app.send_bytes(body, headers).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    (status, text)
}

on_both! {
    async fn wrong_bodies_say_what_is_wrong(app) {
        let (status, text) = refused(app, b"{\"resourceSpans\": [{]".to_vec(), &[JSON]).await;
        assert_eq!(status, 400);
        assert!(text.contains("line 1"), "{text}");

        for body in ["[]", "\"text\"", "\n [{\"resourceSpans\": []}]", "null"] {
            let (status, text) = refused(app, body.as_bytes().to_vec(), &[JSON]).await;
            assert_eq!(status, 400);
            assert!(text.contains("in JSON") && text.contains("resourceSpans"), "{body}: {text}");
        }

        let (status, text) = refused(app, b"\x0a\xff\xff\xff\xff not protobuf".to_vec(), &[PROTOBUF]).await;
        assert_eq!(status, 400);
        assert!(text.contains("protobuf"), "{text}");

        let (status, text) = refused(app, b"{}".to_vec(), &[PROTOBUF]).await;
        assert_eq!(status, 400);
        assert!(text.contains("application/json"), "{text}");

        let random: Vec<u8> = (0..10_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
        let (status, _) = refused(app, random, &[PROTOBUF]).await;
        assert_eq!(status, 400);

        let (status, text) = refused(app, b"x".to_vec(), &[("content-type", "text/plain")]).await;
        assert_eq!(status, 415);
        assert!(text.contains("application/x-protobuf"), "{text}");
        let (status, _) = refused(app, b"x".to_vec(), &[]).await;
        assert_eq!(status, 415);
        let (status, text) = refused(app, b"x".to_vec(), &[PROTOBUF, ("content-encoding", "br")]).await;
        assert_eq!(status, 415);
        assert!(text.contains("gzip"), "{text}");
        let (status, text) = refused(app, b"not gzip".to_vec(), &[JSON, ("content-encoding", "gzip")]).await;
        assert_eq!(status, 400);
        assert!(text.contains("gzip"), "{text}");
    }

    async fn logs_sent_to_the_traces_path_are_told_so(app) {
        let logs = ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs: vec![ScopeLogs {
            log_records: vec![LogRecord { time_unix_nano: now_ns(), severity_text: "INFO".to_owned(), ..LogRecord::default() }], ..ScopeLogs::default() }], ..ResourceLogs::default() }] };
        let (status, text) = refused(app, logs.encode_to_vec(), &[PROTOBUF]).await;
        assert_eq!(status, 400);
        assert!(text.contains("/v1/logs"), "{text}");
        let (status, text) = refused(app, br#"{"resourceLogs":[{"scopeLogs":[]}]}"#.to_vec(), &[JSON]).await;
        assert_eq!(status, 400);
        assert!(text.contains("logs"), "{text}");
    }

    async fn too_much_is_refused_with_the_limit(app) {
        let (status, text) = refused(app, vec![0; 11 << 20], &[JSON]).await;
        assert_eq!(status, 413);
        assert!(text.contains("10485760") && text.contains("INGEST_MAX_BODY_BYTES"), "{text}");

        // A bomb: 200 MB of zeros in 200 kB.
        let mut encoder = async_compression::tokio::write::GzipEncoder::new(Vec::new());
        for _ in 0..200 {
            tokio::io::AsyncWriteExt::write_all(&mut encoder, &vec![0; 1 << 20]).await.unwrap();
        }
        tokio::io::AsyncWriteExt::shutdown(&mut encoder).await.unwrap();
        let (status, text) = refused(app, encoder.into_inner(), &[JSON, ("content-encoding", "gzip")]).await;
        assert_eq!(status, 413);
        assert!(text.contains("67108864") && text.contains("INGEST_MAX_DECODED_BYTES"), "{text}");
    }

    async fn keys_are_asked_for_and_checked(app) {
        let body = request(vec![span(&Spans::trace_id(), 0, now_ns())]).encode_to_vec();
        for (name, value) in [("x-unused", "-"), ("x-api-key", "bk_0000000000000000000000000000000000000000"), ("x-api-key", "nonsense"), ("authorization", "Bearer bk_0000000000000000000000000000000000000000")] {
            let answer = app.client.post(format!("{}/v1/traces", app.url)).header("content-type", "application/json").header(name, value).body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{name}: {value}");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["code"], 16, "gRPC's UNAUTHENTICATED, as OTLP answers errors: {answer}");
            assert_eq!(answer["error"]["code"], "UNAUTHORIZED_ERROR");
            let message = answer["message"].as_str().unwrap();
            assert!(message.contains("API key"), "{name}: {value}: {message}");
        }
    }

    async fn every_error_is_the_envelope(app) {
        for (method, path, status, code) in [
            ("GET", "/api/v1/nothing", 404, "NOT_FOUND_ERROR"),
            ("GET", "/v1/nothing", 404, "NOT_FOUND_ERROR"),
            ("GET", "/api/v1/users/me", 401, "UNAUTHORIZED_ERROR"),
            ("POST", "/api/v1/auth/login", 400, "BAD_REQUEST_ERROR"),
            ("DELETE", "/index.html", 405, "METHOD_NOT_ALLOWED_ERROR"),
        ] {
            let answer = app.client.request(method.parse().unwrap(), format!("{}{path}", app.url)).header("x-request-id", "mine-1").header("content-type", "application/json").body("{").send().await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path}");
            assert_eq!(answer.headers()["x-request-id"], "mine-1");
            let answer: Value = answer.json().await.unwrap();
            assert_eq!(answer["success"], false);
            assert_eq!(answer["error"]["code"], code, "{answer}");
            assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
            assert_eq!(answer["meta"]["request_id"], "mine-1");
            assert!(answer.as_object().unwrap().contains_key("data"));
        }
        let answer = app.client.get(format!("{}/api/v1/users/me", app.url)).header("accept", "application/problem+json").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!((answer["status"].as_u64(), answer["code"].as_str()), (Some(401), Some("UNAUTHORIZED_ERROR")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_memory_budget_wait_outside() {
    let settings =
        [("INGEST_MEMORY_BUDGET_BYTES", "6000000"), ("INGEST_MAX_DECODED_BYTES", "6000000"), ("INGEST_MAX_BODY_BYTES", "5000000")];
    let app = TestApp::start_with(Setup::Standalone, &settings).await;
    // What can never fit is told so.
    let mut large = span(&Spans::trace_id(), 0, now_ns());
    large.attributes.push(attribute("large", &"x".repeat(4_000_000)));
    let large = request(vec![large]).encode_to_vec();
    let (status, body) = app.send_bytes(large.clone(), &[PROTOBUF]).await;
    let text = String::from_utf8_lossy(&body);
    assert!(status == 413 && text.contains("INGEST_MEMORY_BUDGET_BYTES"), "{status}: {text}");

    // What is only announced takes nothing from others; what has arrived does.
    let address = app.url.strip_prefix("http://").unwrap();
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: {address}\r\nx-api-key: {API_KEY}\r\nContent-Type: application/json\r\nContent-Length: 4900000\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut half = span(&Spans::trace_id(), 0, now_ns());
    half.attributes.push(attribute("large", &"x".repeat(1_000_000)));
    assert_eq!(app.send(&request(vec![half])).await.0, 200, "nothing of the announced body has come");
    slow.write_all(&vec![b' '; 4_800_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut half = span(&Spans::trace_id(), 0, now_ns());
    half.attributes.push(attribute("large", &"x".repeat(1_000_000)));
    let half = request(vec![half]).encode_to_vec();
    let answer = app
        .client
        .post(format!("{}/v1/traces", app.url))
        .header("x-api-key", API_KEY)
        .header(PROTOBUF.0, PROTOBUF.1)
        .body(half.clone())
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    drop(slow);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(app.send_bytes(half, &[PROTOBUF]).await.0, 200, "the budget was given back");
    app.stop().await;
}
