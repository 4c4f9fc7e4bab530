//! Reading OTLP/protobuf trace requests whose texts are not all UTF-8.
//!
//! The protocol wants UTF-8, and the protobuf reader refuses a whole batch for one broken byte. Some SDKs pass on what a
//! program printed, so a batch that is refused is gone through once more: broken texts are repaired, everything else stays
//! as it was sent, and the result is read again.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::encoding::{decode_varint, encode_varint};
use prost::{DecodeError, Message as _};

use super::text::lossy_text;

/// Decodes the body of an OTLP/protobuf trace export; what is no UTF-8 in a text becomes U+FFFD.
///
/// # Errors
/// When the body is no such message for another reason than broken texts.
pub fn decode_traces_protobuf(body: &[u8]) -> Result<ExportTraceServiceRequest, DecodeError> {
    ExportTraceServiceRequest::decode(body).or_else(|error| repair_traces_protobuf(body).unwrap_or(Err(error)))
}

/// Decodes a body after its texts were repaired; nothing where it is no well-formed message.
pub fn repair_traces_protobuf(body: &[u8]) -> Option<Result<ExportTraceServiceRequest, DecodeError>> {
    let repaired = repair(body, Message::Request, MAX_DEPTH)?;
    Some(ExportTraceServiceRequest::decode(repaired.as_slice()))
}

/// The depth to which the protobuf reader follows messages: the request, and 100 levels within it.
pub(super) const MAX_DEPTH: u32 = 101;

/// The messages of a trace request that hold texts.
#[derive(Clone, Copy)]
pub(super) enum Message {
    Request,
    ResourceSpans,
    Resource,
    EntityRef,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    Array,
    KvList,
}

impl Message {
    pub(super) const COUNT: usize = 14;
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Request,
        Self::ResourceSpans,
        Self::Resource,
        Self::EntityRef,
        Self::ScopeSpans,
        Self::Scope,
        Self::Span,
        Self::Event,
        Self::Link,
        Self::Status,
        Self::KeyValue,
        Self::AnyValue,
        Self::Array,
        Self::KvList,
    ];
}

/// What a length-delimited field holds.
pub(super) enum Content {
    Text,
    Message(Message),
    /// Bytes, or a field that is not known.
    Other,
}

/// The fields of `opentelemetry/proto/{collector/trace,trace,resource,common}/v1` that are texts or messages.
pub(super) fn content(message: Message, field: u64) -> Content {
    use Message as M;
    match (message, field) {
        (M::Request, 1) => Content::Message(M::ResourceSpans),
        (M::ResourceSpans, 1) => Content::Message(M::Resource),
        (M::ResourceSpans, 2) => Content::Message(M::ScopeSpans),
        (M::ScopeSpans, 1) => Content::Message(M::Scope),
        (M::ScopeSpans, 2) => Content::Message(M::Span),
        (M::Resource, 3) => Content::Message(M::EntityRef),
        (M::Span, 11) => Content::Message(M::Event),
        (M::Span, 13) => Content::Message(M::Link),
        (M::Span, 15) => Content::Message(M::Status),
        (M::Resource | M::KvList, 1) | (M::Scope | M::Event, 3) | (M::Span, 9) | (M::Link, 4) => Content::Message(M::KeyValue),
        (M::KeyValue, 2) | (M::Array, 1) => Content::Message(M::AnyValue),
        (M::AnyValue, 5) => Content::Message(M::Array),
        (M::AnyValue, 6) => Content::Message(M::KvList),
        (M::ResourceSpans | M::ScopeSpans | M::Link | M::Span, 3)
        | (M::EntityRef, 1..=4)
        | (M::Scope, 1 | 2)
        | (M::Span, 5)
        | (M::Event | M::Status, 2)
        | (M::KeyValue | M::AnyValue, 1) => Content::Text,
        _ => Content::Other,
    }
}

/// The message with its texts repaired; nothing where it is no well-formed message.
fn repair(mut rest: &[u8], message: Message, depth: u32) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let mut out = Vec::with_capacity(rest.len() + 16);
    while !rest.is_empty() {
        let before = rest;
        let tag = decode_varint(&mut rest).ok()?;
        let skip = match tag & 7 {
            0 => {
                decode_varint(&mut rest).ok()?;
                0
            }
            1 => 8,
            5 => 4,
            2 => {
                let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                let repaired = match content(message, tag >> 3) {
                    Content::Text => lossy_text(value).into_bytes(),
                    Content::Message(inner) => repair(value, inner, depth)?,
                    Content::Other => value.to_vec(),
                };
                encode_varint(tag, &mut out);
                encode_varint(u64::try_from(repaired.len()).ok()?, &mut out);
                out.extend_from_slice(&repaired);
                continue;
            }
            _ => return None,
        };
        rest = rest.get(skip..)?;
        out.extend_from_slice(before.get(..before.len() - rest.len())?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::observability::convert::arbitrary;
    use crate::observability::convert::testing::{kvlist, pairs, request, span, value};

    #[test]
    fn a_broken_text_costs_a_character_and_not_the_batch() {
        let nested = kvlist(&[("k", value(vec![value("deep-MARK")]))]);
        let mut span = span(pairs(&[("a", value("x-MARK-y")), ("b", nested), ("n", value(5))]));
        span.name = "MARK".to_owned();
        let mut body = request(span, pairs(&[("service.name", value("shop"))])).encode_to_vec();
        while let Some(at) = body.windows(4).position(|window| window == b"MARK") {
            body[at..at + 4].copy_from_slice(b"M\xFF\xFEK");
        }
        assert!(ExportTraceServiceRequest::decode(body.as_slice()).is_err());
        let decoded = decode_traces_protobuf(&body).unwrap();
        let span = &decoded.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.name, "M\u{FFFD}\u{FFFD}K");
        assert_eq!(span.attributes[0].value, Some(value("x-M\u{FFFD}\u{FFFD}K-y")));
        assert_eq!(span.attributes[1].value, Some(kvlist(&[("k", value(vec![value("deep-M\u{FFFD}\u{FFFD}K")]))])));
        assert_eq!(span.span_id, (1..=8).collect::<Vec<u8>>());
    }

    #[test]
    fn other_faults_stay_errors() {
        assert!(decode_traces_protobuf(b"{\"resourceSpans\":[]}").is_err());
        assert!(decode_traces_protobuf(&[10, 200]).is_err());
        assert_eq!(decode_traces_protobuf(&[]).unwrap(), ExportTraceServiceRequest::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn repairing_what_is_whole_changes_nothing(request in arbitrary::request()) {
            let body = request.encode_to_vec();
            prop_assert_eq!(repair(&body, Message::Request, MAX_DEPTH), Some(body.clone()));
        }

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_traces_protobuf(&body);
        }
    }
}
