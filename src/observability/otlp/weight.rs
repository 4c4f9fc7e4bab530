//! What a body will take in memory once it is decoded, from a look at its bytes that allocates nothing.
//!
//! Two bytes on the wire may be a span of a quarter of a kilobyte in memory, and the attributes of a resource are repeated in the
//! row of each of its spans. So bytes are weighed before they are decoded, and the weight is what the memory budget is asked for.

use std::mem::size_of;

use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::encoding::decode_varint;

use super::protobuf::{Content, MAX_DEPTH, Message, content};

/// The smallest piece of memory that a text takes.
const LEAST: usize = 16;
/// Beside its own fields a span may leave a refusal behind.
const SPAN: usize = size_of::<Span>() + 48;
/// Levels that the JSON reader follows.
const JSON_DEPTH: usize = 128;

/// What a trace request will take in memory, in bytes, rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// The decoded messages and their texts.
    pub decoded: usize,
    pub spans: usize,
    /// The attributes of resources and scopes, counted once for each span that repeats them.
    pub repeated: usize,
    /// The largest resource or scope that spans repeat.
    pub shared: usize,
}

impl Weight {
    fn add_list(&mut self, items: usize, size: usize) {
        if items > 0 {
            // A list grows by doubling, from four.
            let room = items.checked_next_power_of_two().unwrap_or(usize::MAX).max(4);
            self.decoded = self.decoded.saturating_add(room.saturating_mul(size));
        }
    }

    fn add_text(&mut self, bytes: usize) {
        if bytes > 0 {
            self.decoded = self.decoded.saturating_add(bytes.saturating_add(LEAST));
        }
    }

    fn add_repeated(&mut self, spans: usize, bytes: usize) {
        if spans > 0 {
            self.repeated = self.repeated.saturating_add(spans.saturating_mul(bytes));
            self.shared = self.shared.max(bytes);
        }
    }
}

/// Weighs a protobuf body. What follows a fault is not weighed: the reader stops there too.
#[must_use]
pub fn weigh_protobuf(body: &[u8]) -> Weight {
    let mut weight = Weight::default();
    let _ = weigh(body, Message::Request, MAX_DEPTH, &mut weight);
    weight
}

/// The size in a list of its own; nothing for what lies within its parent.
fn item_size(parent: Message, item: Message) -> usize {
    match item {
        Message::ResourceSpans => size_of::<ResourceSpans>(),
        Message::ScopeSpans => size_of::<ScopeSpans>(),
        Message::Span => SPAN,
        Message::Event => size_of::<Event>(),
        Message::Link => size_of::<Link>(),
        Message::KeyValue => size_of::<KeyValue>(),
        Message::EntityRef => size_of::<EntityRef>(),
        Message::AnyValue if matches!(parent, Message::Array) => size_of::<AnyValue>(),
        _ => 0,
    }
}

/// Adds a message to `weight`; returns how many spans it holds, also when it is broken off by a fault.
fn weigh(mut rest: &[u8], message: Message, depth: u32, weight: &mut Weight) -> Result<usize, usize> {
    let mut items = [0_usize; Message::COUNT];
    let (mut spans, mut shared) = (0, 0);
    let mut whole = true;
    let Some(depth) = depth.checked_sub(1) else { return Err(0) };
    while !rest.is_empty() {
        let Some((number, value)) = next_field(&mut rest) else {
            whole = false;
            break;
        };
        match content(message, number) {
            Content::Text | Content::Other => weight.add_text(value.len()),
            Content::Message(inner) => {
                items[inner as usize] += 1;
                let before = weight.decoded;
                let found = weigh(value, inner, depth, weight);
                whole = found.is_ok();
                let found = found.unwrap_or_else(|found| found);
                spans += found + usize::from(matches!(inner, Message::Span));
                if matches!(inner, Message::Resource | Message::Scope) {
                    // As texts in a row attributes take up to twice as much: numbers are spelt out, keys stand in two maps.
                    shared += 2 * (weight.decoded - before);
                }
                if !whole {
                    break;
                }
            }
        }
    }
    for inner in Message::ALL {
        weight.add_list(items[inner as usize], item_size(message, inner));
    }
    weight.spans += items[Message::Span as usize];
    weight.add_repeated(spans, shared);
    if whole { Ok(spans) } else { Err(spans) }
}

