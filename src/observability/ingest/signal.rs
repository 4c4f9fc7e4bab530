//! Metrics and logs: counted where they come in, without being decoded.

use std::fmt;

use prost::encoding::decode_varint;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{ApiError, Code};
use crate::http::otlp::Encoding;

/// The signals of OTLP that are counted, not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Metrics,
    Logs,
}

impl Signal {
    /// As in the path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// Whether a body that is no trace request is one of this signal.
    pub(super) fn recognises(self, body: &[u8], json: bool) -> bool {
        if json {
            let key: &[u8] = if self == Self::Logs { b"\"resourceLogs\"" } else { b"\"resourceMetrics\"" };
            return body.windows(key.len()).take(4096).any(|window| window == key);
        }
        self.count_protobuf(body).is_ok_and(|count| count > 0)
    }

    /// The data points or log records of a body.
    pub(super) fn count(self, encoding: Encoding, body: &[u8]) -> Result<u64, ApiError> {
        let wrong =
            |reason: &str| ApiError::new(Code::BadRequest, format!("the body is not a valid OTLP {} request: {reason}", self.name()));
        if encoding == Encoding::Protobuf {
            return self.count_protobuf(body).map_err(wrong);
        }
        // Protobuf under application/json begins with what is a line feed in JSON.
        self.count_json(body).or_else(|error| match self.count_protobuf(body) {
            Ok(count) if body.first() == Some(&b'\n') => Ok(count),
            _ => Err(wrong(&error.to_string())),
        })
    }

    fn count_protobuf(self, body: &[u8]) -> Result<u64, &'static str> {
        count_messages(body, if self == Self::Logs { Message::Logs(0) } else { Message::Metrics(0) })
    }

    fn count_json(self, body: &[u8]) -> Result<u64, serde_json::Error> {
        let path: &[&str] = match self {
            Self::Logs => &["resourceLogs", "scopeLogs", "logRecords"],
            Self::Metrics => &["resourceMetrics", "scopeMetrics", "metrics", "*", "dataPoints"],
        };
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let count = Object(path).deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(count)
    }
}

/// The messages on the way to what is counted; the number is the level, from the request.
#[derive(Clone, Copy)]
enum Message {
    Logs(u8),
    LogRecord,
    Metrics(u8),
    Metric,
    Data,
}

/// What a field holds.
enum Content {
    Message(Message),
    /// What is counted, and how far it is looked into.
    Counted(Option<Message>),
    Other,
    /// The field is of another type in this message.
    Wrong,
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// The fields of `opentelemetry/proto/{logs,metrics}/v1`, as far as they tell the signals apart.
fn content(message: Message, field: u64, wire: u64) -> Content {
    let only = |expected: u64| if wire == expected { Content::Other } else { Content::Wrong };
    match (message, field) {
        (Message::Logs(_) | Message::Metrics(_), 1..=3) if wire != BYTES => Content::Wrong,
        (Message::Logs(0), 1) => Content::Message(Message::Logs(1)),
        (Message::Logs(1), 2) => Content::Message(Message::Logs(2)),
        (Message::Logs(2), 2) => Content::Counted(Some(Message::LogRecord)),
        (Message::LogRecord, 1 | 11) => only(FIXED64),
        (Message::LogRecord, 2 | 7) => only(VARINT),
        (Message::LogRecord, 8) => only(FIXED32),
        (Message::LogRecord, 3 | 5 | 6 | 9 | 10) => only(BYTES),
        (Message::Metrics(0), 1) => Content::Message(Message::Metrics(1)),
        (Message::Metrics(1), 2) => Content::Message(Message::Metrics(2)),
        (Message::Metrics(2), 2) => Content::Message(Message::Metric),
        (Message::Metric, 1..=3 | 5 | 7 | 9..=11) if wire != BYTES => Content::Wrong,
        (Message::Metric, 5 | 7 | 9 | 10 | 11) => Content::Message(Message::Data),
        (Message::Data, 1) if wire == BYTES => Content::Counted(None),
        (Message::Data, 1) => Content::Wrong,
        _ => Content::Other,
    }
}

/// Counts on the wire. Fields that do not lead to what is counted are passed over.
fn count_messages(mut rest: &[u8], message: Message) -> Result<u64, &'static str> {
    const CUT: &str = "the protobuf message is cut off";
    let mut count = 0;
    while !rest.is_empty() {
        let tag = decode_varint(&mut rest).map_err(|_| "invalid protobuf tag")?;
        let (field, wire) = (tag >> 3, tag & 7);
        let value = match wire {
            VARINT => {
                decode_varint(&mut rest).map_err(|_| CUT)?;
                &[]
            }
            FIXED64 => rest.split_off(..8).ok_or(CUT)?,
            FIXED32 => rest.split_off(..4).ok_or(CUT)?,
            BYTES => {
                let length = decode_varint(&mut rest).ok().and_then(|length| usize::try_from(length).ok()).ok_or(CUT)?;
                rest.split_off(..length).ok_or(CUT)?
            }
            _ => return Err("invalid protobuf wire type"),
        };
        match content(message, field, wire) {
            Content::Message(inner) => count += count_messages(value, inner)?,
            Content::Counted(inner) => {
                if let Some(inner) = inner {
                    count_messages(value, inner)?;
                }
                count += 1;
            }
            Content::Other if field == 0 => return Err("invalid protobuf tag"),
            Content::Other => {}
            Content::Wrong => return Err("a field is of another type than the protocol's"),
        }
    }
    Ok(count)
}

