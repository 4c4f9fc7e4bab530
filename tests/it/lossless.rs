//! OTLP in, the same OTLP out: through the intake, the queue, the store and the API.

use std::collections::BTreeMap;

use brokle::observability::otlp::json::SpanWriter;
use brokle::observability::otlp::{decode_traces, encode_traces};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use crate::harness::{Spans, TestApp, attribute, now_ns, request, span};
use crate::on_both;

/// Each span of a request alone, as JSON with its resource and scope and its attributes sorted, by trace and in order of ids.
fn spans_of(requests: &[ExportTraceServiceRequest]) -> BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, String>> {
    let mut all: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, String>> = BTreeMap::new();
    for resource in requests.iter().flat_map(|request| &request.resource_spans) {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut span = span.clone();
                span.attributes.sort_by(|one, other| one.key.cmp(&other.key));
                let mut writer = SpanWriter::default();
                writer.push(resource, scope, &span);
                writer.finish();
                all.entry(span.trace_id.clone()).or_default().insert(span.span_id.clone(), writer.out);
            }
        }
    }
    all
}

/// The request that the API gives back under a path, and its text.
async fn given_back(app: &TestApp, path: &str) -> (ExportTraceServiceRequest, Vec<u8>) {
    let answer = app.client.get(format!("{}{}", app.url, app.path(path))).bearer_auth(&app.token).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body = answer.bytes().await.unwrap().to_vec();
    (decode_traces(&body).unwrap(), body)
}

