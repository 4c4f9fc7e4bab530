//! What /metrics counts of the telemetry that comes in, and of the requests that bring it.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::harness::{API_KEY, Spans, TestApp, generation, now_ns, request, span};
use crate::on_both;

/// The value of a metric, `name` or `name{label="value"}`; zero while nothing was counted.
async fn value(app: &TestApp, url: &str, metric: &str) -> u64 {
    let text = app.client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}

async fn wait_for(app: &TestApp, url: &str, metric: &str, expected: u64) {
    let started = Instant::now();
    loop {
        let found = value(app, url, metric).await;
        if found == expected {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{metric} is {found}, not {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both! {
    async fn what_comes_in_is_counted(app) {
        let (trace_id, now) = (Spans::trace_id(), now_ns());
        let mut wrong = span(&trace_id, 2, now);
        wrong.span_id = vec![0; 8];
        let sent = request(vec![generation(&trace_id, 0, now), generation(&trace_id, 1, now), wrong]);
        assert_eq!(app.send(&sent).await.0, 200);
        app.wait_for_trace(&trace_id, 2).await;
        let rejected = {
            let text = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
            let lines = text.lines().filter(|line| line.starts_with("brokle_spans_rejected_total{"));
            lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
        };
        assert_eq!(rejected, 1);
        assert_eq!(value(app, &app.url, "brokle_spans_accepted_total").await, 2);
        // Whoever writes them counts these.
        let writer = app.worker_url.as_ref().unwrap_or(&app.url);
        wait_for(app, writer, "brokle_spans_stored_total", 2).await;
        wait_for(app, writer, "brokle_tokens_total{kind=\"input\"}", 2 * 11).await;
        wait_for(app, writer, "brokle_tokens_total{kind=\"output\"}", 2 * 7).await;
        wait_for(app, writer, "brokle_cost_microdollars_total", 195).await;

        // A copy adds to nothing but the copies.
        assert_eq!(app.send(&sent).await.0, 200);
        assert_eq!(value(app, &app.url, "brokle_spans_accepted_total").await, 2);
        assert!(value(app, &app.url, "brokle_spans_deduplicated_total").await >= 2);
        assert_eq!(value(app, writer, "brokle_spans_stored_total").await, 2);
        // The key of the first request was asked of the database, that of the second was in memory.
        assert!(value(app, &app.url, "brokle_api_key_lookups_total{outcome=\"miss\"}").await >= 1);
        assert_eq!(app.send(&sent).await.0, 200);
        assert!(value(app, &app.url, "brokle_api_key_lookups_total{outcome=\"hit\"}").await >= 1);
    }

    async fn a_client_that_is_gone_is_in_flight_no_more(app) {
        let port = app.url.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        let mut clients = Vec::new();
        for _ in 0..5 {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let head = format!("POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-api-key: {API_KEY}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000\r\n\r\nhalf");
            stream.write_all(head.as_bytes()).await.unwrap();
            clients.push(stream);
        }
        // The one that asks is itself one of them.
        wait_for(app, &app.url, "brokle_http_requests_in_flight", 6).await;
        for stream in clients {
            // As a process that is killed leaves it: reset, not closed.
            stream.set_zero_linger().unwrap();
        }
        wait_for(app, &app.url, "brokle_http_requests_in_flight", 1).await;
    }
}
