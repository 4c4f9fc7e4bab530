//! What must hold of every demo, whatever its seed and size.

use std::collections::{BTreeSet, HashMap, HashSet};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::*;

const NOW: u64 = 1_790_000_000_000_000_000;

fn drafts(traces: usize, hours: u64, seed: u64) -> Vec<Draft> {
    plan::generate(Wanted { traces, hours, seed, now: NOW })
}

fn all() -> Vec<Vec<Draft>> {
    let sizes = [(1, 24), (2, 1), (11, 24), (12, 24), (13, 1), (60, 1), (120, 720)];
    let mut sets: Vec<_> = sizes.into_iter().map(|(traces, hours)| drafts(traces, hours, 1)).collect();
    sets.extend((2..4).map(|seed| drafts(60, 24, seed)));
    sets
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    let Some(Value::StringValue(text)) = &attribute.value.as_ref()?.value else { return None };
    Some(text)
}

fn integer(span: &Span, key: &str) -> Option<i64> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    let Some(Value::IntValue(value)) = attribute.value.as_ref()?.value else { return None };
    Some(value)
}

#[test]
fn as_many_traces_as_asked_for() {
    for traces in [1, 2, 5, 11, 12, 13, 49, 50, 51, 77] {
        assert_eq!(drafts(traces, 24, 3).len(), traces);
    }
}

#[test]
fn the_default_has_about_five_hundred_spans() {
    for seed in 1..5 {
        let spans: usize = drafts(60, 24, seed).iter().map(|draft| draft.spans.len()).sum();
        assert!((430..=580).contains(&spans), "{spans} spans with seed {seed}");
    }
}

#[test]
fn ids_are_valid_and_nobody_elses() {
    for set in all() {
        let mut traces = HashSet::new();
        let mut spans = HashSet::new();
        for draft in &set {
            let trace = &draft.spans[0].trace_id;
            assert!(traces.insert(trace.clone()), "a trace id twice");
            for span in &draft.spans {
                assert_eq!(&span.trace_id, trace);
                assert!(span.trace_id.len() == 16 && span.trace_id.iter().any(|byte| *byte != 0));
                assert!(span.span_id.len() == 8 && span.span_id.iter().any(|byte| *byte != 0));
                assert!(spans.insert(span.span_id.clone()), "a span id twice");
            }
        }
    }
}

#[test]
fn every_trace_has_one_root_and_every_parent_exists() {
    for draft in all().iter().flatten() {
        let by_id: HashMap<&[u8], &Span> = draft.spans.iter().map(|span| (span.span_id.as_slice(), span)).collect();
        assert_eq!(draft.spans.iter().filter(|span| span.parent_span_id.is_empty()).count(), 1);
        for span in draft.spans.iter().filter(|span| !span.parent_span_id.is_empty()) {
            let parent = by_id.get(span.parent_span_id.as_slice()).expect("the parent is in the trace");
            assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{} starts before {}", span.name, parent.name);
            if parent.end_time_unix_nano != 0 {
                assert!(
                    span.end_time_unix_nano != 0 && span.end_time_unix_nano <= parent.end_time_unix_nano,
                    "{} ends after {}",
                    span.name,
                    parent.name
                );
            }
        }
    }
}

#[test]
fn times_are_ordered_and_within_the_window() {
    for (traces, hours) in [(60, 24), (60, 1), (90, 720), (5, 3)] {
        let set = drafts(traces, hours, 1);
        let mut newest = 0;
        for span in set.iter().flat_map(|draft| &draft.spans) {
            let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
            assert!(start >= NOW - hours * 3_600_000_000_000, "{} is too old", span.name);
            assert!(end == 0 || (start < end && end <= NOW), "{} ends at a wrong time", span.name);
            for event in &span.events {
                assert!(event.time_unix_nano >= start && event.time_unix_nano <= if end == 0 { NOW } else { end });
            }
            newest = newest.max(end);
        }
        assert!(NOW - newest < 10_000_000_000, "the newest is {} s old", (NOW - newest) / 1_000_000_000);
        let oldest = set.iter().map(|draft| draft.spans[0].start_time_unix_nano).min().unwrap();
        assert!(NOW - oldest > hours * 3_600_000_000_000 / 2, "the window is used");
        assert!(set.is_sorted_by_key(|draft| draft.spans[0].start_time_unix_nano));
    }
}

#[test]
fn the_same_seed_and_time_give_the_same_bytes_and_another_time_other_ids() {
    let bytes = |seed, now| {
        let set = plan::generate(Wanted { traces: 40, hours: 24, seed, now });
        requests(set).iter().flat_map(Message::encode_to_vec).collect::<Vec<u8>>()
    };
    assert_eq!(bytes(5, NOW), bytes(5, NOW));
    assert_ne!(bytes(5, NOW), bytes(6, NOW));
    let ids = |now| -> HashSet<Vec<u8>> {
        plan::generate(Wanted { traces: 40, hours: 24, seed: 5, now }).into_iter().map(|draft| draft.spans[0].trace_id.clone()).collect()
    };
    assert!(ids(NOW).is_disjoint(&ids(NOW + 1)));
}

