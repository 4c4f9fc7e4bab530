//! The enterprise edition: the only way in is [`seams`]. Licensed under LICENSE-EE, not under Apache-2.0.

mod analytics;
mod compliance;
mod license;
mod rbac;
mod sso;

use std::sync::Arc;

use super::Seams;
use crate::config::Config;

pub const NAME: &str = "enterprise";

/// The real five.
pub fn seams(config: &Config) -> Seams {
    let license = license::SignedLicense::embedded(config.enterprise.license_key.expose());
    Seams {
        sso: Arc::new(sso::Providers::default()),
        rbac: Arc::new(rbac::RoleTable::default()),
        license: Arc::new(license),
        compliance: Arc::new(compliance::Records { retention_days: config.ingest.retention_days }),
        analytics: Arc::new(analytics::AcrossProjects),
    }
}
