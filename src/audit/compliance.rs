//! The seam of compliance: what is recorded and kept for auditors.

use std::fmt::Debug;

use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Event};

/// Compliance features.
pub trait Compliance: Debug + Send + Sync {
    /// For `GET /api/v1/enterprise/status`.
    fn status(&self) -> ComplianceStatus;

    /// Told of every line of the audit log as it is written. The transaction it belongs to may still be taken back.
    fn recorded(&self, by: &By, event: &Event);
}

/// What is covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComplianceStatus {
    pub available: bool,
    pub detail: String,
    /// Each thing that is covered, in words.
    pub covers: Vec<String>,
}

/// Nothing beyond the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct Community;

impl Compliance for Community {
    fn status(&self) -> ComplianceStatus {
        ComplianceStatus {
            available: false,
            detail: "sign-ins and revocations are in the process log; compliance features need the enterprise edition".to_owned(),
            covers: Vec::new(),
        }
    }

    fn recorded(&self, _by: &By, _event: &Event) {}
}