#[test]
fn the_default_shows_everything_there_is_to_see() {
    let set = drafts(60, 24, 1);
    let spans: Vec<&Span> = set.iter().flat_map(|draft| &draft.spans).collect();
    let with = |key: &str| spans.iter().any(|span| span.attributes.iter().any(|attribute| attribute.key == key));
    for key in [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "retrieval.documents.7.document.content",
        "reranker.output_documents.0.document.score",
        "llm.input_messages.1.message.content",
        "embedding.embeddings.1.embedding.text",
        "brokle.trace.tags",
        "tag.tags",
        "brokle.prompt.name",
    ] {
        assert!(with(key), "no span has {key}");
    }
    let kinds: HashSet<&str> = spans.iter().filter_map(|span| text(span, "openinference.span.kind")).collect();
    for kind in ["CHAIN", "RETRIEVER", "RERANKER", "LLM", "EMBEDDING", "GUARDRAIL", "EVALUATOR"] {
        assert!(kinds.contains(kind), "no {kind}");
    }
    let types: HashSet<&str> = spans.iter().filter_map(|span| text(span, "brokle.span.type")).collect();
    assert!(types.is_superset(&HashSet::from(["agent", "workflow", "guardrail", "evaluator", "chain"])), "{types:?}");
    let environments: HashSet<&str> = set.iter().map(|draft| draft.service.environment).collect();
    assert_eq!(environments, HashSet::from(["production", "staging", "development"]));
    assert!(set.iter().map(|draft| draft.service.name).collect::<HashSet<_>>().len() >= 5);
    assert!(set.iter().map(|draft| draft.service.release).collect::<HashSet<_>>().len() >= 5);
    let models: HashSet<&str> = spans.iter().filter_map(|span| text(span, "gen_ai.request.model")).collect();
    assert!(models.contains("bike-support-8b-v3") && models.len() >= 6, "{models:?}");
    assert!(spans.iter().any(|span| !span.links.is_empty()));
    assert!(spans.iter().any(|span| span.end_time_unix_nano == 0));
    let failed = |draft: &&Draft| draft.spans[0].status.as_ref().is_some_and(|status| status.code == 2);
    assert!(set.iter().filter(failed).any(|draft| draft.spans[0].events.iter().any(|event| event.name == "exception")));
    let handled = |draft: &Draft| {
        draft.spans[0].status.as_ref().is_some_and(|status| status.code == 1)
            && draft.spans.iter().any(|span| span.status.as_ref().is_some_and(|status| status.code == 2))
    };
    assert!(set.iter().any(handled), "no run survives an error");
}

#[test]
fn links_point_to_spans_of_the_demo() {
    let set = drafts(60, 24, 1);
    let known: HashSet<(&[u8], &[u8])> =
        set.iter().flat_map(|draft| &draft.spans).map(|span| (span.trace_id.as_slice(), span.span_id.as_slice())).collect();
    let links: Vec<_> = set.iter().flat_map(|draft| &draft.spans).flat_map(|span| &span.links).collect();
    assert_eq!(links.len(), 3);
    assert!(links.iter().all(|link| known.contains(&(link.trace_id.as_slice(), link.span_id.as_slice()))));
}

#[test]
fn the_conversation_is_one_session_whose_history_grows() {
    let set = drafts(60, 24, 1);
    let turns: Vec<&Draft> = set.iter().filter(|draft| draft.service.name == "baking-teacher").collect();
    assert_eq!(turns.len(), 25);
    assert_eq!(turns.iter().filter_map(|draft| text(&draft.spans[0], "session.id")).collect::<BTreeSet<_>>().len(), 1);
    let sizes: Vec<usize> = turns.iter().map(|draft| text(&draft.spans[2], "gen_ai.input.messages").unwrap().len()).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
    assert!(sizes[24] > 10 * sizes[0]);
    let tokens: Vec<i64> = turns.iter().map(|draft| integer(&draft.spans[2], "gen_ai.usage.input_tokens").unwrap()).collect();
    assert!(tokens.is_sorted());
    for pair in turns.windows(2) {
        assert!(pair[0].spans[0].end_time_unix_nano <= pair[1].spans[0].start_time_unix_nano, "turns follow each other");
    }
}

#[test]
fn what_is_sent_as_json_is_json() {
    for span in drafts(60, 24, 1).iter().flat_map(|draft| &draft.spans) {
        for key in ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.call.arguments", "llm.invocation_parameters"] {
            if let Some(json) = text(span, key) {
                assert!(
                    serde_json::from_str::<serde_json::Value>(json).is_ok_and(|json| json.is_object() || json.is_array()),
                    "{key}: {json}"
                );
            }
        }
        for side in ["input", "output"] {
            if text(span, &format!("{side}.mime_type")) == Some("application/json") {
                let value = text(span, &format!("{side}.value")).unwrap();
                assert!(serde_json::from_str::<serde_json::Value>(value).is_ok(), "{value}");
            }
        }
    }
}

#[test]
fn details_of_usage_are_parts_of_their_total() {
    for span in drafts(80, 24, 4).iter().flat_map(|draft| &draft.spans) {
        let Some(input) = integer(span, "gen_ai.usage.input_tokens") else { continue };
        let read = integer(span, "gen_ai.usage.cache_read.input_tokens").unwrap_or(0);
        let written = integer(span, "gen_ai.usage.cache_creation.input_tokens").unwrap_or(0);
        assert!(read + written <= input);
        assert!(integer(span, "gen_ai.usage.reasoning.output_tokens").unwrap_or(0) <= integer(span, "gen_ai.usage.output_tokens").unwrap());
    }
}

#[test]
fn requests_are_of_moderate_size_and_carry_everything() {
    let set = drafts(60, 24, 1);
    let spans: usize = set.iter().map(|draft| draft.spans.len()).sum();
    let requests = requests(set);
    assert_eq!(requests.iter().map(count).sum::<usize>(), spans);
    for request in &requests {
        assert!(count(request) <= SPANS_PER_REQUEST);
        assert!(request.encoded_len() < 1 << 20, "{} bytes", request.encoded_len());
    }
}
