//! Hostile bodies from honest ones: the messages of captured requests are bent where conventions look (indices, depth, sizes, types,
//! times, ids), then their bytes are.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message as _;

use super::target::Encoding;
use brokle::observability::otlp::encode_traces;

/// Numbers in a row that depend on the seed alone (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// Small numbers mostly, large ones now and then.
    fn size(&mut self, most: usize) -> usize {
        let bits = most.ilog2() + 1;
        let bound = 1_usize << self.below(bits as usize + 1);
        self.below(bound.min(most) + 1)
    }
}

const NUMBERS: [&str; 12] =
    ["0", "-1", "999999999", "18446744073709551615", "18446744073709551616", "1e400", "-1e-400", "NaN", "Infinity", "0.1", "+5", "0000007"];
const TEXTS: [&str; 14] = [
    "",
    " ",
    "\u{0}",
    "\u{FFFD}",
    "{",
    "[",
    "{\"a\":",
    "[{\"role\":\"user\",\"content\":\"x\"}]",
    "{'a': None}",
    "\"",
    "\\u0000",
    "\u{1}",
    "{\"input\":1e99,\"usage\":{\"a\":[1,2]}}",
    "__proto__",
];
const TIMES: [u64; 6] = [0, 1, 946_684_800_000_000_000, 1_768_478_400_000_000_000, i64::MAX as u64, u64::MAX];

/// Makes bodies from a corpus.
pub struct Mutator {
    corpus: Vec<ExportTraceServiceRequest>,
    keys: Vec<String>,
}

