use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;

use super::nested::Doubts;
use super::testing::{START, context, convert_span, fixture_rows, flagged, kvlist, mapped, pairs, pricer, request, row, span, value};
use super::value::into_text;
use super::*;
use crate::observability::rows::{AttributeType, ENDED_VERSION_BIT};

#[test]
fn every_field_of_a_span_has_its_place() {
    let mut full = span(pairs(&[
        ("text", value("a")),
        ("flag", value(true)),
        ("count", value(-7)),
        ("ratio", value(0.5)),
        ("list", value(vec![value(1), value("b")])),
        ("tree", kvlist(&[("k", value(1))])),
        ("nothing", AnyValue::default()),
        ("__proto__", value("only a key")),
    ]));
    full.trace_state = "vendor=1".to_owned();
    full.flags = 257;
    full.parent_span_id = vec![0xAB; 8];
    full.status = Some(Status { code: 2, message: "it broke".to_owned() });
    full.dropped_attributes_count = 1;
    full.dropped_events_count = 2;
    full.dropped_links_count = 3;
    full.events = vec![Event {
        time_unix_nano: START + 5,
        name: "exception".to_owned(),
        attributes: pairs(&[("code", value(5))]),
        dropped_attributes_count: 4,
    }];
    full.links = vec![Link {
        trace_id: vec![0xCD; 16],
        span_id: vec![0xEF; 8],
        trace_state: "x=y".to_owned(),
        attributes: pairs(&[("why", value("retry"))]),
        dropped_attributes_count: 5,
        flags: 256,
    }];
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: pairs(&[("service.name", value("shop")), ("service.version", value("1.2")), ("pid", value(12))]),
                dropped_attributes_count: 6,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    version: "0.1".to_owned(),
                    attributes: pairs(&[("beta", value(true))]),
                    dropped_attributes_count: 7,
                }),
                spans: vec![full],
                schema_url: "https://scope".to_owned(),
            }],
            schema_url: "https://resource".to_owned(),
        }],
    };
    insta::assert_yaml_snapshot!(convert(request, &context(), pricer()).remove(0));
}

#[test]
fn a_root_has_no_parent_however_that_is_said() {
    for parent in [vec![], vec![0; 8], vec![0; 3]] {
        let row = convert_span(Span { parent_span_id: parent, ..span(Vec::new()) });
        assert_eq!((row.parent_span_id.as_str(), row.is_root), ("", 1));
    }
    let child = convert_span(Span { parent_span_id: vec![1; 8], ..span(Vec::new()) });
    assert_eq!((child.parent_span_id.as_str(), child.is_root), ("0101010101010101", 0));
}

#[test]
fn odd_times_are_kept_and_flagged() {
    let times = |start: u64, end: u64| convert_span(Span { start_time_unix_nano: start, end_time_unix_nano: end, ..span(Vec::new()) });
    let start = i64::try_from(START).unwrap();
    let version = START / 1_000 + 5_000_000;

    let ended = times(START, START + 7);
    assert_eq!((ended.duration_ns, ended.row_version, ended.flags.len()), (7, version + ENDED_VERSION_BIT, 0));
    let running = times(START, 0);
    assert_eq!((running.end_time, running.duration_ns, running.row_version), (0, 0, version));
    assert_eq!(running.flags, ["running"]);
    let reversed = times(START, START - 9);
    assert_eq!((reversed.end_time, reversed.duration_ns), (start - 9, 0));
    assert_eq!(reversed.flags, ["end_before_start"]);
    let without_start = times(0, START);
    assert_eq!((without_start.start_time, without_start.flags), (start, vec!["missing_start".to_owned()]));
    let without_any = times(0, 0);
    assert_eq!(without_any.start_time, 1_759_996_800_000_000_000);
    assert_eq!(without_any.flags, ["missing_start", "running"]);
    let ahead = times(START + 400_000_000_000, START + 400_000_000_001);
    assert_eq!(ahead.flags, ["clock_skew"]);
}

#[test]
fn the_level_follows_the_status_unless_it_is_said() {
    let with = |level: &str, code: i32| {
        let attributes = pairs(&[("brokle.span.level", value(level))]);
        convert_span(Span { status: Some(Status { code, message: String::new() }), ..span(attributes) }).level
    };
    assert_eq!(with("", 0), "DEFAULT");
    assert_eq!(with("", 2), "ERROR");
    assert_eq!(with("DEFAULT", 2), "ERROR");
    assert_eq!(with("WARNING", 2), "WARNING");
    assert_eq!(with("debug", 1), "DEBUG");
}

#[test]
fn previews_end_between_characters_and_lengths_are_bytes() {
    let row = row(&[("input.value", value("é".repeat(300).as_str())), ("output.value", value("short"))]);
    assert_eq!((row.input_preview.chars().count(), row.input_length), (200, 600));
    assert_eq!((row.output_preview.as_str(), row.output_length), ("short", 5));
}

