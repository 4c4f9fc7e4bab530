//! The telemetry store: what Brokle writes to and reads from ClickHouse. Every statement names its project.

mod error;
mod fold;
mod pricing;
mod raw;
mod read;
mod rows;
mod write;

pub use error::StoreError;
pub use pricing::{Priceable, PriceableCursor, PriceableRow, UnpricedRow};
pub use raw::{MOST_SPANS, RawTrace};
pub use read::{SpanCursor, TraceCursor, TraceFilter};
pub use rows::{SpanRow, TraceRow};

use crate::infra::clickhouse::ClickHouse;

/// Reads and writes of observations and traces.
#[derive(Debug, Clone)]
pub struct TelemetryStore {
    clickhouse: ClickHouse,
}

impl TelemetryStore {
    /// A store on `clickhouse`, whose migrations have run.
    #[must_use]
    pub fn new(clickhouse: ClickHouse) -> Self {
        Self { clickhouse }
    }
}
