//! One hostile body on the way that every body takes: weighed, decoded, checked, converted, priced, and put together again.

use brokle::observability::convert::{Conversion, ConvertContext, SliceLimits, explain, rebuild, size_of_row};
use brokle::observability::otlp::{self, Weight};
use brokle::observability::pricing::Pricer;
use brokle::observability::rows::ObservationRow;
use brokle::observability::validate::validate;

/// The time of receipt, in nanoseconds since the Unix epoch: a minute after the captured spans.
const NOW: i64 = 1_768_478_460_000_000_000;
/// Bodies that would take more memory than this are refused before they are decoded, as the intake does.
const MEMORY: usize = 64 << 20;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Json,
    Protobuf,
}

/// What became of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Too heavy: not decoded.
    Refused,
    /// No trace request.
    NotDecoded,
    /// Converted into so many rows.
    Rows(usize),
}

/// What all rows of a body may take: their texts are those of the body, some twice (also in pieces put together), control characters
/// as six; and what spans repeat.
pub fn most_bytes_of_rows(weight: &Weight, body: usize) -> usize {
    let rows = weight.spans.saturating_mul(size_of::<ObservationRow>() + 2_000);
    rows.saturating_add(weight.decoded.saturating_mul(2)).saturating_add(weight.repeated).saturating_add(body.saturating_mul(8))
}

/// Sends a body through; panics where a promise is broken.
pub fn run(body: &[u8], encoding: Encoding, pricer: &Pricer) -> Outcome {
    let weight = match encoding {
        Encoding::Json => otlp::weigh_json(body),
        Encoding::Protobuf => otlp::weigh_protobuf(body),
    };
    if weight.decoded.saturating_add(weight.repeated) > MEMORY {
        return Outcome::Refused;
    }
    let decoded = match encoding {
        Encoding::Json => otlp::decode_traces(body).ok(),
        Encoding::Protobuf => otlp::decode_traces_protobuf(body).ok(),
    };
    let Some(mut request) = decoded else { return Outcome::NotDecoded };
    validate(&mut request, NOW);
    let context = ConvertContext {
        project_id: "01J0000000000000000000000",
        received_at_us: NOW.unsigned_abs() / 1_000,
        environment: None,
        retention_days: 365,
    };
    let mut conversion = Conversion::new(request);
    let (mut rows, mut bytes) = (0_usize, 0_usize);
    while let Some(slice) = conversion.next_slice(&context, pricer, SliceLimits { rows: 500, bytes: 16 << 20 }) {
        rows += slice.len();
        for row in slice {
            bytes = bytes.saturating_add(size_of_row(&row));
            if rows <= 500 {
                let attributes = row.attributes.len();
                std::hint::black_box(explain(&row));
                assert!(rebuild(row).span.attributes.len() >= attributes, "an attribute was lost");
            }
        }
    }
    let most = most_bytes_of_rows(&weight, body.len());
    assert!(bytes <= most, "{rows} rows of {bytes} bytes, more than {most}, from a body of {} bytes: {weight:?}", body.len());
    assert!(rows <= weight.spans, "{rows} rows of {} spans", weight.spans);
    Outcome::Rows(rows)
}
