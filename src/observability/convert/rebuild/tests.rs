//! What came in goes out again: spans of every kind become rows, and rows become the same spans.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;

use super::super::family::{FAMILIES, Field, Source};
use super::super::testing::{START, context, convert_span, fixture, pairs, pricer, request, row, span, value};
use super::super::{arbitrary, captured, convert};
use super::{Rebuilt, moved_key, rebuild};
use crate::observability::otlp::json::SpanWriter;
use crate::observability::otlp::{decode_traces, encode_traces};
use crate::observability::rows::ObservationRow;

/// Each span alone as JSON, with its resource and scope, attributes sorted by key. As JSON, because a double that is no number is
/// not equal to itself.
fn spans_of(request: &ExportTraceServiceRequest) -> Vec<String> {
    let mut all = Vec::new();
    for resource in &request.resource_spans {
        for scope in &resource.scope_spans {
            for span in &scope.spans {
                let mut span = span.clone();
                span.attributes.sort_by(|one, other| one.key.cmp(&other.key));
                all.push(as_json(resource, scope, &span));
            }
        }
    }
    all
}

fn as_json(resource: &ResourceSpans, scope: &ScopeSpans, span: &Span) -> String {
    let mut writer = SpanWriter::default();
    writer.push(resource, scope, span);
    writer.finish();
    writer.out
}

fn rebuilt(row: ObservationRow) -> String {
    let Rebuilt { resource, scope, span } = rebuild(row);
    as_json(&resource, &scope, &span)
}

fn comes_back(request: ExportTraceServiceRequest) {
    let sent = spans_of(&request);
    let back: Vec<String> = convert(request, &context(), pricer()).into_iter().map(rebuilt).collect();
    assert_eq!(back, sent);
}

