//! The routes of an organisation's and a project's settings. Those of the installation are in `administration`.

mod organization;
mod project;

use garde::Validate;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::AnyValue;

/// `/api/v1/organizations/{organization_id}/settings…` and `/api/v1/projects/{project_id}/settings…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config
        .service(organization::list)
        .service(organization::set)
        .service(organization::reset)
        .service(organization::history)
        .service(project::list)
        .service(project::set)
        .service(project::reset)
        .service(project::history);
}

/// A value for a setting.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SetSetting {
    /// As the setting's `type` says.
    #[garde(skip)]
    #[schema(value_type = AnyValue)]
    pub value: Value,
    /// The `version` that was seen, 0 for a value that is inherited: 409 where somebody else has changed it since. Without it,
    /// whatever is there is replaced.
    #[garde(range(min = 0))]
    pub version: Option<i64>,
}

/// The key of a path.
#[derive(Debug, Deserialize)]
pub struct Key {
    pub key: String,
}
