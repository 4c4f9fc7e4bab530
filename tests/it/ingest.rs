//! What comes in by `/v1/traces` is stored whole, before the 200, on both set-ups.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use serde_json::{Value, json};

use crate::harness::{API_KEY, Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

fn typed(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

async fn compressed(kind: &str, data: &[u8]) -> Vec<u8> {
    use async_compression::tokio::write::{GzipEncoder, ZlibEncoder, ZstdEncoder};
    use tokio::io::AsyncWriteExt;
    macro_rules! pack {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(data).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match kind {
        "gzip" => pack!(GzipEncoder),
        "deflate" => pack!(ZlibEncoder),
        "zstd" => pack!(ZstdEncoder),
        _ => data.to_vec(),
    }
}

async fn span_detail(app: &TestApp, trace_id: &[u8], n: u64) -> Value {
    let path = format!("/api/v1/spans/{}?trace_id={}", hex::encode(Spans::span_id(n)), hex::encode(trace_id));
    app.get(&app.path(&path)).await["data"].clone()
}

on_both! {
    async fn every_field_of_a_span_reads_back(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        let mut root = span(&trace_id, 0, start);
        root.trace_state = "vendor=1".to_owned();
        root.kind = 3;
        root.end_time_unix_nano = start + 1_234_567_891;
        root.status = Some(Status { code: 2, message: "it broke".to_owned() });
        root.attributes = vec![
            attribute("gen_ai.operation.name", "chat"),
            attribute("gen_ai.provider.name", "openai"),
            attribute("gen_ai.request.model", "gpt-4o"),
            typed("gen_ai.usage.input_tokens", Any::IntValue(1_000)),
            typed("gen_ai.usage.output_tokens", Any::IntValue(100)),
            attribute("input.value", "what is up?"),
            attribute("output.value", "not much"),
            attribute("session.id", "s-1"),
            attribute("user.id", "u-1"),
            typed("flag", Any::BoolValue(true)),
            typed("ratio", Any::DoubleValue(0.25)),
            typed("list", Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(1)) }, AnyValue { value: Some(Any::StringValue("b".to_owned())) }] })),
        ];
        root.events = vec![Event { time_unix_nano: start + 5, name: "exception".to_owned(), attributes: vec![attribute("exception.type", "Oops")], dropped_attributes_count: 2 }];
        root.links = vec![Link { trace_id: vec![7; 16], span_id: vec![8; 8], trace_state: "l=1".to_owned(), attributes: vec![attribute("why", "retry")], ..Link::default() }];
        root.dropped_attributes_count = 3;
        let child = span(&trace_id, 1, start + 10);
        let (status, body) = app.send(&request(vec![child, root])).await;
        assert_eq!(status, 200);
        assert_eq!(ExportTraceServiceResponse::decode(body.as_slice()).unwrap(), ExportTraceServiceResponse::default());

        let trace = app.wait_for_trace(&trace_id, 2).await;
        assert_eq!(trace["name"], "root");
        assert_eq!(trace["status"], "error");
        assert_eq!(trace["duration"], 1_234_567_891_u64);
        assert_eq!((&trace["error_span_count"], &trace["session_id"], &trace["user_id"]), (&json!(1), &json!("s-1"), &json!("u-1")));
        assert_eq!((&trace["input_tokens"], &trace["output_tokens"], &trace["total_cost"]), (&json!(1_000), &json!(100), &json!("0.0035")));

        let detail = span_detail(app, &trace_id, 0).await;
        assert_eq!((&detail["input"], &detail["output"]), (&json!("what is up?"), &json!("not much")));
        assert_eq!((&detail["type"], &detail["kind"], &detail["level"]), (&json!("generation"), &json!("client"), &json!("ERROR")));
        assert_eq!((&detail["status_message"], &detail["trace_state"]), (&json!("it broke"), &json!("vendor=1")));
        assert_eq!(detail["attributes"]["flag"], true);
        assert_eq!(detail["attributes"]["ratio"], 0.25);
        assert_eq!(detail["attributes"]["list"], json!([1, "b"]));
        assert_eq!(detail["attributes"]["gen_ai.usage.input_tokens"], 1_000);
        assert_eq!(detail["resource_attributes"]["service.name"], "test");
        assert_eq!(detail["scope"]["name"], "tests");
        assert_eq!(detail["events"][0]["name"], "exception");
        assert_eq!(detail["events"][0]["attributes"]["exception.type"], "Oops");
        assert_eq!(detail["events"][0]["dropped_attributes_count"], 2);
        assert_eq!(detail["links"][0]["trace_id"], "07".repeat(16));
        assert_eq!(detail["links"][0]["attributes"]["why"], "retry");
        assert_eq!(detail["dropped"]["attributes"], 3);

        let child = span_detail(app, &trace_id, 1).await;
        assert_eq!(child["parent_span_id"], hex::encode(Spans::span_id(0)));
    }

    async fn every_encoding_and_compression_is_understood(app) {
        for (path, content_type) in [("/v1/traces", "application/x-protobuf"), ("/v1/otlp/traces", "application/json")] {
            for kind in ["identity", "gzip", "deflate", "zstd"] {
                let trace_id = Spans::trace_id();
                let message = request(vec![span(&trace_id, 0, now_ns())]);
                let body = if content_type == "application/json" { brokle::observability::otlp::encode_traces(&message) } else { message.encode_to_vec() };
                let answer = app.client.post(format!("{}{path}", app.url))
                    .bearer_auth(API_KEY)
                    .header("content-type", content_type)
                    .header("content-encoding", kind)
                    .body(compressed(kind, &body).await)
                    .send().await.unwrap();
                assert_eq!(answer.status(), 200, "{path} {kind}");
                assert_eq!(answer.headers()["content-type"], content_type, "the answer has the encoding of the request");
                app.wait_for_trace(&trace_id, 1).await;
            }
        }
    }

    async fn protobuf_under_a_json_content_type_is_sniffed(app) {
        let trace_id = Spans::trace_id();
        let (status, _) = app.send_bytes(request(vec![span(&trace_id, 0, now_ns())]).encode_to_vec(), &[("content-type", "application/json")]).await;
        assert_eq!(status, 200);
        app.wait_for_trace(&trace_id, 1).await;
    }

    async fn protobuf_under_a_json_content_type_is_read_whatever_its_length(app) {
        // A first message of 123 bytes begins like JSON: a line feed, then a brace.
        let trace_id = Spans::trace_id();
        let named = |length| Span { name: "n".repeat(length), ..span(&trace_id, 0, now_ns()) };
        let body = (1..100).map(|length| request(vec![named(length)]).encode_to_vec()).find(|body| body.starts_with(b"\n{")).unwrap();
        let (status, answer) = app.send_bytes(body, &[("content-type", "application/json")]).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        app.wait_for_trace(&trace_id, 1).await;
    }

    async fn spans_whose_texts_are_no_unicode_are_repaired_and_stored(app) {
        let trace_id = Spans::trace_id();
        let mut broken = span(&trace_id, 0, now_ns());
        broken.name = "MARK".to_owned();
        let mut body = request(vec![broken]).encode_to_vec();
        let at = body.windows(4).position(|window| window == b"MARK").unwrap();
        body[at] = 0xff;
        let (status, answer) = app.send_bytes(body, &[("content-type", "application/x-protobuf")]).await;
        assert_eq!((status, answer.len()), (200, 0), "all of it is acknowledged");
        assert_eq!(app.wait_for_trace(&trace_id, 1).await["name"], "\u{FFFD}ARK");
        assert_eq!(span_detail(app, &trace_id, 0).await["flags"], json!(["invalid_utf8"]));
    }

    async fn a_span_that_ends_far_ahead_is_stored_and_flagged(app) {
        let trace_id = Spans::trace_id();
        let mut late = span(&trace_id, 0, now_ns());
        late.end_time_unix_nano += 48 * 3_600 * 1_000_000_000;
        let (status, answer) = app.send(&request(vec![late])).await;
        assert_eq!((status, answer.len()), (200, 0), "nothing of it is refused");
        app.wait_for_trace(&trace_id, 1).await;
        assert_eq!(span_detail(app, &trace_id, 0).await["flags"], json!(["end_in_future"]));
    }

    async fn the_official_json_example_is_stored(app) {
        // opentelemetry-proto/examples/trace.json with its times moved to now.
        let now = now_ns();
        let body = json!({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
            "scopeSpans": [{"scope": {"name": "my.library", "version": "1.0.0", "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
            "spans": [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
                "startTimeUnixNano": now.to_string(), "endTimeUnixNano": (now + 1_000_000_000).to_string(), "kind": 2,
                "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]});
        let (status, answer) = app.send_bytes(body.to_string().into_bytes(), &[("content-type", "application/json")]).await;
        assert_eq!((status, answer.as_slice()), (200, &b"{}"[..]));
        let trace = app.wait_for_trace(&hex::decode("5b8efff798038103d269b633813fc60c").unwrap(), 1).await;
        assert_eq!((&trace["has_root"], &trace["name"]), (&json!(false), &json!("I'm a server span")));
        let span = app.get(&app.path("/api/v1/spans/eee19b7ec3c1b174")).await["data"].clone();
        assert_eq!(span["parent_span_id"], "eee19b7ec3c1b173");
        assert_eq!(span["kind"], "server");
        assert_eq!(span["attributes"]["my.span.attr"], "some value");
        assert_eq!(span["scope"]["attributes"]["my.scope.attribute"], "some scope attribute");
    }

    async fn the_environment_header_names_the_environment_of_spans_without_one(app) {
        let trace_id = Spans::trace_id();
        let mut named = span(&trace_id, 1, now_ns());
        named.attributes.push(attribute("brokle.environment", "canary"));
        let body = request(vec![span(&trace_id, 0, now_ns()), named]).encode_to_vec();
        app.send_bytes(body, &[("content-type", "application/x-protobuf"), ("x-brokle-environment", "staging")]).await;
        app.wait_for_trace(&trace_id, 2).await;
        assert_eq!(span_detail(app, &trace_id, 0).await["environment"], "staging");
        assert_eq!(span_detail(app, &trace_id, 1).await["environment"], "canary");
    }

    async fn valid_spans_of_a_mixed_batch_are_stored_and_the_others_named(app) {
        let trace_id = Spans::trace_id();
        let now = now_ns();
        let mut zero_id = span(&trace_id, 1, now);
        zero_id.span_id = vec![0; 8];
        let mut short_id = span(&trace_id, 2, now);
        short_id.trace_id = vec![1; 15];
        let mut foreign_id = span(&trace_id, 3, now);
        foreign_id.trace_id = b"0192f0c1-2345-7abc-8def-0123456789ab".to_vec();
        let mut old = span(&trace_id, 4, 915_148_800_000_000_000);
        old.end_time_unix_nano = 915_148_800_000_000_001;
        let mut year_2200 = span(&trace_id, 5, 7_258_118_400_000_000_000);
        year_2200.end_time_unix_nano = 7_258_118_400_000_000_001;
        let good = span(&trace_id, 0, now);
        let (status, body) = app.send(&request(vec![zero_id, short_id, good, foreign_id, old, year_2200])).await;
        assert_eq!(status, 200);
        let partial = ExportTraceServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
        assert_eq!(partial.rejected_spans, 5, "{}", partial.error_message);
        for word in ["trace id", "span id", "2000", "24 h"] {
            assert!(partial.error_message.contains(word), "`{word}` in: {}", partial.error_message);
        }
        app.wait_for_trace(&trace_id, 1).await;
    }

    async fn metrics_and_logs_are_counted_and_said_not_to_be_stored(app) {
        let metrics = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [{"asInt": "1"}, {"asInt": "2"}]}}]}]}]});
        let logs = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]});
        for (path, body, field) in [("metrics", metrics, "rejectedDataPoints"), ("logs", logs, "rejectedLogRecords")] {
            let answer = app.client.post(format!("{}/v1/{path}", app.url)).header("x-api-key", API_KEY).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let answer: Value = answer.json().await.unwrap();
            assert!(answer["partialSuccess"]["errorMessage"].as_str().unwrap().contains("not stored yet"), "{answer}");
            assert_eq!(answer["partialSuccess"][field], if path == "metrics" { "2" } else { "1" });
        }
        let text = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("brokle_signals_not_stored_total{signal=\"metrics\"} 2"), "{text}");
    }

    async fn a_large_attribute_and_a_large_request_are_stored_whole(app) {
        let trace_id = Spans::trace_id();
        let mut big = span(&trace_id, 0, now_ns());
        let text = "0123456789abcdef".repeat(9_500_000 / 16);
        big.attributes.push(attribute("big", &text));
        let (status, body) = app.send(&request(vec![big])).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        app.wait_for_trace(&trace_id, 1).await;
        assert_eq!(span_detail(app, &trace_id, 0).await["attributes"]["big"].as_str().unwrap().len(), text.len());

        let trace_id = Spans::trace_id();
        let start = now_ns();
        let spans = (0..100_000).map(|n| span(&trace_id, n, start + n)).collect();
        let body = compressed("gzip", &request(spans).encode_to_vec()).await;
        let (status, body) = app.send_bytes(body, &[("content-type", "application/x-protobuf"), ("content-encoding", "gzip")]).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        app.wait_for_trace(&trace_id, 100_000).await;
    }
}
