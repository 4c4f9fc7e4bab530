//! Pricing stored spans anew: after a price was set or corrected, for spans that came before.
//!
//! A preview counts what would be different; applying writes it. Both go through the spans hour by hour in the order of their
//! key, a page at a time. What was done is noted after each page, so a run that is broken off goes on where it was.

mod job;
mod page;
mod service;
mod totals;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use job::{RepriceSpans, Repricer};
pub use service::{NewRepricing, Repricing, RepricingModel, RepricingProgress, Repricings};
pub use totals::{RepricedModel, RepricingResult};

/// What is done with the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are counted.
    Preview,
    /// They are written.
    Apply,
}

impl Mode {
    /// As stored in `repricings.mode`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Apply => "apply",
        }
    }

    fn of(name: &str) -> Self {
        if name == Self::Apply.name() { Self::Apply } else { Self::Preview }
    }
}

/// Where a re-pricing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl State {
    /// As stored in `repricings.state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn of(name: &str) -> Self {
        let all = [Self::Queued, Self::Running, Self::Done, Self::Cancelled];
        all.into_iter().find(|state| state.name() == name).unwrap_or(Self::Failed)
    }

    const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}