#[test]
fn more_than_ten_thousand_attributes_are_kept_and_flagged() {
    let many: Vec<KeyValue> =
        (0..10_001).map(|at| KeyValue { key: format!("k{at}"), value: Some(value(at)), ..KeyValue::default() }).collect();
    let row = convert_span(span(many));
    assert_eq!((row.attributes.len(), row.attribute_types.len()), (10_001, 10_001));
    assert!(flagged(&row, "many_attributes"));
}

#[test]
fn replaced_text_is_flagged() {
    assert!(flagged(&row(&[("a", value("x\u{FFFD}"))]), "invalid_utf8"));
    assert!(flagged(&row(&[("input.value", value("x\u{FFFD}"))]), "invalid_utf8"));
    assert!(!flagged(&row(&[("a", value("ż½ï"))]), "invalid_utf8"));
}

#[test]
fn a_bomb_in_a_text_is_only_text() {
    let bomb = "[".repeat(1_000_000);
    let row = row(&[
        ("gen_ai.system_instructions", value(bomb.as_str())),
        ("gen_ai.input.messages", value(bomb.as_str())),
        ("llm.invocation_parameters", value("{\"a\":".repeat(10_000).as_str())),
        ("tags", value(bomb.as_str())),
    ]);
    assert_eq!(row.input, bomb);
    assert_eq!(row.model_parameters, "");
}

#[test]
fn a_bomb_where_an_object_is_looked_into_is_only_text() {
    let (lists, objects) = ("[".repeat(200_000), "{\"a\":".repeat(40_000));
    let whole = format!("{{\"anthropic\":{}1{}}}", "{\"a\":".repeat(100), "}".repeat(100));
    for bomb in [&lists, &objects, &whole] {
        for key in ["langfuse.observation.usage_details", "ai.response.providerMetadata", "genkit:output", "mlflow.chat.tokenUsage"] {
            let row = row(&[("genkit:metadata:subtype", value("model")), (key, value(bomb.as_str()))]);
            assert!(row.usage_details.is_empty(), "{key}");
        }
        let mut span = span(Vec::new());
        let event =
            |name: &str, key: &str| Event { name: name.to_owned(), attributes: pairs(&[(key, value(bomb.as_str()))]), ..Event::default() };
        span.events = vec![event("gen_ai.user.message", "gen_ai.event.content"), event("gen_ai.choice", "message")];
        let row = convert_span(span);
        assert!(row.output.starts_with("[{\"role\":\"assistant\",\"message\":"));
    }
    let deep = (0..45).fold(value(1), |inner, _| kvlist(&[("usage", inner)]));
    assert!(row(&[("langfuse.observation.usage_details", deep)]).usage_details.is_empty());
}

