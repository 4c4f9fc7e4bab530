//! Lists, details and who may read them.

use serde_json::Value;

use crate::harness::{Services, Setup, Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

on_both! {
    async fn a_list_pages_through_everything_once_newest_first(app) {
        let start = now_ns();
        let mut traces = Vec::new();
        for index in 0..25_u64 {
            let trace_id = Spans::trace_id();
            // Pairs share a start time: the id decides then.
            traces.push(span(&trace_id, 0, start - (index / 2) * 1_000_000));
        }
        let ids: Vec<String> = traces.iter().map(|span| hex::encode(&span.trace_id)).collect();
        assert_eq!(app.send(&request(traces)).await.0, 200);
        for id in &ids {
            app.wait_for_trace(&hex::decode(id).unwrap(), 1).await;
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app.get(&app.path(&format!("/api/v1/traces?limit=7{cursor}"))).await;
            let rows = page["data"].as_array().unwrap();
            assert!(rows.len() <= 7);
            seen.extend(rows.iter().map(|row| (row["start_time"].as_str().unwrap().to_owned(), row["trace_id"].as_str().unwrap().to_owned())));
            let pagination = &page["meta"]["pagination"];
            assert_eq!(pagination["limit"], 7);
            match pagination["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            assert_eq!(pagination["has_next"], true);
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first, each once: {seen:?}");
    }

    async fn filters_narrow_a_list(app) {
        let (failed, fine) = (Spans::trace_id(), Spans::trace_id());
        let mut bad = span(&failed, 0, now_ns());
        bad.name = "Checkout Failed".to_owned();
        bad.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 2, message: String::new() });
        bad.attributes = vec![attribute("session.id", "s-7"), attribute("user.id", "u-7"), attribute("deployment.environment.name", "prod")];
        assert_eq!(app.send(&request(vec![bad, span(&fine, 0, now_ns())])).await.0, 200);
        app.wait_for_trace(&failed, 1).await;
        app.wait_for_trace(&fine, 1).await;
        for query in ["status=error", "name=checkout", "session_id=s-7", "user_id=u-7"] {
            let list = app.get(&app.path(&format!("/api/v1/traces?{query}"))).await;
            let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|row| row["trace_id"].as_str().unwrap()).collect();
            assert_eq!(ids, [hex::encode(&failed)], "{query}");
        }
        let empty = app.get(&app.path("/api/v1/traces?start_time=2001-01-01T00:00:00Z&end_time=2001-01-02T00:00:00Z")).await;
        assert_eq!(empty["data"].as_array().unwrap().len(), 0);
        for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("status=broken", "status"), ("start_time=yesterday", "start_time"), ("cursor=%21", "cursor"), ("start_time=2&end_time=1", "start_time")] {
            let (status, body) = app.try_get(&app.path(&format!("/api/v1/traces?{query}"))).await;
            assert_eq!((status, &body["error"]["details"][0]["field"]), (400, &Value::from(field)), "{query}: {body}");
        }
    }

    async fn spans_come_tree_ready_and_without_contents_unless_asked(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        let mut spans: Vec<_> = (0..30).map(|n| span(&trace_id, n, start + n)).collect();
        spans[3].attributes = vec![attribute("input.value", "secret text"), attribute("output.value", "more text")];
        spans[7].parent_span_id = vec![9; 8];
        spans.reverse();
        assert_eq!(app.send(&request(spans)).await.0, 200);
        app.wait_for_trace(&trace_id, 30).await;
        let path = format!("/api/v1/traces/{}/spans", hex::encode(&trace_id));
        let all = app.get(&app.path(&path)).await;
        let rows = all["data"].as_array().unwrap();
        assert_eq!(rows.len(), 30);
        assert!(rows[0]["parent_span_id"].is_null() && rows[0]["is_root"] == true);
        assert_eq!(rows[7]["parent_span_id"], "09".repeat(8), "a span whose parent never came still names it");
        assert!(rows.iter().all(|row| row.get("input").is_none() && row.get("output").is_none()));
        assert_eq!((rows[3]["input_length"].as_u64(), rows[3]["input_preview"].as_str()), (Some(11), Some("secret text")));

        let with_io = app.get(&app.path(&format!("{path}?include=io&limit=100"))).await;
        assert_eq!(with_io["data"][3]["input"], "secret text");
        let first = app.get(&app.path(&format!("{path}?limit=20"))).await;
        let next = first["meta"]["pagination"]["next_cursor"].as_str().unwrap();
        let second = app.get(&app.path(&format!("{path}?limit=20&cursor={next}"))).await;
        assert_eq!(second["data"].as_array().unwrap().len(), 10);
        assert_eq!(second["data"][0]["span_id"], rows[20]["span_id"]);
    }

    async fn what_is_not_there_is_not_found(app) {
        for path in [format!("/api/v1/traces/{}", "ab".repeat(16)), format!("/api/v1/traces/{}/spans", "ab".repeat(16)), format!("/api/v1/spans/{}", "ab".repeat(8))] {
            let (status, body) = app.try_get(&app.path(&path)).await;
            assert_eq!((status, body["error"]["code"].as_str()), (404, Some("NOT_FOUND_ERROR")), "{path}");
        }
        let (status, body) = app.try_get("/api/v1/traces").await;
        assert_eq!((status, body["error"]["details"][0]["field"].as_str()), (400, Some("project_id")), "{body}");
    }
}

/// Two installations' tenants on one set of databases: a foreign project answers like one that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_another_tenants_traces() {
    let services = Services::fresh().await;
    let ours = TestApp::start_on(Setup::Split, Some(services.clone()), &[]).await;
    let other_key = "bk_9876543210zyxwvutsrqZYXWVUTSRQ9876543210";
    let settings = [
        ("BROKLE_INIT_ORG", "Other"),
        ("BROKLE_INIT_PROJECT", "Theirs"),
        ("BROKLE_INIT_USER_EMAIL", "them@example.com"),
        ("BROKLE_INIT_USER_PASSWORD", "another password"),
        ("BROKLE_INIT_API_KEY", other_key),
    ];
    let theirs = TestApp::start_on_as(Setup::Split, Some(services), &settings, ("them@example.com", "another password")).await;
    assert_ne!(ours.project_id, theirs.project_id);

    let trace_id = Spans::trace_id();
    let mut canary = span(&trace_id, 0, now_ns());
    canary.name = "canary-of-ours".to_owned();
    assert_eq!(ours.send(&request(vec![canary])).await.0, 200);
    ours.wait_for_trace(&trace_id, 1).await;

    let (id, span_id) = (hex::encode(&trace_id), hex::encode(Spans::span_id(0)));
    for path in [
        "/api/v1/traces".to_owned(),
        format!("/api/v1/traces/{id}"),
        format!("/api/v1/traces/{id}/spans"),
        format!("/api/v1/spans/{span_id}"),
    ] {
        let (status, body) = theirs.try_get(&ours.path(&path)).await;
        assert_eq!(status, 404, "their user with our project: {path} {body}");
        let (_, body) = theirs.try_get(&theirs.path(&path)).await;
        assert!(!body.to_string().contains("canary"), "their user with their project: {path} {body}");
        let answer = ours.client.get(format!("{}{}", ours.url, ours.path(&path))).send().await.unwrap();
        assert_eq!(answer.status(), 401, "nobody: {path}");
        let answer = ours.client.get(format!("{}{}", ours.url, ours.path(&path))).bearer_auth(other_key).send().await.unwrap();
        assert_eq!(answer.status(), 401, "an API key is no access token: {path}");
    }
    theirs.stop().await;
    ours.stop().await;
}
