//! The queue of a standalone process: none. Rows go to the writers, and the answer waits until they are in the store.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::gather::{Gatherer, WriteError, WriteJob};
use crate::observability::convert::{self, ConvertContext};
use crate::observability::ingest::{Batch, Prepared, PublishError, Published, TelemetryQueue};
use crate::observability::pricing::Pricer;
use crate::observability::rows::ObservationRow;

/// Converts in the request and commits in a group.
#[derive(Debug, Clone)]
pub struct Direct {
    gatherer: Gatherer,
    pricer: Arc<Pricer>,
    retention_days: u16,
}

impl Direct {
    /// A queue in front of `gatherer`.
    #[must_use]
    pub fn new(gatherer: Gatherer, pricer: Arc<Pricer>, retention_days: u16) -> Self {
        Self { gatherer, pricer, retention_days }
    }
}

/// About how much memory rows take: their text.
pub(super) fn size_of_rows(rows: &[ObservationRow]) -> usize {
    rows.iter()
        .map(|row| {
            let pairs: usize = row.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
            1_000 + pairs + row.input.len() + row.output.len() + row.status_message.len()
        })
        .sum()
}

#[async_trait]
impl TelemetryQueue for Direct {
    fn prepare(&self, batch: Batch) -> Result<Prepared, PublishError> {
        let project_id = batch.tenant.project_id.to_string();
        let context = ConvertContext {
            project_id: &project_id,
            received_at_us: batch.received_at_us,
            environment: batch.environment.as_deref(),
            retention_days: self.retention_days,
        };
        let rows = convert::convert(batch.request, &context, &self.pricer);
        let bytes = size_of_rows(&rows);
        Ok(Prepared::Rows { rows, bytes })
    }

    async fn publish(&self, prepared: Prepared) -> Result<Published, PublishError> {
        let Prepared::Rows { rows, bytes } = prepared else {
            return Err(PublishError::Unavailable("a message cannot be stored directly".to_owned()));
        };
        let (done, stored) = oneshot::channel();
        let token = crate::common::id::fresh().to_string();
        let unavailable = |error: WriteError| PublishError::Unavailable(error.to_string());
        self.gatherer.submit(WriteJob { rows, bytes, token, done }).await.map_err(unavailable)?;
        match stored.await {
            Ok(Ok(())) => Ok(Published::Durable),
            Ok(Err(WriteError::Data(reason))) => Err(PublishError::Refused(reason)),
            Ok(Err(error)) => Err(unavailable(error)),
            Err(_) => Err(unavailable(WriteError::Stopping)),
        }
    }
}