/// Keys are to be unique, says the protocol.
fn with_unique_keys(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    fn unique(attributes: &mut Vec<KeyValue>) {
        let mut seen = std::collections::HashSet::new();
        attributes.retain(|attribute| seen.insert(attribute.key.clone()));
    }
    for resource in &mut request.resource_spans {
        resource.resource.iter_mut().for_each(|resource| unique(&mut resource.attributes));
        for scope in &mut resource.scope_spans {
            scope.scope.iter_mut().for_each(|scope| unique(&mut scope.attributes));
            for span in &mut scope.spans {
                unique(&mut span.attributes);
                span.events.iter_mut().for_each(|event| unique(&mut event.attributes));
                span.links.iter_mut().for_each(|link| unique(&mut link.attributes));
            }
        }
    }
    request
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn whatever_comes_in_goes_out_again(request in arbitrary::request()) {
        comes_back(with_unique_keys(request));
    }

    #[test]
    fn a_span_of_any_family_goes_out_again(one in arbitrary::span()) {
        comes_back(with_unique_keys(request(one, Vec::new())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// One answer for many spans is what a collector reads as the same spans, each once and in their order.
    #[test]
    fn the_writer_writes_what_is_read(request in arbitrary::request()) {
        let mut writer = SpanWriter::default();
        let mut pieces = String::new();
        for resource in &request.resource_spans {
            for scope in &resource.scope_spans {
                for span in &scope.spans {
                    writer.push(resource, scope, span);
                    pieces.push_str(&std::mem::take(&mut writer.out));
                }
            }
        }
        writer.finish();
        pieces.push_str(&writer.out);
        let read = decode_traces(pieces.as_bytes()).unwrap();
        prop_assert_eq!(spans_of(&read), spans_of(&request));
        let whole: Vec<&ResourceSpans> =
            request.resource_spans.iter().filter(|resource| resource.scope_spans.iter().any(|scope| !scope.spans.is_empty())).collect();
        prop_assert!(read.resource_spans.len() <= whole.len(), "neighbours stand together");
    }

    /// Nothing that can be sent makes it fail, nor any row that could be in the store.
    #[test]
    fn keys_that_come_twice_all_stay(request in arbitrary::request()) {
        let sent: Vec<usize> = spans_lists(&request).map(|span| span.attributes.len()).collect();
        let back: Vec<usize> = convert(request, &context(), pricer()).into_iter().map(|row| rebuild(row).span.attributes.len()).collect();
        prop_assert_eq!(back, sent);
    }
}

fn spans_lists(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
}

#[test]
fn what_real_sdks_send_goes_out_again() {
    let others = ["trace", "vercel-ai-v7-genai"].map(str::to_owned);
    let mut spans = 0;
    for name in captured::names().into_iter().map(|name| format!("captured/{name}")).chain(others) {
        let request = decode_traces(&fixture(&format!("{name}.json"))).unwrap();
        spans += spans_lists(&request).count();
        comes_back(request);
    }
    assert!(spans > 80, "{spans}");
}

/// Whether an attribute was moved is read from the label of its rule, so labels must not mislead.
#[test]
fn labels_say_what_was_moved() {
    for (family, rule) in FAMILIES.iter().flat_map(|family| family.rules.iter().map(|rule| (family.name, rule))) {
        if !matches!(rule.field, Field::Input | Field::Output) {
            continue;
        }
        match rule.source {
            Source::Attribute(key) => assert_eq!(moved_key(&format!("{family}:{key}")), Some(key), "{family}"),
            Source::Part(path) => assert_eq!(moved_key(&format!("{family}:{path}")), None),
            Source::Indexed { prefix, .. } => assert_eq!(moved_key(&format!("{family}:{prefix}*")), None),
            Source::Events(_) => assert_eq!(moved_key(&format!("{family}:events")), None),
            Source::Resource(key) => panic!("{key}: a resource gives no input"),
        }
    }
    assert_eq!(moved_key("genai:gen_ai.system_instructions"), None);
    assert_eq!(moved_key("genai:gen_ai.system_instructions+gen_ai.input.messages"), None);
}

#[test]
fn what_has_no_column_is_noted() {
    let mut odd = span(Vec::new());
    odd.parent_span_id = vec![0; 8];
    odd.kind = -3;
    odd.start_time_unix_nano = 0;
    odd.end_time_unix_nano = u64::MAX;
    odd.status = Some(opentelemetry_proto::tonic::trace::v1::Status { code: 99, message: String::new() });
    odd.attributes =
        pairs(&[("tool.name", value("hammer")), ("openinference.span.kind", value("TOOL")), ("error.message", value("broke"))]);
    odd.attributes.push(KeyValue { key: "unset".to_owned(), ..KeyValue::default() });
    odd.attributes.push(KeyValue { key: "empty".to_owned(), value: Some(AnyValue::default()), ..KeyValue::default() });
    odd.events = vec![Event { time_unix_nano: u64::MAX - 1, ..Event::default() }];
    let mut all = request(odd, Vec::new());
    all.resource_spans[0].resource = Some(Resource {
        entity_refs: vec![EntityRef {
            schema_url: "https://e".to_owned(),
            r#type: "service".to_owned(),
            id_keys: vec!["service.name".to_owned()],
            description_keys: Vec::new(),
        }],
        ..Resource::default()
    });
    comes_back(all.clone());
    // Absent is not the same as empty.
    all.resource_spans[0].resource = None;
    all.resource_spans[0].scope_spans[0].scope = None;
    all.resource_spans[0].scope_spans[0].spans[0].status = None;
    assert!(!String::from_utf8(encode_traces(&all)).unwrap().contains("\"status\""));
    comes_back(all);
}

/// The one thing that the protocol forbids and the store cannot hold: which of two values of one key had which type.
#[test]
fn types_of_a_key_that_comes_twice_are_those_the_texts_can_have() {
    let types =
        |attributes: &[(&str, AnyValue)]| rebuild(row(attributes)).span.attributes.into_iter().map(|one| one.value).collect::<Vec<_>>();
    let sent = [("a", value("x")), ("a", value(1)), ("a", value(0.5))];
    assert_eq!(types(&sent), sent.clone().map(|(_, value)| Some(value)));
    let mistaken = [("a", value("5")), ("a", value(7))];
    assert_eq!(types(&mistaken), [Some(value(5)), Some(value("7"))]);
    // The first became the input, the second did not.
    let moved = [("input.value", value("one")), ("input.value", value("two"))];
    assert_eq!(types(&moved), moved.clone().map(|(_, value)| Some(value)));
}

#[test]
fn rows_from_before_and_broken_rows_still_give_a_span() {
    let mut broken = convert_span(span(pairs(&[("list", value(vec![value(1)])), ("n", value(5)), ("b", value(true))])));
    broken.attributes.iter_mut().for_each(|(_, text)| text.insert(0, '?'));
    broken.trace_id = "no hex".to_owned();
    broken.events_name.push("no time".to_owned());
    let span = rebuild(broken).span;
    assert_eq!((span.trace_id.len(), span.events.len(), span.start_time_unix_nano), (0, 0, START));
    assert_eq!(span.attributes[1].value, Some(value("?[1]")));
}