/// Reads a field: its number and value where it is length-delimited, else the number of no field. Nothing is a fault or the end.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = decode_varint(rest).ok()?;
    let skip = match tag & 7 {
        0 => {
            decode_varint(rest).ok()?;
            0
        }
        1 => 8,
        5 => 4,
        3 => {
            skip_group(rest)?;
            0
        }
        2 => {
            let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
            let (value, after) = rest.split_at_checked(length)?;
            *rest = after;
            return Some((tag >> 3, value));
        }
        _ => return None,
    };
    *rest = rest.get(skip..)?;
    Some((0, &[]))
}

/// Passes over a group whose beginning was read, and the groups within it. No message here has groups, and the reader skips them too:
/// what follows counts.
fn skip_group(rest: &mut &[u8]) -> Option<()> {
    let mut open = 1_usize;
    while open > 0 {
        let tag = decode_varint(rest).ok()?;
        let skip = match tag & 7 {
            0 => decode_varint(rest).map(|_| 0).ok()?,
            1 => 8,
            5 => 4,
            2 => usize::try_from(decode_varint(rest).ok()?).ok()?,
            3 => {
                open += 1;
                0
            }
            4 => {
                open -= 1;
                0
            }
            _ => return None,
        };
        *rest = rest.get(skip..)?;
    }
    Some(())
}

/// The texts of a protobuf body that are no UTF-8, in bytes; nothing where there are none.
#[must_use]
pub fn broken_texts(body: &[u8]) -> usize {
    fn count(mut rest: &[u8], message: Message, depth: u32) -> usize {
        let Some(depth) = depth.checked_sub(1) else { return 0 };
        let mut broken = 0;
        while let Some((number, value)) = next_field(&mut rest) {
            broken += match content(message, number) {
                Content::Text if std::str::from_utf8(value).is_err() => value.len(),
                Content::Message(inner) => count(value, inner, depth),
                Content::Text | Content::Other => 0,
            };
        }
        broken
    }
    count(body, Message::Request, MAX_DEPTH)
}

/// A list or an object of JSON that is open.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Of one item.
    size: usize,
    /// Commas so far.
    items: usize,
    is_list: bool,
    /// Where its contents begin.
    start: usize,
    /// What this is, for the few that matter here.
    what: What,
    spans: usize,
    shared: usize,
    /// The weight at its beginning.
    before: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum What {
    #[default]
    Other,
    Spans,
    /// `resource` or `scope`: what its neighbours repeat.
    Shared,
    /// Any of them.
    Doubt,
}

/// What the list or object under a key is, and the size of its items. A key that is not known may be a known one in escapes.
fn under(key: &[u8]) -> (What, usize) {
    match key {
        b"spans" => (What::Spans, SPAN),
        b"attributes" | b"values" => (What::Other, size_of::<KeyValue>()),
        b"events" => (What::Other, size_of::<Event>()),
        b"links" => (What::Other, size_of::<Link>()),
        b"resource" | b"scope" => (What::Shared, SPAN),
        b"value" | b"status" | b"arrayValue" | b"kvlistValue" | b"array_value" | b"kvlist_value" => (What::Other, SPAN),
        key if key.contains(&b'\\') => (What::Doubt, SPAN),
        _ => (What::Other, SPAN),
    }
}

