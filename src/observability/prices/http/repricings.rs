//! `/api/v1/projects/{project_id}/repricings`.

use actix_web::{get, post, web};
use garde::Validate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::By;
use crate::common::id::RepricingId;
use crate::common::origin::Origin;
use crate::common::time;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::permission::{ModelsAdmin, ModelsRead};
use crate::http::extract::{Json, Path, ProjectAccess};
use crate::observability::prices::repricing::{Mode, NewRepricing, Repricing, RepricingModel, Repricings};

/// A re-pricing to be made.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct RepricingBody {
    mode: Mode,
    /// RFC 3339 or Unix seconds, inclusive; left out: since ever.
    start_time: Option<String>,
    /// RFC 3339 or Unix seconds, exclusive; left out: for ever.
    end_time: Option<String>,
    /// Left out or empty: all. 100 at most.
    #[garde(inner(length(max = 100)))]
    models: Option<Vec<RepricingModel>>,
}

impl RepricingBody {
    fn read(self) -> Result<NewRepricing, ApiError> {
        let time = |field: &str, text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.as_deref().map(time::parse).transpose().map_err(|message| ApiError::validation(field, message))
        };
        let (from, to) = (time("start_time", self.start_time)?, time("end_time", self.end_time)?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) || to.is_some_and(|to| to <= 0) {
            return Err(ApiError::validation("start_time", "start_time must be before end_time"));
        }
        let models = self.models.unwrap_or_default();
        for (index, of) in models.iter().enumerate() {
            let longest = of.provider.iter().chain([&of.model]).map(String::len).max().unwrap_or(0);
            if longest > 512 {
                return Err(ApiError::validation(&format!("models[{index}]"), "provider and model must be 512 bytes at most"));
            }
        }
        Ok(NewRepricing { mode: self.mode, from, to, models })
    }
}

/// The re-pricing that a path names.
#[derive(Debug, Deserialize)]
struct RepricingPath {
    repricing_id: RepricingId,
}

/// Prices stored spans anew by the prices of today, in the background: counts the difference (`preview`) or writes it (`apply`).
///
/// Costs that the client sent, and spans whose usage only sums up what their children report, are never changed.
#[utoipa::path(
    operation_id = "createRepricing",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    request_body = RepricingBody,
    responses(
        (status = 202, body = Envelope<Repricing>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "one is being applied (`details.reason` is `REPRICING_RUNNING`), or the project is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/repricings")]
pub(super) async fn create(
    access: ProjectAccess<ModelsAdmin>,
    body: Json<RepricingBody>,
    origin: Origin,
    repricings: web::Data<Repricings>,
) -> Result<Answer<Repricing>, ApiError> {
    let by = By::user(access.user.user_id, origin);
    let new = body.into_inner().read()?;
    Ok(Answer::accepted(repricings.create(&by, access.organization_id, access.project_id, new).await?))
}

/// The newest 50 re-pricings of a project.
#[utoipa::path(
    operation_id = "listRepricings",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Vec<Repricing>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/repricings")]
pub(super) async fn list(access: ProjectAccess<ModelsRead>, repricings: web::Data<Repricings>) -> Result<Answer<Vec<Repricing>>, ApiError> {
    Ok(Answer::ok(repricings.list(access.project_id).await?))
}

/// A re-pricing, how far it is and what it has counted.
#[utoipa::path(
    operation_id = "getRepricing",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("repricing_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Repricing>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope)
    )
)]
#[get("/api/v1/projects/{project_id}/repricings/{repricing_id}")]
pub(super) async fn get(
    access: ProjectAccess<ModelsRead>,
    path: Path<RepricingPath>,
    repricings: web::Data<Repricings>,
) -> Result<Answer<Repricing>, ApiError> {
    Ok(Answer::ok(repricings.get(access.project_id, path.repricing_id).await?))
}

/// Stops a re-pricing. What was priced anew stays; what was not is left as it is.
#[utoipa::path(
    operation_id = "cancelRepricing",
    tag = "prices",
    security(("access_token" = [])),
    params(("project_id" = String, Path), ("repricing_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Repricing>, description = "it may be running until its next page ends"),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "it has ended, or the project is archived")
    )
)]
#[post("/api/v1/projects/{project_id}/repricings/{repricing_id}/cancel")]
pub(super) async fn cancel(
    access: ProjectAccess<ModelsAdmin>,
    path: Path<RepricingPath>,
    origin: Origin,
    repricings: web::Data<Repricings>,
) -> Result<Answer<Repricing>, ApiError> {
    let by = By::user(access.user.user_id, origin);
    Ok(Answer::ok(repricings.cancel(&by, access.organization_id, access.project_id, path.repricing_id).await?))
}