fn any(key: &str, value: Option<Value>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

/// Attributes of every type and at its edges.
fn attributes() -> Vec<KeyValue> {
    let item = |value| AnyValue { value: Some(value) };
    let list = Value::ArrayValue(ArrayValue {
        values: vec![
            item(Value::BytesValue(vec![0, 255])),
            AnyValue::default(),
            item(Value::DoubleValue(f64::INFINITY)),
            item(Value::IntValue(1)),
            item(Value::DoubleValue(1.0)),
        ],
    });
    let twice = [
        any("k", Some(Value::StringValue("AP8=".to_owned()))),
        any("k", Some(list.clone())),
        KeyValue { key: "none".to_owned(), ..KeyValue::default() },
    ];
    vec![
        attribute("text", "zażółć \u{0} \"\\"),
        attribute("__proto__", ""),
        any("smallest", Some(Value::IntValue(i64::MIN))),
        any("largest", Some(Value::IntValue(i64::MAX))),
        any("nan", Some(Value::DoubleValue(f64::NAN))),
        any("negative zero", Some(Value::DoubleValue(-0.0))),
        any("precise", Some(Value::DoubleValue(0.1 + 0.2))),
        any("flag", Some(Value::BoolValue(false))),
        any("bytes", Some(Value::BytesValue(vec![]))),
        any("list", Some(list)),
        any("tree", Some(Value::KvlistValue(KeyValueList { values: twice.to_vec() }))),
        any("empty", None),
        KeyValue { key: "unset".to_owned(), ..KeyValue::default() },
    ]
}

fn odd_request(trace_id: &[u8]) -> ExportTraceServiceRequest {
    let start = now_ns();
    let mut full = span(trace_id, 0, start);
    full.attributes = attributes();
    full.attributes.extend([attribute("input.value", "in"), any("output.value", Some(Value::IntValue(5))), attribute("user.id", " u ")]);
    full.trace_state = "vendor=1".to_owned();
    (full.flags, full.kind) = (u32::MAX, 77);
    (full.dropped_attributes_count, full.dropped_events_count, full.dropped_links_count) = (1, 2, u32::MAX);
    full.status = Some(Status { code: 2, message: "it broke".to_owned() });
    full.events = vec![
        Event { time_unix_nano: start + 1, name: "one".to_owned(), attributes: attributes(), dropped_attributes_count: 9 },
        Event { time_unix_nano: u64::MAX, ..Event::default() },
    ];
    full.links = vec![
        Link {
            trace_id: vec![3; 16],
            span_id: vec![4; 8],
            trace_state: "a=b".to_owned(),
            attributes: attributes(),
            dropped_attributes_count: 1,
            flags: 256,
        },
        Link::default(),
    ];
    let mut bare = span(trace_id, 1, 0);
    (bare.start_time_unix_nano, bare.end_time_unix_nano, bare.status, bare.parent_span_id) = (0, 0, None, vec![0; 8]);
    let mut late = span(trace_id, 2, start);
    late.end_time_unix_nano = u64::MAX;
    let mut all = request(vec![full, bare, late]);
    let resource = &mut all.resource_spans[0];
    resource.schema_url = "https://opentelemetry.io/schemas/1.40.0".to_owned();
    let described = resource.resource.as_mut().unwrap();
    described.attributes.extend(attributes());
    described.dropped_attributes_count = 3;
    described.entity_refs =
        vec![EntityRef { r#type: "service".to_owned(), id_keys: vec!["service.name".to_owned()], ..EntityRef::default() }];
    resource.scope_spans[0].schema_url = "https://example.com/scope".to_owned();
    resource.scope_spans[0].scope.as_mut().unwrap().attributes = attributes();
    let mut plain = request(vec![span(trace_id, 3, start + 5)]);
    (plain.resource_spans[0].resource, plain.resource_spans[0].scope_spans[0].scope) = (None, None);
    all.resource_spans.append(&mut plain.resource_spans);
    all
}

on_both! {
    async fn what_comes_in_goes_out_again(app) {
        let trace_id = Spans::trace_id();
        let sent = odd_request(&trace_id);
        assert_eq!(app.send(&sent).await.0, 200);
        app.wait_for_trace(&trace_id, 4).await;
        let (back, body) = given_back(app, &format!("/api/v1/traces/{}/otlp", hex::encode(&trace_id))).await;
        let expected = spans_of(&[sent]);
        assert_eq!(spans_of(&[back]), expected);
        for (span_id, span) in &expected[&trace_id] {
            let (one, text) = given_back(app, &format!("/api/v1/spans/{}/otlp?trace_id={}", hex::encode(span_id), hex::encode(&trace_id))).await;
            assert_eq!(spans_of(&[one])[&trace_id][span_id], *span);
            assert_eq!(String::from_utf8(text).unwrap(), *span, "written as the encoder writes");
        }
        // What was given back can be sent again, and is the same once more.
        assert_eq!(app.send_bytes(body, &[("content-type", "application/json")]).await.0, 200);
        app.wait_for_trace(&trace_id, 4).await;
        let (again, _) = given_back(app, &format!("/api/v1/traces/{}/otlp", hex::encode(&trace_id))).await;
        assert_eq!(spans_of(&[again]), expected);
    }

    async fn what_sdks_sent_goes_out_again(app) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp/captured");
        let mut sent = Vec::new();
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.file_name().is_some_and(|name| name == "versions.json") || file.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let request = decode_traces(&std::fs::read(&file).unwrap()).unwrap();
            assert_eq!(app.send_bytes(encode_traces(&request), &[("content-type", "application/json")]).await.0, 200, "{}", file.display());
            sent.push(request);
        }
        let expected = spans_of(&sent);
        assert!(expected.len() > 50, "{} traces", expected.len());
        for (trace_id, spans) in expected {
            app.wait_for_trace(&trace_id, spans.len() as u64).await;
            let (back, _) = given_back(app, &format!("/api/v1/traces/{}/otlp", hex::encode(&trace_id))).await;
            assert_eq!(spans_of(&[back])[&trace_id], spans);
        }
    }

    async fn a_long_trace_comes_whole_in_groups(app) {
        let trace_id = Spans::trace_id();
        let start = now_ns();
        let mut all = ExportTraceServiceRequest::default();
        for service in 0..3_u64 {
            let mut part = request((0..300).map(|n| span(&trace_id, n * 3 + service, start + n * 3 + service)).collect());
            part.resource_spans[0].resource.as_mut().unwrap().attributes = vec![attribute("service.name", &format!("service {service}"))];
            all.resource_spans.append(&mut part.resource_spans);
        }
        assert_eq!(app.send(&all).await.0, 200);
        app.wait_for_trace(&trace_id, 900).await;
        let (back, _) = given_back(app, &format!("/api/v1/traces/{}/otlp", hex::encode(&trace_id))).await;
        assert_eq!(back.resource_spans.iter().map(|resource| resource.scope_spans[0].spans.len()).collect::<Vec<_>>(), [300; 3]);
        assert_eq!(spans_of(&[back]), spans_of(&[all]));
    }

    async fn a_span_explains_itself(app) {
        let trace_id = Spans::trace_id();
        let mut one = span(&trace_id, 0, now_ns());
        one.attributes = vec![attribute("llm.model_name", "gpt-4o"), attribute("my.own", "x"), attribute("input.value", "hi")];
        assert_eq!(app.send(&request(vec![one])).await.0, 200);
        app.wait_for_trace(&trace_id, 1).await;
        let detail = app.get(&app.path(&format!("/api/v1/spans/{}?trace_id={}", hex::encode(Spans::span_id(0)), hex::encode(&trace_id)))).await;
        let explain = &detail["data"]["explain"];
        let model = explain["fields"].as_array().unwrap().iter().find(|field| field["field"] == "model").unwrap();
        assert_eq!((&model["rule"], &model["attribute"]), (&"openinference:llm.model_name".into(), &"llm.model_name".into()));
        assert_eq!(explain["unused_attributes"], serde_json::json!(["my.own"]));
    }

    async fn what_is_not_there_is_not_given_back(app) {
        for path in [format!("/api/v1/traces/{}/otlp", "ab".repeat(16)), format!("/api/v1/spans/{}/otlp", "ab".repeat(8))] {
            let (status, body) = app.try_get(&app.path(&path)).await;
            assert_eq!((status, body["error"]["code"].as_str()), (404, Some("NOT_FOUND_ERROR")), "{path}");
        }
    }
}