#[test]
fn keys_of_prototypes_are_only_keys_wherever_they_stand() {
    let row = row(&[
        ("__proto__", value("a")),
        ("gen_ai.prompt.0.__proto__.polluted", value("b")),
        ("gen_ai.prompt.0.constructor", value("c")),
        ("ai.settings.__proto__", value("d")),
        ("langfuse.observation.usage_details", value("{\"__proto__\":{\"input\":5},\"input\":3}")),
    ]);
    assert_eq!(row.input, r#"[{"__proto__":{"polluted":"b"},"constructor":"c"}]"#);
    assert_eq!((row.model_parameters.as_str(), row.input_tokens), (r#"{"__proto__":"d"}"#, 3));
}

#[test]
fn a_key_that_looks_like_a_part_is_no_part() {
    let row = row(&[("langfuse.observation.usage_details#input", value(5)), ("genkit:output#usage.inputTokens", value(5))]);
    assert!(row.usage_details.is_empty());
    assert_eq!(row.attributes.len(), 2);
}

#[test]
fn a_name_may_be_empty_and_an_attribute_large() {
    let text = "x".repeat(10 << 20);
    let row = convert_span(Span { name: String::new(), ..span(pairs(&[("langfuse.observation.input", value(text.as_str()))])) });
    assert_eq!((row.name.as_str(), row.input_length, row.input.len()), ("", 10 << 20, 10 << 20));
}

#[test]
fn numbers_that_are_none_are_kept_as_text_and_counted_nowhere() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let row = row(&[
            ("gen_ai.usage.output_tokens", value(odd)),
            ("gen_ai.usage.cost", value(odd)),
            ("gen_ai.request.temperature", value(odd)),
            ("gen_ai.response.time_to_first_token", value(odd)),
        ]);
        assert_eq!((row.usage_details.len(), row.total_cost, row.completion_start_time), (0, None, None));
        assert!(flagged(&row, "usage_refused") && flagged(&row, "cost_refused"));
        assert!(serde_json::from_str::<serde_json::Value>(&row.model_parameters).is_ok());
    }
}

#[test]
fn of_a_key_that_comes_twice_the_first_holds_and_both_are_kept() {
    let row = row(&[("user.id", value("a")), ("user.id", value("b"))]);
    assert_eq!((row.user_id.as_str(), row.attributes.len()), ("a", 2));
}

#[test]
fn the_spans_of_the_current_vercel_sdk_follow_the_genai_conventions() {
    let rows = fixture_rows("vercel-ai-v7-genai.json");
    assert_eq!(rows[0].input, r#"[{"role":"system","content":"Answer concisely."},{"role":"user","content":"hello"}]"#);
    assert_eq!(rows[0].output, r#"[{"role":"assistant","content":"hi"}]"#);
    assert_eq!((rows[1].name.as_str(), rows[1].r#type.as_str(), rows[1].is_root), ("get_weather", "tool", 0));
    assert_eq!(mapped(&rows[1], "output"), Some("genai:gen_ai.tool.call.result"));
}

/// Every attribute of a span with its text and type, read back from its row: from the map, or from the side it became.
pub(super) fn restored(row: &ObservationRow) -> Vec<(String, String, u8)> {
    let kind = |key: &str| row.attribute_types.iter().find(|(name, _)| name == key).map_or(0, |(_, kind)| *kind);
    let mut all: Vec<_> = row.attributes.iter().map(|(key, text)| (key.clone(), text.clone(), kind(key))).collect();
    for (field, text) in [("input", &row.input), ("output", &row.output)] {
        if let Some(key) = mapped(row, field).and_then(super::rebuild::moved_key) {
            all.push((key.to_owned(), text.clone(), kind(key)));
        }
    }
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_panics_and_no_attribute_is_lost(mut span in arbitrary::span()) {
        // Keys are to be unique, says the protocol; the types of a map hold one for each.
        span.attributes.sort_by(|one, other| one.key.cmp(&other.key));
        span.attributes.dedup_by(|one, other| one.key == other.key);
        let mut sent: Vec<_> = span.attributes.iter().map(|attribute| {
            let (text, kind) = into_text(attribute.value.clone(), &mut Doubts::default());
            (attribute.key.clone(), text, kind as u8)
        }).collect();
        sent.sort();
        let row = convert_span(span);
        prop_assert_eq!(restored(&row), sent);
        prop_assert!(row.attribute_types.iter().all(|(_, kind)| *kind != AttributeType::String as u8));
        prop_assert!(row.model_parameters.is_empty() || serde_json::from_str::<serde_json::Value>(&row.model_parameters).unwrap().is_object());
        prop_assert_eq!(row.total_tokens, row.input_tokens + row.output_tokens);
    }

    #[test]
    fn every_span_becomes_one_row(request in arbitrary::request()) {
        let spans: usize = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
        let rows = convert(request, &context(), pricer());
        prop_assert_eq!(rows.len(), spans);
        for row in rows {
            prop_assert_eq!(row.events_name.len(), row.events_attributes.len());
            prop_assert!(row.duration_ns <= i64::MAX.unsigned_abs());
        }
    }
}

#[test]
fn a_request_may_be_empty_or_bare() {
    assert!(convert(ExportTraceServiceRequest::default(), &context(), pricer()).is_empty());
    let bare = request(Span::default(), Vec::new());
    let row = convert(bare, &ConvertContext { received_at_us: 0, ..context() }, pricer()).remove(0);
    assert_eq!((row.start_time, row.environment.as_str(), row.trace_id.as_str()), (0, "default", ""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn slices_are_the_whole(request in super::arbitrary::request(), rows in 1_usize..4) {
        let mut conversion = Conversion::new(request.clone());
        let limits = SliceLimits { rows, bytes: usize::MAX };
        let slices: Vec<_> = std::iter::from_fn(|| conversion.next_slice(&context(), pricer(), limits)).collect();
        prop_assert!(slices.iter().rev().skip(1).all(|slice| slice.len() == rows), "only the last is shorter");
        prop_assert_eq!(slices.concat(), convert(request, &context(), pricer()));
    }
}

#[test]
fn a_slice_ends_with_its_bytes_and_counts_what_is_repeated() {
    let mut many = request(span(Vec::new()), pairs(&[("text", value("x".repeat(100_000).as_str()))]));
    let one = many.resource_spans[0].scope_spans[0].spans[0].clone();
    many.resource_spans[0].scope_spans[0].spans = vec![one; 50];
    let mut conversion = Conversion::new(many);
    let limits = SliceLimits { rows: usize::MAX, bytes: 1_000_000 };
    let slices: Vec<_> = std::iter::from_fn(|| conversion.next_slice(&context(), pricer(), limits)).map(|rows| rows.len()).collect();
    assert_eq!(slices, [10; 5]);
}

#[test]
fn an_end_far_ahead_is_kept_and_flagged() {
    let mut late = span(Vec::new());
    late.end_time_unix_nano = u64::MAX;
    let row = convert_span(late);
    assert!(flagged(&row, "end_in_future"));
    assert_eq!(row.end_time, i64::MAX);
}
