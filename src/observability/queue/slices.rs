//! A large request on its way into the store: converted and handed to the writers slice by slice, so that its rows never are in
//! memory all at once.

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tokio::sync::oneshot;

use super::gather::{Gatherer, WriteError, WriteJob};
use super::preparing::Preparing;
use crate::common::id::ProjectId;
use crate::observability::convert::{Conversion, ConvertContext, SliceLimits, size_of_row};
use crate::observability::otlp::Weight;
use crate::observability::pricing::Pricer;
use crate::observability::rows::ObservationRow;

/// What of a request is in memory as rows at once, twice: while a slice is written the next one is converted.
const SLICE: SliceLimits = SliceLimits { rows: 5_000, bytes: 16 << 20 };

/// The most memory that converting and storing a request of that weight takes beside the decoded request itself.
///
/// Texts move from the spans into the rows; what is new are the rows, what each of them repeats, and what is put together from
/// attributes, which is no more than the body.
#[must_use]
pub fn memory_to_store(weight: &Weight, body: usize) -> usize {
    let rows = weight.spans.min(2 * SLICE.rows).saturating_mul(size_of::<ObservationRow>() + 500);
    let repeated = weight.repeated.min(2 * SLICE.bytes).saturating_add(weight.shared.saturating_mul(4));
    rows.saturating_add(repeated).saturating_add(body)
}

/// What is known of a request beside its spans.
#[derive(Debug)]
pub(super) struct Origin {
    pub project_id: ProjectId,
    pub environment: Option<String>,
    /// Microseconds since the Unix epoch.
    pub received_at_us: u64,
    pub retention_days: u16,
}

/// Rows of one request that go to the writers together.
#[derive(Debug)]
struct Slice {
    rows: Vec<ObservationRow>,
    bytes: usize,
}

/// A request of which some is converted already.
#[derive(Debug)]
pub struct Slices {
    conversion: Conversion,
    project_id: String,
    origin: Origin,
    pricer: Arc<Pricer>,
    next: Option<Slice>,
    /// Rows handed out.
    offset: usize,
}

impl Slices {
    /// Begins: the first slice is converted here. Blocks while it computes.
    pub(super) fn new(request: ExportTraceServiceRequest, origin: Origin, pricer: Arc<Pricer>) -> Self {
        let (conversion, project_id) = (Conversion::new(request), origin.project_id.to_string());
        let mut slices = Self { conversion, project_id, origin, pricer, next: None, offset: 0 };
        slices.convert();
        slices
    }

    fn convert(&mut self) {
        let context = ConvertContext {
            project_id: &self.project_id,
            received_at_us: self.origin.received_at_us,
            environment: self.origin.environment.as_deref(),
            retention_days: self.origin.retention_days,
        };
        let rows = self.conversion.next_slice(&context, &self.pricer, SLICE);
        self.next = rows.map(|rows| Slice { bytes: rows.iter().map(size_of_row).sum(), rows });
    }

    /// Whether another slice may follow the one that is converted.
    fn may_go_on(slice: &Slice) -> bool {
        slice.rows.len() >= SLICE.rows || slice.bytes >= SLICE.bytes
    }

    /// Stores all of it: when this returns `Ok`, every row is in the store. `keep` lives as long as rows do.
    ///
    /// # Errors
    /// The first failure; what was stored before it stays, and is replaced when the request comes again.
    pub(super) async fn store<K: Send + Sync + 'static>(
        mut self,
        gatherer: &Gatherer,
        token: &str,
        preparing: Preparing,
        keep: Arc<K>,
    ) -> Result<(), WriteError> {
        let mut preparing = Some(preparing);
        let mut before: Option<oneshot::Receiver<Result<(), WriteError>>> = None;
        while let Some(slice) = self.next.take() {
            let goes_on = Self::may_go_on(&slice);
            // Named by place and length, so that another cut of the same request never passes for this one.
            let token = format!("{token}/{}+{}", self.offset, slice.rows.len());
            self.offset += slice.rows.len();
            let (done, stored) = oneshot::channel();
            gatherer.submit(WriteJob { rows: slice.rows, bytes: slice.bytes, token, done, keep: Some(keep.clone()) }).await?;
            if !goes_on {
                drop(preparing.take());
            }
            if let Some(before) = before.replace(stored) {
                before.await.unwrap_or(Err(WriteError::Stopping))?;
            }
            if goes_on {
                self = tokio::task::spawn_blocking(move || {
                    self.convert();
                    self
                })
                .await
                .map_err(|error| WriteError::Unavailable(format!("conversion failed: {error}")))?;
            }
        }
        drop(preparing);
        match before {
            Some(last) => last.await.unwrap_or(Err(WriteError::Stopping)),
            None => Ok(()),
        }
    }
}
