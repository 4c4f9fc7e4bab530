//! What a process tells of itself: logs, and its own spans.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Api, Chance, Installation, Load, Process, Proxy};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The lines of a log in JSON.
fn lines(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_carry_the_ids_of_their_request() {
    let installation = Installation::standalone().initialised().with("LOG_LEVEL", "info,brokle=debug");
    let running = installation.start("standalone").await;
    let api = Api::sign_in(&running.url).await;
    let get = |path: &str, id: &str| {
        let get = api.client.get(format!("{}{path}", running.url)).bearer_auth(&api.token).header("x-request-id", id.to_owned());
        get.header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
    };
    for (path, id) in [("/api/v1/users/me", "request-of-mine"), ("/v1/traces", "ingest-of-mine")] {
        let answer = get(path, id).send().await.unwrap();
        assert_eq!(answer.headers()["x-request-id"], id);
    }
    let anonymous = api.client.get(format!("{}/api/v1/users/me", running.url)).bearer_auth(&api.token).send().await.unwrap();
    let given = anonymous.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(given.len(), 26, "a ULID: {given}");
    assert_eq!(anonymous.json::<Value>().await.unwrap()["meta"]["request_id"], given);

    let log = running.stop().await;
    for id in ["request-of-mine", "ingest-of-mine"] {
        let own: Vec<Value> = lines(&log).into_iter().filter(|line| line.to_string().contains(id)).collect();
        assert!(!own.is_empty(), "no line of {id}: {log}");
        assert!(own.iter().all(|line| line.to_string().contains(TRACE)), "{own:?}");
    }
    assert!(log.contains(&given), "{log}");
    for line in lines(&log) {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
    }
}

/// What goes wrong is in the log under the id that the caller was told.
#[tokio::test(flavor = "multi_thread")]
async fn the_cause_of_an_error_is_logged_under_its_request_id() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    let server = installation.start_with("server", &[("CLICKHOUSE_URL", &proxy.url())]).await;
    let api = Api::sign_in(&server.url).await;
    proxy.cut().await;
    let (status, body) = api.try_get(&format!("/api/v1/traces?project_id={}", api.project_id)).await;
    assert_eq!(status, 503, "{body}");
    let id = body["meta"]["request_id"].as_str().unwrap();
    let log = server.stop().await;
    let cause = lines(&log).into_iter().find(|line| line["request_id"] == id && line["cause"].is_string());
    assert!(cause.is_some(), "no cause under {id}: {log}");
    assert!(!body.to_string().contains(cause.unwrap()["cause"].as_str().unwrap()), "the caller is not told of our insides: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_for_people_is_no_json() {
    let installation = Installation::standalone().with("LOG_FORMAT", "human");
    let log = installation.start("standalone").await.stop().await;
    assert!(log.contains("ready"), "{log}");
    assert!(log.lines().all(|line| !line.starts_with('{')), "{log}");
}

/// A collector that takes everything.
async fn collector() -> MockServer {
    let collector = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/traces")).respond_with(ResponseTemplate::new(200)).mount(&collector).await;
    collector
}

fn text_of(span: &Span, key: &str) -> String {
    let value =
        span.attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    match value {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn own_spans_go_to_the_configured_collector_but_none_of_ingestion() {
    let collector = collector().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.uri()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=abc"),
        ("OTEL_SERVICE_NAME", "brokle-test"),
    ];
    let installation = Installation::standalone().initialised();
    let running = installation.start_with("standalone", &settings).await;
    let api = Api::sign_in(&running.url).await;
    let get = api.client.get(format!("{}/api/v1/traces/0123?project_id={}", running.url, api.project_id)).bearer_auth(&api.token);
    get.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).send().await.unwrap();
    let mut chance = Chance::new();
    let load = Load::start(&running.url, 2, &mut chance);
    load.wait_for(30).await;
    load.stop().await;
    running.stop().await;

    let requests = collector.received_requests().await.unwrap();
    assert!(!requests.is_empty(), "nothing was sent");
    let mut spans = Vec::new();
    for request in &requests {
        assert_eq!(request.headers["x-token"], "abc");
        for resource in ExportTraceServiceRequest::decode(&*request.body).unwrap().resource_spans {
            let attributes = resource.resource.unwrap().attributes;
            assert!(
                attributes.iter().any(|attribute| attribute.key == "service.name" && format!("{attribute:?}").contains("brokle-test")),
                "{attributes:?}"
            );
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    for name in ["POST /api/v1/auth/login", "GET /api/v1/users/me", "GET /api/v1/traces/{trace_id}"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let child = spans.iter().find(|span| span.name == "GET /api/v1/traces/{trace_id}").unwrap();
    assert_eq!(
        (hex::encode(&child.trace_id), hex::encode(&child.parent_span_id)),
        (TRACE.to_owned(), PARENT.to_owned()),
        "joins the caller's trace"
    );
    assert_eq!(text_of(child, "http.response.status_code"), "404");
    let ingest: Vec<&str> = names.into_iter().filter(|name| name.contains(" /v1/")).collect();
    assert!(ingest.is_empty(), "ingestion is never traced: {ingest:?}");
    assert!(spans.iter().all(|span| !text_of(span, "url.path").starts_with("/v1/")), "ingestion is never traced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_hinders_nothing() {
    let nobody = format!("http://127.0.0.1:{}", Process::free_port());
    let installation = Installation::standalone().initialised();
    let running = installation.start_with("standalone", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody)]).await;
    let api = Api::sign_in(&running.url).await;
    for _ in 0..20 {
        api.get("/api/v1/users/me").await;
    }
    let asked = std::time::Instant::now();
    running.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(8), "took {:?}", asked.elapsed());
}