/// Weighs a JSON body. What follows a fault is weighed as if there were none.
#[must_use]
pub fn weigh_json(body: &[u8]) -> Weight {
    let mut weight = Weight::default();
    let mut open = [Open::default(); JSON_DEPTH + 1];
    let mut depth = 0;
    // Levels that are too deep for the reader: it only passes over them, and so does this.
    let mut beyond = 0_usize;
    let mut key: &[u8] = b"";
    let mut expects_key = false;
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let start = at;
                at = end_of_string(body, at);
                let text = &body[start..at.min(body.len())];
                at += 1;
                if expects_key {
                    key = text;
                } else {
                    // A byte that is no Unicode becomes three that are.
                    let broken = std::str::from_utf8(text).is_err();
                    weight.add_text(if broken { text.len().saturating_mul(3) } else { text.len() });
                }
                expects_key = false;
            }
            b'{' | b'[' => {
                if depth == JSON_DEPTH {
                    beyond += 1;
                    expects_key = false;
                    continue;
                }
                let (what, size) = if open[depth].is_list { (What::Other, SPAN) } else { under(key) };
                depth += 1;
                let is_list = *byte == b'[';
                open[depth] = Open { size, is_list, start: at, what, before: weight.decoded, ..Open::default() };
                expects_key = !is_list;
                key = b"";
            }
            b'}' | b']' if beyond > 0 => {
                beyond -= 1;
                expects_key = false;
            }
            b',' if beyond == 0 => {
                open[depth].items += 1;
                expects_key = !open[depth].is_list;
            }
            b'}' | b']' if depth > 0 => {
                close(&mut weight, &mut open, depth, &body[..at - 1]);
                depth -= 1;
                expects_key = false;
            }
            _ => {}
        }
    }
    for depth in (1..=depth).rev() {
        close(&mut weight, &mut open, depth, body);
    }
    weight
}

fn end_of_string(body: &[u8], mut at: usize) -> usize {
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    body.len()
}

