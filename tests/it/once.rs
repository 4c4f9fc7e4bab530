//! Redelivery, client retries and late spans never double a count, a token or a cent.

use brokle::observability::rows::ObservationRow;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::harness::{Services, Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

const HOUR_NS: u64 = 3_600_000_000_000;
const DAY_NS: u64 = 24 * HOUR_NS;

fn priced(mut span: Span) -> Span {
    let number = |key: &str, value| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Any::IntValue(value)) }),
        ..KeyValue::default()
    };
    span.attributes = vec![
        attribute("gen_ai.operation.name", "chat"),
        attribute("gen_ai.provider.name", "openai"),
        attribute("gen_ai.request.model", "gpt-4o"),
        number("gen_ai.usage.input_tokens", 1_000),
        number("gen_ai.usage.output_tokens", 100),
    ];
    span
}

async fn listed(app: &TestApp, trace_id: &[u8]) -> Vec<serde_json::Value> {
    let from = "2000-01-01T00:00:00Z";
    let list = app.get(&app.path(&format!("/api/v1/traces?start_time={from}&limit=100"))).await;
    let id = hex::encode(trace_id);
    list["data"].as_array().unwrap().iter().filter(|trace| trace["trace_id"] == id.as_str()).cloned().collect()
}

/// Each round: a root of an earlier hour and children of later hours, at the same time, over many connections.
async fn race(app: &TestApp, rounds: usize) {
    let mut traces = Vec::new();
    for _ in 0..rounds {
        let trace_id = Spans::trace_id();
        let now = now_ns();
        let requests: Vec<_> = (0..8).map(|n| request(vec![priced(span(&trace_id, n, now - (8 - n) * HOUR_NS))])).collect();
        let sent = futures_util::future::join_all(requests.iter().map(|message| app.send(message))).await;
        assert!(sent.iter().all(|(status, _)| *status == 200));
        traces.push(trace_id);
    }
    for trace_id in traces {
        let trace = app.wait_for_trace(&trace_id, 8).await;
        assert_eq!(trace["total_tokens"], 8_800);
        assert_eq!(listed(app, &trace_id).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_race_on_one_trace_leave_one_row_with_everything() {
    // Every entry is a block of its own, and spans of one trace are on several streams.
    let settings = [("QUEUE_SHARDS", "4"), ("INGEST_GATHER_ROWS", "1")];
    let app = TestApp::start_roles(&["server", "worker", "worker"], Some(Services::fresh().await), &settings).await;
    race(&app, 10).await;
    app.stop().await;
}

on_both! {
    async fn a_request_sent_again_counts_once(app) {
        let trace_id = Spans::trace_id();
        let message = request(vec![priced(span(&trace_id, 0, now_ns()))]);
        for _ in 0..3 {
            assert_eq!(app.send(&message).await.0, 200);
        }
        let both = tokio::join!(app.send(&message), app.send(&message));
        assert_eq!((both.0.0, both.1.0), (200, 200));
        let trace = app.wait_for_trace(&trace_id, 1).await;
        assert_eq!((trace["total_tokens"].as_u64(), trace["total_cost"].as_str()), (Some(1_100), Some("0.0035")));
        let metrics = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("brokle_spans_deduplicated_total 4"), "{metrics}");
    }

    async fn the_same_span_in_other_requests_counts_once(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        for n in 1..6 {
            // Another batch each time, so the repeat check does not see it.
            let spans = (0..n).map(|index| priced(span(&trace_id, index, start))).collect();
            assert_eq!(app.send(&request(spans)).await.0, 200);
        }
        let trace = app.wait_for_trace(&trace_id, 5).await;
        assert_eq!(trace["total_tokens"], 5_500);
        assert_eq!(trace["total_cost"], "0.0175");
        assert_eq!(listed(app, &trace_id).await.len(), 1);
    }

    async fn a_root_of_an_earlier_hour_that_comes_last_moves_the_trace(app) {
        let trace_id = Spans::trace_id();
        let now = now_ns();
        for n in 1..4 {
            assert_eq!(app.send(&request(vec![priced(span(&trace_id, n, now - n * HOUR_NS))])).await.0, 200);
        }
        app.wait_for_trace(&trace_id, 3).await;
        assert_eq!(app.send(&request(vec![priced(span(&trace_id, 0, now - 5 * HOUR_NS))])).await.0, 200);
        let trace = app.wait_for_trace(&trace_id, 4).await;
        assert_eq!((trace["has_root"].as_bool(), trace["total_tokens"].as_u64()), (Some(true), Some(4_400)));
        let rows = listed(app, &trace_id).await;
        assert_eq!(rows.len(), 1, "one row, however often the start moved: {rows:?}");
    }

    async fn a_trace_is_whole_whoever_writes_its_row_last(app) {
        // Two writers, each with a span of another hour, and every order of their steps that a race can bring.
        let store = app.store();
        for steps in ["iIrR", "iIRr", "irIR", "IRir", "Iirr", "IirR"] {
            let trace_id = Spans::trace_id();
            let row = |n: u64| ObservationRow {
                project_id: app.project_id.clone(),
                trace_id: hex::encode(&trace_id),
                span_id: hex::encode(Spans::span_id(n)),
                is_root: u8::from(n == 0),
                name: format!("span {n}"),
                start_time: i64::try_from(now_ns() - (2 - n) * HOUR_NS).unwrap(),
                end_time: i64::try_from(now_ns()).unwrap(),
                total_tokens: 10,
                retention_days: 365,
                ..ObservationRow::default()
            };
            let rows = [row(1), row(0)];
            for (at, step) in steps.chars().enumerate() {
                let which = &rows[usize::from(step.is_uppercase())..][..1];
                if step.eq_ignore_ascii_case(&'i') {
                    store.insert_observations(which.iter(), &format!("{}-{at}", hex::encode(&trace_id))).await.unwrap();
                } else {
                    store.recompute(which.iter()).await.unwrap();
                }
            }
            let found = listed(app, &trace_id).await;
            assert_eq!(found.len(), 1, "{steps}: {found:?}");
            assert_eq!((found[0]["span_count"].as_u64(), found[0]["name"].as_str(), found[0]["total_tokens"].as_u64()), (Some(2), Some("span 0"), Some(20)), "{steps}");
        }
    }

    async fn traces_that_came_whole_are_counted_like_those_that_did_not(app) {
        // More spans than are read back without asking first. Of some an earlier block holds a span that this one does not know of,
        // of some a newer version of one that it has, and of some it has a span twice.
        const TRACES: usize = 60;
        let store = app.store();
        let ids: Vec<String> = (0..TRACES).map(|_| hex::encode(Spans::trace_id())).collect();
        let row = |trace: usize, n: u64, tokens: u64, version: u64| ObservationRow {
            project_id: app.project_id.clone(),
            trace_id: ids[trace].clone(),
            span_id: hex::encode(Spans::span_id(n)),
            is_root: u8::from(n == 0),
            name: format!("span {n}"),
            start_time: i64::try_from(now_ns() / HOUR_NS * HOUR_NS + n).unwrap(),
            end_time: i64::try_from(now_ns()).unwrap(),
            total_tokens: tokens,
            retention_days: 365,
            row_version: version,
            ..ObservationRow::default()
        };
        let earlier: Vec<_> = (0..5).map(|trace| row(trace, 2, 100, 1)).chain((5..10).map(|trace| row(trace, 1, 1_000, 9))).collect();
        store.insert_observations(earlier.iter(), &format!("{}-earlier", ids[0])).await.unwrap();
        let block: Vec<_> = (0..TRACES)
            .flat_map(|trace| [row(trace, 0, 1, 1), row(trace, 1, 10, 1)])
            .chain((10..15).map(|trace| row(trace, 1, 20, 2)))
            .collect();
        store.insert_observations(block.iter(), &format!("{}-block", ids[0])).await.unwrap();
        // Once while the store still holds every row, and once when the newer ones have taken the places of the older.
        for merged in [false, true] {
            if merged {
                app.optimize("observations").await;
            }
            store.recompute(block.iter()).await.unwrap();
            for (at, id) in ids.iter().enumerate() {
                let trace = store.find_trace(&app.project_id, id).await.unwrap().unwrap();
                let expected = match at {
                    0..5 => (3, 111),
                    5..10 => (2, 1_001),
                    10..15 => (2, 21),
                    _ => (2, 11),
                };
                assert_eq!((trace.span_count, trace.total_tokens), expected, "trace {at}, merged: {merged}");
                assert_eq!((trace.name.as_str(), trace.has_root), ("span 0", 1), "trace {at}");
            }
        }
    }

    async fn ids_of_36_characters_fit_the_store(app) {
        let (store, id) = (app.store(), "0192f0c1-2345-7abc-8def-0123456789ab".to_owned());
        let row = ObservationRow {
            project_id: app.project_id.clone(),
            trace_id: id.clone(),
            span_id: id.clone(),
            parent_span_id: id.clone(),
            links_trace_id: vec![id.clone()],
            links_span_id: vec![id.clone()],
            links_trace_state: vec![String::new()],
            links_flags: vec![0],
            links_attributes: vec![Vec::new()],
            links_attribute_types: vec![Vec::new()],
            links_dropped_attributes_count: vec![0],
            start_time: i64::try_from(now_ns()).unwrap(),
            retention_days: 365,
            ..ObservationRow::default()
        };
        store.insert_observations(std::iter::once(&row), "one").await.unwrap();
        store.recompute(std::iter::once(&row)).await.unwrap();
        let found = store.find_span(&app.project_id, Some(&id), &id).await.unwrap().unwrap();
        assert_eq!((found.parent_span_id, found.links_trace_id, found.links_span_id), (id.clone(), vec![id.clone()], vec![id.clone()]));
        assert_eq!(store.find_trace(&app.project_id, &id).await.unwrap().unwrap().span_count, 1);
    }

    async fn writers_that_race_on_one_trace_leave_one_row_with_everything(app) {
        race(app, 10).await;
    }

    async fn a_span_of_400_days_ago_is_kept(app) {
        let trace_id = Spans::trace_id();
        assert_eq!(app.send(&request(vec![priced(span(&trace_id, 0, now_ns() - 400 * DAY_NS))])).await.0, 200);
        app.wait_for_trace(&trace_id, 1).await;
        // The store drops expired rows when it merges: make it merge now.
        app.optimize("observations").await;
        app.optimize("traces").await;
        app.wait_for_trace(&trace_id, 1).await;
        assert_eq!(listed(app, &trace_id).await.len(), 1);
    }

    async fn one_request_may_span_101_months(app) {
        let trace_id = Spans::trace_id();
        let now = now_ns();
        let spans = (0..101).map(|n| span(&trace_id, n, now - n * 31 * DAY_NS)).collect();
        let (status, body) = app.send(&request(spans)).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let trace = app.wait_for_trace(&trace_id, 101).await;
        assert_eq!(trace["span_count"], 101);
        assert_eq!(listed(app, &trace_id).await.len(), 1);
    }

    async fn a_late_running_report_does_not_beat_the_ended_span(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        let ended = priced(span(&trace_id, 0, start));
        let mut running = span(&trace_id, 0, start);
        running.end_time_unix_nano = 0;

        assert_eq!(app.send(&request(vec![running.clone()])).await.0, 200);
        let trace = app.wait_for_trace(&trace_id, 1).await;
        assert!(trace["end_time"].is_null() && trace["duration"].is_null());

        assert_eq!(app.send(&request(vec![ended])).await.0, 200);
        running.name = "root (late report)".to_owned();
        assert_eq!(app.send(&request(vec![running])).await.0, 200);
        for _ in 0..100 {
            let trace = app.wait_for_trace(&trace_id, 1).await;
            if trace["total_tokens"] == 1_100 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let trace = app.wait_for_trace(&trace_id, 1).await;
        assert_eq!((trace["name"].as_str(), trace["duration"].as_u64(), trace["total_tokens"].as_u64()), (Some("root"), Some(5_000_000), Some(1_100)));
    }

    async fn an_unknown_price_is_null_and_not_zero(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        let mut unknown = priced(span(&trace_id, 0, start));
        unknown.attributes[2] = attribute("gen_ai.request.model", "model-nobody-knows");
        assert_eq!(app.send(&request(vec![unknown])).await.0, 200);
        let trace = app.wait_for_trace(&trace_id, 1).await;
        assert!(trace["total_cost"].is_null(), "{trace}");
        assert_eq!(trace["unpriced_span_count"], 1);
        assert_eq!(trace["total_tokens"], 1_100);

        assert_eq!(app.send(&request(vec![priced(span(&trace_id, 1, start))])).await.0, 200);
        let trace = app.wait_for_trace(&trace_id, 2).await;
        assert_eq!((trace["total_cost"].as_str(), trace["unpriced_span_count"].as_u64()), (Some("0.0035"), Some(1)), "known prices are summed, unknown ones counted");
    }
}
