//! Builds the spans of one trace against a clock of its own, which starts at zero and moves when a scenario says that time passes.

use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::Value;

use super::random::Random;

const MS: u64 = 1_000_000;

/// An attribute's value, from the types that scenarios have at hand.
pub(super) struct Given(any_value::Value);

impl From<&str> for Given {
    fn from(text: &str) -> Self {
        Self(any_value::Value::StringValue(text.to_owned()))
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self(any_value::Value::StringValue(text))
    }
}

impl From<bool> for Given {
    fn from(value: bool) -> Self {
        Self(any_value::Value::BoolValue(value))
    }
}

impl From<u64> for Given {
    fn from(value: u64) -> Self {
        Self(any_value::Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<f64> for Given {
    fn from(value: f64) -> Self {
        Self(any_value::Value::DoubleValue(value))
    }
}

impl From<&[&str]> for Given {
    fn from(list: &[&str]) -> Self {
        let values = list.iter().map(|text| AnyValue { value: Some(Self::from(*text).0) }).collect();
        Self(any_value::Value::ArrayValue(ArrayValue { values }))
    }
}

/// JSON goes out as text, as the SDKs send it.
impl From<&Value> for Given {
    fn from(value: &Value) -> Self {
        Self::from(value.to_string())
    }
}

pub(super) fn attribute(key: &str, value: impl Into<Given>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value.into().0) }), ..KeyValue::default() }
}

/// The program that a trace comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub name: &'static str,
    pub release: &'static str,
    pub environment: &'static str,
    pub language: &'static str,
    /// Instrumentation library and its version.
    pub scope: (&'static str, &'static str),
}

/// A span within its tracer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At(usize);

/// A finished trace whose clock still starts at zero.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub title: &'static str,
    pub service: Service,
    pub spans: Vec<Span>,
    /// From the first start to the last thing that happened, in nanoseconds.
    pub length: u64,
}

impl Draft {
    /// Moves the trace to `start` (nanoseconds since the Unix epoch). A span that never ended stays without an end.
    pub(super) fn place(mut self, start: u64) -> Self {
        for span in &mut self.spans {
            span.start_time_unix_nano += start;
            if span.end_time_unix_nano != 0 {
                span.end_time_unix_nano += start;
            }
            for event in &mut span.events {
                event.time_unix_nano += start;
            }
        }
        self
    }

    /// The trace as OTLP carries it.
    pub(super) fn into_resource_spans(self) -> ResourceSpans {
        let Service { name, release, environment, language, scope } = self.service;
        let attributes = vec![
            attribute("service.name", name),
            attribute("service.version", release),
            attribute("deployment.environment.name", environment),
            attribute("telemetry.sdk.name", "opentelemetry"),
            attribute("telemetry.sdk.language", language),
        ];
        let scope = InstrumentationScope { name: scope.0.to_owned(), version: scope.1.to_owned(), ..InstrumentationScope::default() };
        ResourceSpans {
            resource: Some(Resource { attributes, ..Resource::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans: self.spans, schema_url: String::new() }],
            schema_url: String::new(),
        }
    }
}

/// A trace in the making.
#[derive(Debug)]
pub(super) struct Tracer {
    /// Decides what happens.
    pub random: Random,
    /// Gives ids.
    ids: Random,
    service: Service,
    trace_id: Vec<u8>,
    /// Attributes of every span: user and session.
    common: Vec<KeyValue>,
    spans: Vec<Span>,
    now: u64,
    last: u64,
}

impl Tracer {
    /// `ids` gives the trace and span ids, `random` everything else: content is the same in every run of a seed, ids never are.
    pub(super) fn new(mut ids: Random, random: Random, service: Service) -> Self {
        let trace_id = ids.id::<16>().to_vec();
        Self { random, ids, service, trace_id, common: Vec::new(), spans: Vec::new(), now: 0, last: 0 }
    }

    /// Who talks, in which session: on every span that is opened from now on.
    pub(super) fn identify(&mut self, user: &str, session: &str) {
        self.common = vec![attribute("user.id", user), attribute("session.id", session)];
    }

    /// Opens a span now.
    pub(super) fn open(&mut self, parent: Option<At>, name: &str, kind: SpanKind) -> At {
        let span_id = self.ids.id::<8>().to_vec();
        let parent_span_id = parent.map(|At(at)| self.spans[at].span_id.clone()).unwrap_or_default();
        self.spans.push(Span {
            trace_id: self.trace_id.clone(),
            span_id,
            parent_span_id,
            flags: 0x101,
            name: name.to_owned(),
            kind: kind as i32,
            // Zero stands for "not given", so the clock of a trace starts at one.
            start_time_unix_nano: self.now + 1,
            attributes: self.common.clone(),
            ..Span::default()
        });
        At(self.spans.len() - 1)
    }

    /// Ends a span now.
    pub(super) fn close(&mut self, At(at): At) {
        self.spans[at].end_time_unix_nano = self.now + 1;
    }

    /// Lets from `low` to `high` milliseconds pass.
    pub(super) fn wait(&mut self, low: u64, high: u64) {
        let micros = self.random.between(low * 1_000, high * 1_000);
        self.pass(micros * 1_000);
    }

    /// Lets nanoseconds pass.
    pub(super) fn pass(&mut self, ns: u64) {
        self.now += ns;
        self.last = self.last.max(self.now);
    }

    /// The clock, for [`Self::rewind`].
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Sets the clock: back, to do something at the same time as something else, or forward again.
    pub(super) fn rewind(&mut self, to: u64) {
        self.now = to;
        self.last = self.last.max(to);
    }

    pub(super) fn set(&mut self, At(at): At, key: &str, value: impl Into<Given>) {
        self.spans[at].attributes.push(attribute(key, value));
    }

    pub(super) fn event(&mut self, At(at): At, name: &str, attributes: Vec<KeyValue>) {
        let time_unix_nano = self.now + 1;
        self.spans[at].events.push(Event { time_unix_nano, name: name.to_owned(), attributes, dropped_attributes_count: 0 });
    }

    /// Marks a span as done well.
    pub(super) fn succeed(&mut self, At(at): At) {
        self.spans[at].status = Some(Status { code: StatusCode::Ok as i32, message: String::new() });
    }

    /// Marks a span as failed, with an exception event as the OpenTelemetry SDKs record it.
    pub(super) fn fail(&mut self, span: At, exception: &str, message: &str, stack: &str) {
        let attributes = vec![
            attribute("exception.type", exception),
            attribute("exception.message", message),
            attribute("exception.stacktrace", stack),
            attribute("exception.escaped", "False"),
        ];
        self.event(span, "exception", attributes);
        self.blame(span, &format!("{exception}: {message}"));
    }

    /// Marks a span as failed because of another.
    pub(super) fn blame(&mut self, At(at): At, message: &str) {
        self.spans[at].status = Some(Status { code: StatusCode::Error as i32, message: message.to_owned() });
    }

    /// Points from a span to one of another trace.
    pub(super) fn link(&mut self, At(at): At, to: &Span, relation: &str) {
        self.spans[at].links.push(Link {
            trace_id: to.trace_id.clone(),
            span_id: to.span_id.clone(),
            attributes: vec![attribute("link.relation", relation)],
            flags: 0x101,
            ..Link::default()
        });
    }

    /// The finished trace.
    pub(super) fn finish(self, title: &'static str) -> Draft {
        Draft { title, service: self.service, spans: self.spans, length: self.last + MS }
    }
}