/// Adds the list or object that ends where `body` ends.
fn close(weight: &mut Weight, open: &mut [Open; JSON_DEPTH + 1], depth: usize, body: &[u8]) {
    let closed = open[depth];
    let mut spans = closed.spans;
    if closed.is_list {
        let empty = body.get(closed.start..).is_none_or(|contents| contents.iter().all(u8::is_ascii_whitespace));
        let items = if empty { 0 } else { closed.items + 1 };
        weight.add_list(items, closed.size);
        if matches!(closed.what, What::Spans | What::Doubt) {
            weight.spans += items;
            spans += items;
        }
    } else {
        weight.add_repeated(spans, closed.shared);
    }
    let parent = &mut open[depth - 1];
    parent.spans += spans;
    if !closed.is_list && matches!(closed.what, What::Shared | What::Doubt) {
        parent.shared = parent.shared.saturating_add(2 * (weight.decoded - closed.before));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::observability::convert::arbitrary;
    use crate::observability::convert::testing::{pairs, request, span, value};
    use crate::observability::otlp::{decode_traces, decode_traces_protobuf, encode_traces};

    /// Two bytes each: a field of a request's only scope.
    fn many(tag: u8, count: usize) -> Vec<u8> {
        [tag, 0].repeat(count)
    }

    fn nested(tags: &[u8], mut body: Vec<u8>) -> Vec<u8> {
        for tag in tags.iter().rev() {
            let mut outer = vec![*tag];
            prost::encoding::encode_varint(body.len() as u64, &mut outer);
            outer.extend(body);
            body = outer;
        }
        body
    }

    #[test]
    fn empty_messages_weigh_what_they_take() {
        let spans = weigh_protobuf(&nested(&[0x0a, 0x12], many(0x12, 1_000_000)));
        assert_eq!(spans.spans, 1_000_000);
        assert!(spans.decoded >= 1_000_000 * size_of::<Span>(), "{spans:?}");
        let attributes = weigh_protobuf(&nested(&[0x0a, 0x12, 0x12], many(0x4a, 1_000_000)));
        assert!(attributes.decoded >= 1_000_000 * size_of::<KeyValue>(), "{attributes:?}");
        let resources = weigh_protobuf(&many(0x0a, 1_000_000));
        assert!(resources.decoded >= 1_000_000 * size_of::<ResourceSpans>(), "{resources:?}");
        let body = format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{}]}}]}}]}}", vec!["{}"; 10_000].join(","));
        let json = weigh_json(body.as_bytes());
        assert_eq!(json.spans, 10_000);
        assert!(json.decoded >= 10_000 * size_of::<Span>(), "{json:?}");
        let escaped = weigh_json(body.replace("spans", "sp\\u0061ns").as_bytes());
        assert!(escaped.spans >= 10_000 && escaped.decoded >= json.decoded, "{escaped:?}");
        let values = format!("{{\"values\":[{}]}}", vec!["1"; 10_000].join(","));
        assert!(weigh_json(values.as_bytes()).decoded >= 10_000 * size_of::<AnyValue>());
    }

    #[test]
    fn a_resource_weighs_once_for_each_span() {
        let mut many = request(span(Vec::new()), pairs(&[("text", value("x".repeat(1_000).as_str()))]));
        let one = many.resource_spans[0].scope_spans[0].spans[0].clone();
        many.resource_spans[0].scope_spans[0].spans = vec![one; 100];
        for weight in [weigh_protobuf(&many.encode_to_vec()), weigh_json(&encode_traces(&many))] {
            assert_eq!(weight.spans, 100);
            assert!((100_000..1_000_000).contains(&weight.repeated), "{weight:?}");
            assert!((1_000..10_000).contains(&weight.shared), "{weight:?}");
        }
    }

    /// What the reader reads is weighed, however deep the value before it is, and whatever it skips.
    #[test]
    fn nothing_hides_what_follows_it() {
        for levels in 40..60 {
            let deep = (0..levels).fold(value(1), |inner, _| value(vec![inner]));
            let mut two = request(span(pairs(&[("deep", deep)])), Vec::new());
            let one = span(Vec::new());
            two.resource_spans[0].scope_spans[0].spans.push(one);
            let body = two.encode_to_vec();
            if let Ok(read) = decode_traces_protobuf(&body) {
                assert_eq!(weigh_protobuf(&body).spans, read.resource_spans[0].scope_spans[0].spans.len(), "{levels} levels");
            }
        }
        for levels in [1, 50, 100, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 1_000] {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            let body = format!(
                "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"unknown\":{open}{{\"a\":\"b\",\"c\":[1,2]}}{close},\"spans\":[{{}},{{}}]}}]}}]}}"
            );
            if let Ok(read) = decode_traces(body.as_bytes()) {
                assert_eq!(weigh_json(body.as_bytes()).spans, read.resource_spans[0].scope_spans[0].spans.len(), "{levels} levels");
            }
        }
        // An unknown group, with another in it, before the request's own fields.
        let mut grouped = vec![0x7B, 0x08, 0x05, 0x12, 0x01, 0xFF, 0x83, 0x01, 0x84, 0x01, 0x7C];
        grouped.extend(request(span(Vec::new()), Vec::new()).encode_to_vec());
        assert_eq!(decode_traces_protobuf(&grouped).unwrap().resource_spans.len(), 1);
        assert_eq!(weigh_protobuf(&grouped).spans, 1);
    }

    #[test]
    fn an_ordinary_body_weighs_a_few_times_its_size() {
        let mut many = request(
            span(pairs(&[("gen_ai.request.model", value("gpt-4o")), ("input.value", value("x".repeat(500).as_str()))])),
            Vec::new(),
        );
        let one = many.resource_spans[0].scope_spans[0].spans[0].clone();
        many.resource_spans[0].scope_spans[0].spans = vec![one; 1_000];
        for (weight, size) in
            [(weigh_protobuf(&many.encode_to_vec()), many.encoded_len()), (weigh_json(&encode_traces(&many)), encode_traces(&many).len())]
        {
            assert!(weight.decoded < 3 * size, "{weight:?} of {size} bytes");
        }
    }

    #[test]
    fn broken_texts_are_counted() {
        let mut one = span(Vec::new());
        one.name = "MARK".to_owned();
        let mut body = request(one, Vec::new()).encode_to_vec();
        assert_eq!(broken_texts(&body), 0);
        let at = body.windows(4).position(|window| window == b"MARK").unwrap();
        body[at + 1] = 0xff;
        assert_eq!(broken_texts(&body), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn both_encodings_weigh_at_least_what_is_in_them(request in arbitrary::request()) {
            let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum::<usize>();
            let texts = request.encoded_len() / 4;
            for weight in [weigh_protobuf(&request.encode_to_vec()), weigh_json(&encode_traces(&request))] {
                prop_assert_eq!(weight.spans, spans);
                prop_assert!(weight.decoded >= spans * size_of::<Span>() + texts);
            }
        }

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\",:a\\\\ ]{0,300}") {
            let (_, _) = (weigh_protobuf(&body), decode_traces_protobuf(&body));
            let (_, _) = (weigh_json(&body), decode_traces(&body));
            let _ = (weigh_json(json.as_bytes()), broken_texts(&body));
        }
    }
}