/// Counts what lies under a path of keys, streaming; `*` is any key.
struct Object(&'static [&'static str]);

/// What lies under a key: a list of what the path leads on from, or under `*` such an object itself.
struct Under {
    path: &'static [&'static str],
    is_any: bool,
}

impl<'de> DeserializeSeed<'de> for Object {
    type Value = u64;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = u64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.0.first().filter(|key| **key != "*").unwrap_or(&"data"))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let mut count = 0;
        let Some((wanted, rest)) = self.0.split_first() else { return Ok(0) };
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let is_any = *wanted == "*";
            count += if is_any || key == *wanted {
                map.next_value_seed(Under { path: rest, is_any })?
            } else {
                map.next_value::<IgnoredAny>()?;
                0
            };
        }
        Ok(count)
    }
}

impl<'de> DeserializeSeed<'de> for Under {
    type Value = u64;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// An item of a list: counted where the path ends.
struct Item(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Item {
    type Value = u64;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        if self.0.is_empty() {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| 1);
        }
        Object(self.0).deserialize(deserializer)
    }
}

impl<'de> Visitor<'de> for Under {
    type Value = u64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        let mut count = 0;
        if self.is_any {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(0);
        }
        while let Some(items) = seq.next_element_seed(Item(self.path))? {
            count += items;
        }
        Ok(count)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<u64, A::Error> {
        if self.is_any { Object(self.path).visit_map(map) } else { Err(A::Error::custom("expected a list, found an object")) }
    }
    fn visit_unit<E>(self) -> Result<u64, E> {
        Ok(0)
    }
    fn visit_bool<E>(self, _: bool) -> Result<u64, E> {
        Ok(0)
    }
    fn visit_i64<E>(self, _: i64) -> Result<u64, E> {
        Ok(0)
    }
    fn visit_u64<E>(self, _: u64) -> Result<u64, E> {
        Ok(0)
    }
    fn visit_f64<E>(self, _: f64) -> Result<u64, E> {
        Ok(0)
    }
    fn visit_str<E>(self, _: &str) -> Result<u64, E> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::{Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics};
    use prost::Message as _;

    use super::*;
    use crate::observability::convert::testing::{request, span};

    /// A request whose first message takes `bytes` bytes.
    fn logs(records: usize, bytes: usize) -> Vec<u8> {
        let make = |text: usize| {
            let record = LogRecord { severity_text: "x".repeat(text), time_unix_nano: 5, ..LogRecord::default() };
            let scope_logs = vec![ScopeLogs { log_records: vec![record; records], ..ScopeLogs::default() }];
            ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
        };
        let text = (0..=bytes).find(|text| make(*text).resource_logs[0].encoded_len() >= bytes).unwrap();
        make(text).encode_to_vec()
    }

    fn metrics() -> Vec<u8> {
        let gauge = Gauge { data_points: vec![NumberDataPoint { time_unix_nano: 7, ..NumberDataPoint::default() }; 3] };
        let metric = Metric { name: "m".to_owned(), data: Some(Data::Gauge(gauge)), ..Metric::default() };
        let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
        ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }] }
            .encode_to_vec()
    }

    #[test]
    fn counts_on_the_wire() {
        assert_eq!(Signal::Logs.count(Encoding::Protobuf, &logs(4, 100)).unwrap(), 4);
        assert_eq!(Signal::Metrics.count(Encoding::Protobuf, &metrics()).unwrap(), 3);
        assert_eq!(Signal::Logs.count(Encoding::Protobuf, &[]).unwrap(), 0);
    }

    #[test]
    fn tells_the_signals_apart() {
        let traces = request(span(Vec::new()), Vec::new()).encode_to_vec();
        assert!(!Signal::Logs.recognises(&traces, false) && !Signal::Metrics.recognises(&traces, false));
        assert!(Signal::Logs.recognises(&logs(1, 50), false) && !Signal::Metrics.recognises(&logs(1, 50), false));
        assert!(Signal::Metrics.recognises(&metrics(), false) && !Signal::Logs.recognises(&metrics(), false));
        assert!(Signal::Logs.count(Encoding::Protobuf, &logs(1, 100)[..60]).is_err());
    }

    #[test]
    fn protobuf_under_the_name_of_json_is_counted_whatever_its_length() {
        for bytes in [91, 123, 125] {
            let body = logs(1, bytes);
            assert_eq!(usize::from(body[1]), bytes, "the length of the first message");
            assert_eq!(Signal::Logs.count(Encoding::Json, &body).unwrap(), 1, "{bytes}");
        }
    }

    #[test]
    fn counts_json_without_building_it() {
        let body = br#"{"resourceMetrics":[{"resource":{"attributes":[]},"scopeMetrics":[{"metrics":[
            {"name":"m","gauge":{"dataPoints":[{},{}]}},{"name":"n","sum":{"dataPoints":[{"x":[[1]]}],"isMonotonic":true},"metadata":[{}]}]},{"metrics":null}]}]}"#;
        assert_eq!(Signal::Metrics.count(Encoding::Json, body).unwrap(), 3);
        assert_eq!(
            Signal::Logs.count(Encoding::Json, br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"body":{}}]}]}]}"#).unwrap(),
            2
        );
        assert_eq!(Signal::Logs.count(Encoding::Json, b"{}").unwrap(), 0);
        for wrong in [&b"[]"[..], b"\"x\"", b"{", b"{} x"] {
            let error = Signal::Logs.count(Encoding::Json, wrong).unwrap_err();
            assert!(error.message.contains("line 1"), "{}", error.message);
        }
    }
}
