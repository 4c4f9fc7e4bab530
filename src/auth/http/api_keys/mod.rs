//! The API keys of a project.

mod create;
mod list;
mod manage;
mod rotate;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{ApiKeyView, SecretKey};
use crate::common::id::ApiKeyId;

/// `/api/v1/projects/{project_id}/api-keys…`.
pub fn routes(config: &mut utoipa_actix_web::service_config::ServiceConfig<'_>) {
    config.service(list::list).service(create::create).service(manage::rename).service(manage::revoke).service(rotate::rotate);
}

#[derive(Debug, Deserialize)]
pub struct OneKey {
    api_key_id: ApiKeyId,
}

/// A key that was made just now.
#[derive(Serialize, ToSchema)]
pub struct MadeApiKey {
    #[serde(flatten)]
    view: ApiKeyView,
    /// The key itself: this is the only time that it is shown.
    key: String,
}

impl MadeApiKey {
    fn new(view: ApiKeyView, key: &SecretKey) -> Self {
        Self { view, key: key.expose().to_owned() }
    }
}
