//! The way of a span from the queue to its row: protobuf decoding, conversion and pricing, on one thread.
//!
//! The spans are typical chat generations of about 1.6 KB: messages, model, usage, parameters, session and user.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program for the terminal; counts are far below 2^52")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use brokle::observability::convert::{ConvertContext, convert};
use brokle::observability::otlp::{decode_traces, encode_traces};
use brokle::observability::pricing::Pricer;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

// As in the program: a third of the time is memory taken and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SPANS: u64 = 500;
const START: u64 = 1_760_000_000_000_000_000;

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn span(number: u64) -> Span {
    let filler = "The quick brown fox jumps over the lazy dog. ".repeat(7);
    let input = format!(r#"[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"Question {number}: {filler}"}}]"#);
    let output = format!(r#"[{{"role":"assistant","content":"Answer {number}: {filler}"}}]"#);
    let user = format!("user-{}", number % 97);
    let attributes = vec![
        text("brokle.span.type", "generation"),
        text("brokle.environment", "production"),
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4o-mini"),
        text("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
        text("gen_ai.response.id", "chatcmpl-AugxBIoQzz2zFMWFoiyS3Vmm1OuQI"),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.7)),
        int("gen_ai.request.max_tokens", 512),
        attribute("gen_ai.request.top_p", Value::DoubleValue(1.0)),
        text("gen_ai.input.messages", &input),
        text("gen_ai.output.messages", &output),
        int("gen_ai.usage.input_tokens", 320),
        int("gen_ai.usage.output_tokens", 120),
        int("gen_ai.usage.cache_read.input_tokens", 128),
        text("session.id", "session-17"),
        text("user.id", &user),
        text("gen_ai.response.finish_reason", "stop"),
        text("server.address", "api.openai.com"),
        int("server.port", 443),
    ];
    Span {
        trace_id: u128::from(number / 6 + 1).to_be_bytes().to_vec(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        name: "chat gpt-4o-mini".to_owned(),
        kind: 3,
        start_time_unix_nano: START + number * 1_000_000,
        end_time_unix_nano: START + number * 1_000_000 + 850_000_000,
        attributes,
        status: Some(Status { code: 1, message: String::new() }),
        ..Span::default()
    }
}

fn request() -> ExportTraceServiceRequest {
    let resource = vec![
        text("service.name", "checkout"),
        text("service.version", "2026.11.1"),
        text("telemetry.sdk.language", "python"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.version", "1.39.1"),
        text("deployment.environment.name", "production"),
    ];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: resource, ..Resource::default() }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "brokle".to_owned(),
                    version: "0.4.0".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: (0..SPANS).map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn benches(criterion: &mut Criterion) {
    let request = request();
    let (protobuf, json) = (request.encode_to_vec(), encode_traces(&request));
    let context =
        ConvertContext { project_id: "01J0000000000000000000000", received_at_us: START / 1_000, environment: None, retention_days: 365 };
    let Ok(pricer) = Pricer::from_catalogue() else { return };

    let mut group = criterion.benchmark_group(format!("{} bytes a span", protobuf.len() as u64 / SPANS));
    group.throughput(Throughput::Elements(SPANS));
    group.bench_function("decode protobuf, convert and price", |bencher| {
        bencher
            .iter(|| ExportTraceServiceRequest::decode(black_box(protobuf.as_slice())).map(|request| convert(request, &context, &pricer)));
    });
    group.bench_function("decode protobuf", |bencher| {
        bencher.iter(|| ExportTraceServiceRequest::decode(black_box(protobuf.as_slice())));
    });
    group.bench_function("decode JSON", |bencher| bencher.iter(|| decode_traces(black_box(&json))));
    group.finish();
    captured(criterion, &pricer);
}

/// The same for what SDKs of all families really sent, and the share of a core that it takes.
fn captured(criterion: &mut Criterion, pricer: &Pricer) {
    let context =
        ConvertContext { project_id: "01J0000000000000000000000", received_at_us: START / 1_000, environment: None, retention_days: 365 };
    let bodies = captured_bodies();
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let all = || -> usize {
        let requests = bodies.iter().filter_map(|body| ExportTraceServiceRequest::decode(black_box(body.as_slice())).ok());
        requests.map(|request| convert(request, &context, pricer).len()).sum()
    };
    let spans = all();
    let mut group = criterion.benchmark_group(format!("captured from SDKs, {} bytes a span", bytes / spans.max(1)));
    group.throughput(Throughput::Elements(spans as u64));
    group.bench_function("decode protobuf, convert and price", |bencher| bencher.iter(all));
    group.bench_function("decode protobuf", |bencher| {
        bencher.iter(|| bodies.iter().filter_map(|body| ExportTraceServiceRequest::decode(black_box(body.as_slice())).ok()).count());
    });
    group.finish();

    let typical = request().encode_to_vec();
    let convert_typical =
        || ExportTraceServiceRequest::decode(black_box(typical.as_slice())).map_or(0, |request| convert(request, &context, pricer).len());
    for (what, rate) in [("typical spans", rate(convert_typical)), ("captured spans", rate(all))] {
        println!(
            "{what}: {rate:.0} decoded, converted and priced in a second on one core; 1,000 a second take {:.2} % of it",
            100_000.0 / rate
        );
    }
}

/// Spans a second, the best of ten runs of a fifth of a second: other programs can only slow one down.
fn rate(mut run: impl FnMut() -> usize) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..10 {
        let (began, mut spans) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_millis(200) {
            spans += run();
        }
        best = best.max(spans as f64 / began.elapsed().as_secs_f64());
    }
    best
}

fn captured_bodies() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp/captured");
    let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(|file| std::fs::read(file.ok()?.path()).ok());
    // What is no request there says which versions were captured.
    files
        .filter_map(|file| decode_traces(&file).ok())
        .filter(|request| !request.resource_spans.is_empty())
        .map(|request| request.encode_to_vec())
        .collect()
}

criterion_group!(all, benches);
criterion_main!(all);