impl Mutator {
    /// A mutator of these requests; each is cut to a few spans, so that a run is short.
    pub fn new(mut corpus: Vec<ExportTraceServiceRequest>) -> Self {
        let mut keys = Vec::new();
        for request in &mut corpus {
            for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
                scope.spans.truncate(3);
                for span in &mut scope.spans {
                    keys.extend(span.attributes.iter().map(|attribute| attribute.key.clone()));
                }
            }
        }
        keys.sort();
        keys.dedup();
        Self { corpus, keys }
    }

    /// The body of a seed: the same for the same seed.
    pub fn body(&self, seed: u64, encoding: Encoding) -> Vec<u8> {
        let mut chance = Chance::new(seed);
        let mut request = chance.of(&self.corpus).cloned().unwrap_or_default();
        for _ in 0..chance.below(5) {
            self.bend(&mut request, &mut chance);
        }
        let mut body = match encoding {
            Encoding::Json => encode_traces(&request),
            Encoding::Protobuf => request.encode_to_vec(),
        };
        if chance.one_in(2) {
            for _ in 0..=chance.below(6) {
                match encoding {
                    Encoding::Json if chance.one_in(2) => bend_json(&mut body, &mut chance),
                    _ => bend_bytes(&mut body, &mut chance),
                }
            }
        }
        body
    }

    fn span<'a>(request: &'a mut ExportTraceServiceRequest, chance: &mut Chance) -> Option<&'a mut Span> {
        let at = chance.next();
        let mut spans: Vec<&mut Span> =
            request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).flat_map(|scope| &mut scope.spans).collect();
        let count = spans.len();
        (count > 0).then(|| spans.swap_remove(usize::try_from(at % count as u64).unwrap_or(0)))
    }

    fn bend(&self, request: &mut ExportTraceServiceRequest, chance: &mut Chance) {
        let what = chance.below(16);
        if what == 0 {
            // Another request beside it, or its resource and scope with these spans.
            let other = chance.of(&self.corpus).cloned().unwrap_or_default();
            request.resource_spans.extend(other.resource_spans);
            return;
        }
        if what == 1 {
            let attribute = self.attribute(chance);
            for resource in &mut request.resource_spans {
                match &mut resource.resource {
                    Some(resource) if chance.one_in(2) => resource.attributes.push(attribute.clone()),
                    place => *place = None,
                }
            }
            return;
        }
        if what == 2 && chance.one_in(8) {
            let times = chance.size(200);
            for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).take(1) {
                if let Some(span) = scope.spans.first().cloned() {
                    scope.spans.extend(std::iter::repeat_n(span, times));
                }
            }
            return;
        }
        let Some(span) = Self::span(request, chance) else { return };
        let at = chance.below(span.attributes.len());
        match what {
            3 => {
                if let Some(attribute) = span.attributes.get_mut(at) {
                    attribute.key = bent_key(&attribute.key, chance);
                }
            }
            4 | 5 => {
                let value = value(chance, &self.keys);
                if let Some(attribute) = span.attributes.get_mut(at) {
                    attribute.value = value;
                }
            }
            6 => {
                let most = if chance.one_in(20) { 3_000 } else { 20 };
                let times = chance.size(most);
                if let Some(attribute) = span.attributes.get(at).cloned() {
                    span.attributes.extend(std::iter::repeat_n(attribute, times));
                }
            }
            7 => {
                let prefix = chance.of(&self.keys).cloned().unwrap_or_default();
                let tail = prefix.trim_end_matches(|character: char| character.is_ascii_digit());
                for index in 0..chance.size(50) {
                    let index = if chance.one_in(4) { chance.of(&NUMBERS).copied().unwrap_or("0").to_owned() } else { index.to_string() };
                    let value = value(chance, &self.keys);
                    span.attributes.push(KeyValue { key: format!("{tail}{index}.message.content"), value, ..KeyValue::default() });
                }
            }
            8 => {
                if let Some(place) = span.attributes.get_mut(at) {
                    place.value = Some(nested(chance));
                }
            }
            9 => {
                let times = (chance.of(&TIMES).copied(), chance.of(&TIMES).copied());
                (span.start_time_unix_nano, span.end_time_unix_nano) = (times.0.unwrap_or(0), times.1.unwrap_or(0));
            }
            10 => {
                let length = chance.below(20);
                let id = if chance.one_in(2) { &mut span.parent_span_id } else { &mut span.span_id };
                id.resize(length, 0);
            }
            11 => {
                let name = ["gen_ai.choice", "gen_ai.user.message", "exception", "gen_ai.content.prompt"];
                for _ in 0..=chance.below(3) {
                    span.events.push(Event {
                        name: chance.of(&name).copied().unwrap_or_default().to_owned(),
                        time_unix_nano: chance.of(&TIMES).copied().unwrap_or(0),
                        attributes: vec![self.attribute(chance), self.attribute(chance)],
                        ..Event::default()
                    });
                }
            }
            12 => span.kind = i32::from_le_bytes([chance.next() as u8; 4]),
            13 => span.status = None,
            14 => {
                span.attributes.sort_by_cached_key(|_| chance.next());
                span.attributes.truncate(at + 1);
            }
            _ => {
                let attribute = self.attribute(chance);
                span.attributes.push(attribute);
            }
        }
    }

    fn attribute(&self, chance: &mut Chance) -> KeyValue {
        let key = chance.of(&self.keys).cloned().unwrap_or_default();
        KeyValue { key, value: value(chance, &self.keys), ..KeyValue::default() }
    }
}

fn bent_key(key: &str, chance: &mut Chance) -> String {
    match chance.below(5) {
        0 => format!("{key}{}", ".0".repeat(chance.size(2_000))),
        1 => format!("{key}.{}", chance.of(&NUMBERS).copied().unwrap_or("")),
        2 => key.replace(|character: char| character.is_ascii_digit(), chance.of(&NUMBERS).copied().unwrap_or("")),
        3 => key.chars().take(chance.below(key.len() + 1)).collect(),
        _ => format!("{}{key}", chance.of(&TEXTS).copied().unwrap_or("")),
    }
}

