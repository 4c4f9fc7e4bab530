//! The seam between the editions: five trait objects, and nothing else of the enterprise edition is visible to the program.
//!
//! Each trait and its community answer stand in the slice that calls it. The enterprise answers stand in `ee/`, under their own
//! licence (LICENSE-EE), and come in through `ee::seams` alone.

use std::sync::Arc;

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::compliance::{Compliance, ComplianceStatus};
use crate::auth::rbac::{Rbac, RbacStatus};
use crate::auth::sso::{Sso, SsoStatus};
use crate::common::clock::SharedClock;
use crate::config::Config;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{PlatformAdmin, SignedIn};
use crate::organization::analytics::{Analytics, AnalyticsStatus};
use crate::organization::license::{License, LicenseFacts, LicenseStatus};

#[cfg(feature = "enterprise")]
#[path = "../ee/mod.rs"]
mod edition;

#[cfg(not(feature = "enterprise"))]
mod edition {
    use std::sync::Arc;

    use super::Seams;
    use crate::audit::compliance;
    use crate::auth::{rbac, sso};
    use crate::config::Config;
    use crate::organization::{analytics, license};

    pub const NAME: &str = "community";

    pub fn seams(_config: &Config) -> Seams {
        Seams {
            sso: Arc::new(sso::Community),
            rbac: Arc::new(rbac::Community),
            license: Arc::new(license::Community),
            compliance: Arc::new(compliance::Community),
            analytics: Arc::new(analytics::Community),
        }
    }
}

/// `community` or `enterprise`.
pub const EDITION: &str = edition::NAME;

/// The five.
#[derive(Debug, Clone)]
pub struct Seams {
    pub sso: Arc<dyn Sso>,
    pub rbac: Arc<dyn Rbac>,
    pub license: Arc<dyn License>,
    pub compliance: Arc<dyn Compliance>,
    pub analytics: Arc<dyn Analytics>,
}

/// The edition this program was built as.
#[derive(Clone)]
pub struct Enterprise {
    pub seams: Seams,
    clock: SharedClock,
}

impl std::fmt::Debug for Enterprise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enterprise").field("seams", &self.seams).finish_non_exhaustive()
    }
}

impl Enterprise {
    /// The seams of this edition.
    #[must_use]
    pub fn new(config: &Config, clock: SharedClock) -> Self {
        Self { seams: edition::seams(config), clock }
    }

    /// What each of the five says about itself.
    #[must_use]
    pub fn status(&self) -> EnterpriseStatus {
        // Without `..`: a sixth seam that is not shown does not compile.
        let Seams { sso, rbac, license, compliance, analytics } = &self.seams;
        EnterpriseStatus {
            edition: EDITION.to_owned(),
            sso: sso.status(),
            rbac: rbac.status(),
            license: license.status(self.clock.now()),
            compliance: compliance.status(),
            analytics: analytics.status(),
        }
    }
}

/// The edition and what it can do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EnterpriseStatus {
    /// `community` or `enterprise`.
    pub edition: String,
    pub sso: SsoStatus,
    pub rbac: RbacStatus,
    pub license: LicenseStatus,
    pub compliance: ComplianceStatus,
    pub analytics: AnalyticsStatus,
}

/// The routes about the edition; they exist in both.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(get_status).service(get_license);
}

/// Which edition this is and what each of its five parts can do.
#[utoipa::path(
    operation_id = "getEnterpriseStatus",
    tag = "enterprise",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<EnterpriseStatus>), (status = 401, body = ErrorEnvelope))
)]
#[get("/api/v1/enterprise/status")]
async fn get_status(_user: SignedIn, enterprise: web::Data<Enterprise>) -> Result<Answer<EnterpriseStatus>, ApiError> {
    Ok(Answer::ok(enterprise.status()))
}

/// The licence in full. Platform administrators only; enterprise edition only.
#[utoipa::path(
    operation_id = "getLicense",
    tag = "enterprise",
    security(("access_token" = [])),
    responses(
        (status = 200, body = Envelope<LicenseFacts>),
        (status = 401, body = ErrorEnvelope),
        (status = 402, body = ErrorEnvelope, description = "`ENTERPRISE_REQUIRED`: this is the community edition"),
        (status = 403, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/enterprise/license")]
async fn get_license(_admin: PlatformAdmin, enterprise: web::Data<Enterprise>) -> Result<Answer<LicenseFacts>, ApiError> {
    Ok(Answer::ok(enterprise.seams.license.facts(enterprise.clock.now())?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn rust_files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rust_files(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn at_most_three_places_know_which_edition_this_is() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for dir in ["src", "ee", "tests", "benches", "migrations"] {
            rust_files(&root.join(dir), &mut files);
        }
        assert!(files.len() > 50, "the crate was found");
        // In two parts, so that this line is not one of the places.
        let feature = ["feature = ", "\"enterprise\""].concat();
        let places: Vec<String> = files
            .iter()
            .flat_map(|file| {
                let text = std::fs::read_to_string(file).unwrap();
                (0..text.matches(&feature).count()).map(|_| file.display().to_string()).collect::<Vec<_>>()
            })
            .collect();
        assert!((1..=3).contains(&places.len()), "{places:?}");
    }

    #[test]
    fn the_status_of_all_five_stands() {
        let clock = std::sync::Arc::new(crate::common::clock::FixedClock::new(chrono::DateTime::UNIX_EPOCH));
        let status = Enterprise::new(&crate::auth::testing::config(), clock).status();
        assert_eq!(status.edition, EDITION);
        insta::with_settings!({snapshot_suffix => EDITION}, { insta::assert_json_snapshot!(status) });
    }
}
