//! The queue of a standalone process: none. Rows go to the writers, and the answer waits until they are in the store.

use std::sync::Arc;

use async_trait::async_trait;

use super::gather::{Gatherer, WriteError};
use super::slices::{Origin, Slices};
use crate::observability::ingest::{Batch, Prepared, PublishError, Published, TelemetryQueue, Tenant};
use crate::observability::prices::PriceBook;
use crate::observability::pricing::Pricer;

/// Converts in the request and commits in a group.
#[derive(Debug, Clone)]
pub struct Direct {
    gatherer: Gatherer,
    prices: PriceBook,
    retention_days: u16,
}

impl Direct {
    /// A queue in front of `gatherer`.
    #[must_use]
    pub fn new(gatherer: Gatherer, prices: PriceBook, retention_days: u16) -> Self {
        Self { gatherer, prices, retention_days }
    }
}

#[async_trait]
impl TelemetryQueue for Direct {
    async fn pricer(&self, tenant: &Tenant) -> Option<Arc<Pricer>> {
        Some(self.prices.of_or_last(tenant.organization_id, tenant.project_id).await)
    }

    fn prepare(&self, batch: Batch, pricer: Option<Arc<Pricer>>) -> Result<Prepared, PublishError> {
        let pricer = pricer.unwrap_or_else(|| Arc::clone(self.prices.catalogue()));
        let origin = Origin {
            project_id: batch.tenant.project_id,
            environment: batch.environment,
            received_at_us: batch.received_at_us,
            retention_days: self.retention_days,
        };
        drop(batch.protobuf);
        let slices = Slices::new(batch.request, origin, pricer);
        Ok(Prepared::Rows { slices: Box::new(slices), preparing: batch.preparing, held: batch.held })
    }

    async fn publish(&self, prepared: Prepared) -> Result<Published, PublishError> {
        let Prepared::Rows { slices, preparing, held } = prepared else {
            return Err(PublishError::Unavailable("a message cannot be stored directly".to_owned()));
        };
        let token = crate::common::id::fresh().to_string();
        match slices.store(&self.gatherer, &token, preparing, Arc::new(held)).await {
            Ok(()) => Ok(Published::Durable),
            Err(WriteError::Data(reason)) => Err(PublishError::Refused(reason)),
            Err(error) => Err(PublishError::Unavailable(error.to_string())),
        }
    }
}