fn text(chance: &mut Chance, keys: &[String]) -> String {
    let part = match chance.below(4) {
        0 => chance.of(&NUMBERS).copied().unwrap_or(""),
        1 => chance.of(keys).map_or("", String::as_str),
        _ => chance.of(&TEXTS).copied().unwrap_or(""),
    };
    let times = if chance.one_in(30) { chance.size(20_000) } else { chance.size(4) };
    part.repeat(times.max(1))
}

fn value(chance: &mut Chance, keys: &[String]) -> Option<AnyValue> {
    let value = match chance.below(9) {
        0 => return None,
        1 => return Some(AnyValue::default()),
        2 => Value::IntValue(chance.next().cast_signed() >> chance.below(64)),
        3 => Value::DoubleValue(f64::from_bits(chance.next())),
        4 => Value::BoolValue(chance.one_in(2)),
        5 => Value::BytesValue(chance.next().to_le_bytes().repeat(chance.size(20))),
        6 => {
            let item = AnyValue { value: Some(Value::BytesValue(Vec::new())) };
            Value::ArrayValue(ArrayValue { values: vec![item; chance.size(500)] })
        }
        _ => Value::StringValue(text(chance, keys)),
    };
    Some(AnyValue { value: Some(value) })
}

/// A value as deep as the readers go, and deeper.
fn nested(chance: &mut Chance) -> AnyValue {
    let mut inner = AnyValue { value: Some(Value::IntValue(1)) };
    for _ in 0..chance.size(120) {
        let value = if chance.one_in(2) {
            Value::ArrayValue(ArrayValue { values: vec![inner] })
        } else {
            Value::KvlistValue(KeyValueList {
                values: vec![KeyValue { key: "usage".to_owned(), value: Some(inner), ..KeyValue::default() }],
            })
        };
        inner = AnyValue { value: Some(value) };
    }
    inner
}

/// Puts something hostile in the place of a number, a text or a value of JSON.
fn bend_json(body: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(body.len());
    let Some(start) = body.iter().skip(at).position(|byte| b":[,{\"".contains(byte)).map(|offset| at + offset + 1) else { return };
    let piece: Vec<u8> = match chance.below(8) {
        0 => chance.of(&NUMBERS).map_or(Vec::new(), |number| number.as_bytes().to_vec()),
        1 => b"[".repeat(chance.size(5_000)),
        2 => b"{\"kvlistValue\":{\"values\":[".repeat(chance.size(200)),
        3 => b"{\"arrayValue\":{\"values\":[".repeat(chance.size(200)),
        4 => b"null".to_vec(),
        5 => b"\"\\ud800\\u0000\"".to_vec(),
        6 => b"{},".repeat(chance.size(2_000)),
        _ => b"\"value\":{\"stringValue\":\"x\"},".repeat(chance.size(30)),
    };
    let end = (start + chance.below(12)).min(body.len());
    body.splice(start..end, piece);
}

/// Flips, cuts, copies and overwrites bytes.
fn bend_bytes(body: &mut Vec<u8>, chance: &mut Chance) {
    if body.is_empty() {
        body.push(chance.next() as u8);
        return;
    }
    let at = chance.below(body.len());
    match chance.below(7) {
        0 | 1 => body[at] ^= 1 << chance.below(8),
        2 => body[at] = chance.of(&[0, 0x7F, 0x80, 0xFF, b'"', b'{', b'[', b'\\']).copied().unwrap_or(0),
        3 => body.truncate(at),
        // A length that says more than there is.
        4 => {
            let end = (at + chance.below(4)).min(body.len());
            body.splice(at..end, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F].into_iter().take(1 + chance.below(5)));
        }
        5 => {
            let end = (at + chance.size(300)).min(body.len());
            let piece = body[at..end].to_vec();
            let to = chance.below(body.len());
            body.splice(to..to, piece.repeat(1 + chance.size(8)));
        }
        _ => {
            let end = (at + chance.size(60)).min(body.len());
            body.drain(at..end);
        }
    }
}
