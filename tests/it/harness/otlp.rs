//! OTLP requests for tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

/// Nanoseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "tests talk to a server that lives in real time")]
pub fn now_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Ids of spans that no other test of this machine uses.
pub struct Spans;

impl Spans {
    /// A fresh 16-byte trace id.
    pub fn trace_id() -> Vec<u8> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut id = now_ns().to_be_bytes().to_vec();
        id.extend((u64::from(std::process::id()) << 32 | NEXT.fetch_add(1, Ordering::Relaxed)).to_be_bytes());
        id
    }

    /// The 8-byte id of the `n`th span of a trace.
    pub fn span_id(n: u64) -> Vec<u8> {
        (n + 1).to_be_bytes().to_vec()
    }
}

/// A string attribute.
pub fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }), ..KeyValue::default() }
}

/// An ordinary span: the `n`th of its trace, a root when `n` is 0, else a child of the root.
pub fn span(trace_id: &[u8], n: u64, start_ns: u64) -> Span {
    Span {
        trace_id: trace_id.to_vec(),
        span_id: Spans::span_id(n),
        parent_span_id: if n == 0 { Vec::new() } else { Spans::span_id(0) },
        name: if n == 0 { "root".to_owned() } else { format!("child {n}") },
        kind: 1,
        start_time_unix_nano: start_ns,
        end_time_unix_nano: start_ns + 5_000_000,
        status: Some(Status { code: 1, message: String::new() }),
        ..Span::default()
    }
}

/// A request with these spans from one service.
pub fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![attribute("service.name", "test")], ..Resource::default() }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope { name: "tests".to_owned(), version: "1".to_owned(), ..InstrumentationScope::default() }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}
