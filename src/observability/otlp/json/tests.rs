use opentelemetry_proto::tonic::common::v1::AnyValue;
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::observability::convert::arbitrary;

fn decode(json: &str) -> ExportTraceServiceRequest {
    decode_traces(json.as_bytes()).unwrap()
}

fn decode_span(fields: &str) -> Span {
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#);
    decode(&body).resource_spans.remove(0).scope_spans.remove(0).spans.remove(0)
}

fn decode_value(json: &str) -> Option<Value> {
    let span = decode_span(&format!(r#""attributes":[{{"key":"k","value":{json}}}]"#));
    span.attributes.into_iter().next().and_then(|attribute| attribute.value).and_then(|value| value.value)
}

#[test]
fn the_official_example_is_read_whole() {
    let body = include_bytes!("../../../../tests/fixtures/otlp/trace.json");
    let request = decode_traces(body).unwrap();
    let resource_spans = &request.resource_spans[0];
    assert_eq!(resource_spans.resource.as_ref().unwrap().attributes[0].key, "service.name");
    let scope = &resource_spans.scope_spans[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "my.library");
    let span = &scope.spans[0];
    assert_eq!(hex::encode(&span.trace_id), "5b8efff798038103d269b633813fc60c");
    assert_eq!(hex::encode(&span.parent_span_id), "eee19b7ec3c1b173");
    assert_eq!((span.kind, span.start_time_unix_nano), (2, 1_544_712_660_000_000_000));
    assert_eq!(span.name, "I'm a server span");
}

#[test]
fn ids_are_hex_in_any_case_or_base64_of_the_right_length() {
    let hex = (0..16_u8).collect::<Vec<_>>();
    for id in ["000102030405060708090a0b0c0d0e0f", "000102030405060708090A0B0C0D0E0F", "AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODw"]
    {
        assert_eq!(decode_span(&format!(r#""traceId":"{id}""#)).trace_id, hex, "{id}");
    }
    assert_eq!(decode_span(r#""spanId":"_-7dzLuqmYg=""#).span_id, decode_span(r#""spanId":"ffeeddccbbaa9988""#).span_id);
    assert_eq!(decode_span(r#""parentSpanId":null"#).parent_span_id, Vec::<u8>::new());
    assert_eq!(decode_span(r#""parentSpanId":[0,0,0,0,0,0,0,0]"#).parent_span_id, vec![0; 8]);
}

#[test]
fn an_invalid_id_is_kept_so_that_its_span_alone_is_refused() {
    for id in ["", "xyz", "0102", "not-a-valid-id!!", "01234567", "é2345678", "550e8400-e29b-41d4-a716-446655440000"] {
        let span = decode_span(&format!(r#""traceId":"{id}","spanId":"{id}""#));
        assert_ne!(span.trace_id.len(), 16, "{id}");
        assert_ne!(span.span_id.len(), 8, "{id}");
    }
}

#[test]
fn numbers_may_be_text_and_enums_names() {
    let span = decode_span(
        r#""startTimeUnixNano":1.544712660e18,"endTimeUnixNano":"1544712661000000000","kind":"SPAN_KIND_CLIENT","flags":"257",
           "droppedAttributesCount":3.0,"status":{"code":"STATUS_CODE_ERROR","message":null}"#,
    );
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (1_544_712_660_000_000_000, 1_544_712_661_000_000_000));
    assert_eq!((span.kind, span.flags, span.dropped_attributes_count), (3, 257, 3));
    assert_eq!(span.status.unwrap().code, 2);
    assert_eq!(decode_span(r#""kind":"server""#).kind, 2);
    assert_eq!(decode_span(r#""kind":"SPAN_KIND_OF_TOMORROW""#).kind, 0);
    assert_eq!(decode_span(r#""kind":"4""#).kind, 4);
}

#[test]
fn hostile_times_are_left_to_validation() {
    assert_eq!(decode_span(r#""startTimeUnixNano":-5"#).start_time_unix_nano, 1);
    assert_eq!(decode_span(r#""startTimeUnixNano":"-5""#).start_time_unix_nano, 1);
    assert_eq!(decode_span(r#""startTimeUnixNano":"1e99""#).start_time_unix_nano, u64::MAX);
    assert_eq!(decode_span(r#""startTimeUnixNano":99999999999999999999999"#).start_time_unix_nano, u64::MAX);
}

#[test]
fn unknown_fields_nulls_and_snake_case_are_tolerated() {
    let request = decode(
        r#"{"new":{"a":[1,{"b":"\ud800"}]},"resource_spans":[null,{"resource":null,"scope_spans":[{"spans":[{"trace_id":"01","name":null,
        "attributes":[{"key":"k","value":null},{"key":"a","value":{"array_value":{"values":[null,{"intValue":1}]}}}],"links":null}]}]}]}"#,
    );
    assert_eq!(request.resource_spans.len(), 1);
    let span = &request.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((span.name.as_str(), span.attributes[0].value.as_ref()), ("", None));
    let array = Value::ArrayValue(ArrayValue { values: vec![AnyValue::default(), AnyValue { value: Some(Value::IntValue(1)) }] });
    assert_eq!(span.attributes[1].value, Some(AnyValue { value: Some(array) }));
}

#[test]
fn values_have_all_their_spellings() {
    let text = |text: &str| Some(Value::StringValue(text.to_owned()));
    assert_eq!(decode_value(r#"{"intValue":"-9223372036854775808"}"#), Some(Value::IntValue(i64::MIN)));
    assert_eq!(decode_value(r#"{"intValue":12}"#), Some(Value::IntValue(12)));
    assert_eq!(decode_value(r#"{"intValue":1e3}"#), Some(Value::IntValue(1000)));
    assert_eq!(decode_value(r#"{"intValue":1.5}"#), Some(Value::DoubleValue(1.5)));
    assert_eq!(decode_value(r#"{"intValue":"many"}"#), text("many"));
    assert_eq!(decode_value(r#"{"intValue":18446744073709551615}"#), text("18446744073709551615"));
    assert_eq!(decode_value(r#"{"doubleValue":"-Infinity"}"#), Some(Value::DoubleValue(f64::NEG_INFINITY)));
    assert!(matches!(decode_value(r#"{"doubleValue":"NaN"}"#), Some(Value::DoubleValue(value)) if value.is_nan()));
    assert_eq!(decode_value(r#"{"doubleValue":3}"#), Some(Value::DoubleValue(3.0)));
    assert_eq!(decode_value(r#"{"boolValue":"true"}"#), Some(Value::BoolValue(true)));
    assert_eq!(decode_value(r#"{"bytesValue":"-_8"}"#), Some(Value::BytesValue(vec![251, 255])));
    assert_eq!(decode_value(r#"{"bytesValue":"?"}"#), text("?"));
    assert_eq!(decode_value(r#"{"stringValue":null}"#), None);
    assert_eq!(decode_value(r#"{"stringValue":"a","__proto__":{}}"#), text("a"));
    assert_eq!(decode_value("{}"), None);
    assert_eq!(decode_value(r#""bare""#), text("bare"));
    assert_eq!(decode_value("7"), Some(Value::IntValue(7)));
}

#[test]
fn text_that_is_no_unicode_is_repaired() {
    assert_eq!(decode_value(r#"{"stringValue":"a\ud800b\udc00"}"#), Some(Value::StringValue("a\u{FFFD}b\u{FFFD}".to_owned())));
    assert_eq!(decode_value(r#"{"stringValue":"\ud83d\ude00"}"#), Some(Value::StringValue("😀".to_owned())));
    let body = b"{\"resourceSpans\":[{\"schemaUrl\":\"a\xFFb\"}],\"\xFE\":1,\"\\udfff\":2}";
    assert_eq!(decode_traces(body).unwrap().resource_spans[0].schema_url, "a\u{FFFD}b");
}

#[test]
fn errors_say_where_and_why() {
    let error = |body: &str| decode_traces(body.as_bytes()).unwrap_err();
    let wrong = error("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[\n{\"name\":{}}]}]}]}");
    assert_eq!((wrong.line, wrong.column), (2, 8));
    assert!(wrong.reason.contains("expected a string"), "{wrong}");
    assert_eq!(error("").to_string(), "invalid OTLP JSON at line 1, column 0: EOF while parsing a value");
    assert!(error("[]").to_string().ends_with("expected an object with resourceSpans"));
    assert!(error("{\"resourceSpans\":[]} x").reason.contains("trailing"));
    assert!(error(r#"{"resourceLogs":[]}"#).reason.contains("these are logs: send them to /v1/logs"));
    assert!(error(r#"{"resourceMetrics":[]}"#).reason.contains("these are metrics"));
}

/// The deepest nesting of `open … close` that is read.
fn deepest(open: &str, close: &str) -> usize {
    let body = |depth: usize| {
        let value = format!("{}{{}}{}", open.repeat(depth), close.repeat(depth));
        let event = format!(r#"{{"attributes":[{{"key":"k","value":{value}}}]}}"#);
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"events":[{event}]}}]}}]}}]}}"#)
    };
    assert!(decode_traces(body(100_000).as_bytes()).unwrap_err().reason.contains("recursion limit"));
    let deepest = (1..200).take_while(|depth| decode_traces(body(*depth).as_bytes()).is_ok()).last().unwrap();
    // Everything that is read must also be readable again as protobuf, which is how it waits in the queue.
    let request = decode_traces(body(deepest).as_bytes()).unwrap();
    assert_eq!(ExportTraceServiceRequest::decode(request.encode_to_vec().as_slice()).unwrap(), request);
    deepest
}

#[test]
fn depth_is_bounded_below_what_protobuf_reads() {
    assert!(deepest(r#"{"arrayValue":{"values":["#, "]}}") >= 20);
    assert!(deepest(r#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}") >= 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_reads_back_equal_and_as_protobuf_does(request in arbitrary::request()) {
        let json = encode_traces(&request);
        let decoded = decode_traces(&json).unwrap();
        // Compared by their bytes: NaN is not equal to itself.
        prop_assert_eq!(decoded.encode_to_vec(), request.encode_to_vec());
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_traces(&body);
    }

    #[test]
    fn no_cut_body_makes_it_panic(request in arbitrary::request(), keep in 0.0..1.0_f64) {
        let json = encode_traces(&request);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short body")]
        let end = (json.len() as f64 * keep) as usize;
        let _ = decode_traces(&json[..end]);
    }
}
