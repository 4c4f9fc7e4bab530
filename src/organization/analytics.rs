//! The seam of analytics across the projects of an organisation.

use std::fmt::Debug;

use serde::Serialize;
use utoipa::ToSchema;

/// Analytics features.
pub trait Analytics: Debug + Send + Sync {
    /// For `GET /api/v1/enterprise/status`.
    fn status(&self) -> AnalyticsStatus;
}

/// What is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnalyticsStatus {
    pub available: bool,
    pub detail: String,
    /// Each thing that is covered, in words.
    pub covers: Vec<String>,
}

/// What every project has anyway.
#[derive(Debug, Clone, Copy, Default)]
pub struct Community;

impl Analytics for Community {
    fn status(&self) -> AnalyticsStatus {
        AnalyticsStatus {
            available: false,
            detail: "each project has its own traces and costs; analytics across projects need the enterprise edition".to_owned(),
            covers: Vec::new(),
        }
    }
}
