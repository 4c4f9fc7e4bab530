//! What can go wrong with prices.

use std::sync::Arc;

use serde_json::{Value, json};

use super::check::Fault;
use crate::common::id::RepricingId;
use crate::error::{Code, Coded};
use crate::infra::db;
use crate::observability::pricing::CatalogueError;
use crate::observability::store::StoreError;

/// A failure of the prices.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}", first(.0))]
    Invalid(Vec<Fault>),
    #[error("price not found")]
    PriceNotFound,
    #[error("there is a price for this provider and model already; change that one")]
    Exists,
    #[error("there are {0} prices here, which is the most there can be; delete some, or use patterns")]
    TooMany(usize),
    #[error("the price was changed by somebody else meanwhile; look at it again")]
    Changed,
    #[error("span not found")]
    SpanNotFound,
    #[error("re-pricing not found")]
    RepricingNotFound,
    #[error("stored spans of this project are being priced anew; wait until that ends, or cancel it")]
    RepricingRunning(Option<RepricingId>),
    #[error("this re-pricing has ended; there is nothing to cancel")]
    RepricingEnded,
    /// A failure shared by all who waited for the same look-up.
    #[error("{0}")]
    Shared(Arc<Error>),
    #[error("a stored price cannot be read")]
    Unreadable(#[from] CatalogueError),
    #[error("what is stored of a price cannot be read")]
    Stored(#[from] serde_json::Error),
    #[error("{}", said(.0))]
    Store(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// What callers are told of the store; the cause is in the log.
fn said(error: &StoreError) -> &'static str {
    match error {
        StoreError::TooMuch(_) => "the query needs more time or memory than a reader may use; choose a shorter time range",
        StoreError::Data(_) | StoreError::Unavailable(_) => "the telemetry store does not answer; try again in a few seconds",
    }
}

fn first(faults: &[Fault]) -> String {
    faults.first().map_or_else(String::new, |fault| format!("{}: {}", fault.field, fault.message))
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::Validation,
            Self::PriceNotFound | Self::SpanNotFound | Self::RepricingNotFound => Code::NotFound,
            Self::Exists | Self::TooMany(_) | Self::Changed | Self::RepricingRunning(_) | Self::RepricingEnded => Code::Conflict,
            Self::Shared(error) => error.code(),
            Self::Unreadable(_) | Self::Stored(_) => Code::Internal,
            Self::Store(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Invalid(faults) => serde_json::to_value(faults).ok(),
            Self::RepricingRunning(id) => Some(json!({"reason": "REPRICING_RUNNING", "repricing_id": id})),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Shared(error) => error.retry_after(),
            Self::Store(error) => error.retry_after(),
            Self::Database(error) => error.retry_after(),
            _ => None,
        }
    }
}
