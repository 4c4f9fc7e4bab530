//! The seam of the licence: what this installation is entitled to.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{Code, Coded};

/// Knows the licence.
pub trait License: Debug + Send + Sync {
    /// For `GET /api/v1/enterprise/status`.
    fn status(&self, now: DateTime<Utc>) -> LicenseStatus;

    /// The licence's facts.
    ///
    /// # Errors
    /// [`EnterpriseRequired`] in the community edition.
    fn facts(&self, now: DateTime<Utc>) -> Result<LicenseFacts, EnterpriseRequired>;
}

/// Something that only the enterprise edition does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is part of the enterprise edition; this is the community edition (build with --features enterprise, or use the enterprise image)"
)]
pub struct EnterpriseRequired(pub &'static str);

impl Coded for EnterpriseRequired {
    fn code(&self) -> Code {
        Code::EnterpriseRequired
    }
}

/// Where a licence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenseState {
    /// The community edition needs none.
    NotNeeded,
    /// No key was configured.
    Missing,
    /// The key is not one of ours, or was changed.
    Invalid,
    Valid,
    /// Expired not long ago: everything works still.
    Grace,
    Expired,
}

/// The licence in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LicenseStatus {
    pub available: bool,
    pub detail: String,
    pub state: LicenseState,
}

/// The licence in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LicenseFacts {
    pub state: LicenseState,
    /// What it means and what to do.
    pub detail: String,
    /// Whom it was issued to.
    pub holder: Option<String>,
    pub plan: Option<String>,
    /// People who may be members; null: without limit.
    pub seats: Option<u32>,
    pub issued_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    /// Until when everything keeps working after `expires_at`.
    pub grace_until: Option<DateTime<Utc>>,
}

/// No licence, and no need of one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Community;

impl License for Community {
    fn status(&self, _now: DateTime<Utc>) -> LicenseStatus {
        LicenseStatus { available: false, detail: "the community edition needs no licence".to_owned(), state: LicenseState::NotNeeded }
    }

    fn facts(&self, _now: DateTime<Utc>) -> Result<LicenseFacts, EnterpriseRequired> {
        Err(EnterpriseRequired("a licence"))
    }
}
