//! `/api/v1/admin/jobs`: background work.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Page, one_of};
use crate::administration::Operations;
use crate::audit::By;
use crate::common::id::{JobId, OrganizationId};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, PlatformAdmin, Query};
use crate::infra::jobs::{Filter, StoredJob};

/// A job of the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    #[schema(value_type = String)]
    id: JobId,
    /// What it does, such as `send_mail`.
    kind: String,
    /// Of two open jobs with the same kind and key there is one.
    key: Option<String>,
    /// `queued`, `running`, `done`, `dead` or `cancelled`.
    status: String,
    /// Higher ones are taken first.
    priority: i32,
    /// Not before.
    run_at: DateTime<Utc>,
    /// How often it was begun.
    attempts: i32,
    max_attempts: i32,
    progress_done: i64,
    progress_total: Option<i64>,
    progress_note: Option<String>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// Somebody asked for it to be stopped.
    cancel_requested: bool,
    #[schema(value_type = Option<String>)]
    organization_id: Option<OrganizationId>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// A job with its data.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobDetail {
    #[serde(flatten)]
    job: JobView,
    /// Its data; what is secret by its name is left out.
    #[schema(value_type = Object)]
    payload: Value,
    /// The process that does it.
    leased_by: Option<String>,
    /// Another process takes it then, unless this is put off.
    lease_until: Option<DateTime<Utc>>,
}

/// How many jobs of a kind have a status.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobCount {
    kind: String,
    status: String,
    count: i64,
}

/// The queue at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobSummary {
    counts: Vec<JobCount>,
    /// How long the job has waited past its time that has waited longest; null when none does.
    oldest_queued_seconds: Option<i64>,
    /// Processes that do jobs. Without one, jobs wait.
    runners: u64,
}

impl From<StoredJob> for JobView {
    fn from(job: StoredJob) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            key: job.key,
            status: job.status,
            priority: job.priority,
            run_at: job.run_at,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            progress_done: job.progress_done,
            progress_total: job.progress_total,
            progress_note: job.progress_note,
            last_error: job.last_error,
            cancel_requested: job.cancel_requested,
            organization_id: job.organization_id,
            created_at: job.created_at,
            updated_at: job.updated_at,
            finished_at: job.finished_at,
        }
    }
}

impl From<StoredJob> for JobDetail {
    fn from(job: StoredJob) -> Self {
        Self {
            payload: redacted(serde_json::from_str(&job.payload).unwrap_or_default()),
            leased_by: job.leased_by.clone(),
            lease_until: job.lease_until,
            job: job.into(),
        }
    }
}

/// `payload` without the values of what is called a token, secret, password or key.
fn redacted(payload: Value) -> Value {
    const SECRET: [&str; 4] = ["token", "secret", "password", "key"];
    match payload {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let lower = name.to_lowercase();
                let secret = SECRET.iter().any(|part| lower.contains(part)) && !value.is_null();
                (name, if secret { Value::from("***") } else { redacted(value) })
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        other => other,
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `queued`, `running`, `done`, `dead` or `cancelled`.
    status: Option<String>,
    /// Jobs of this kind only.
    kind: Option<String>,
    /// 1 to 100; 50 without it.
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists jobs, newest first.
#[utoipa::path(
    operation_id = "listJobs",
    tag = "administration",
    security(("access_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<JobView>>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
    )
)]
#[get("/api/v1/admin/jobs")]
pub(super) async fn list(
    _: PlatformAdmin,
    query: Query<ListQuery>,
    operations: web::Data<Operations>,
) -> Result<Answer<Vec<JobView>>, ApiError> {
    let query = query.into_inner();
    let page = Page::of(query.limit, query.cursor.as_deref())?;
    let filter = Filter { status: one_of("status", query.status.as_deref())?, kind: query.kind.filter(|kind| !kind.is_empty()) };
    let mut rows = operations.jobs(&filter, page.before, page.rows()).await?;
    let pagination = page.cut(&mut rows, |row| row.id)?;
    Ok(Answer::page(rows.into_iter().map(JobView::from).collect(), pagination))
}

/// How many jobs there are, how long they wait, and how many processes do them.
#[utoipa::path(
    operation_id = "getJobSummary",
    tag = "administration",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<JobSummary>), (status = 401, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope))
)]
#[get("/api/v1/admin/jobs/summary")]
pub(super) async fn summary(_: PlatformAdmin, operations: web::Data<Operations>) -> Result<Answer<JobSummary>, ApiError> {
    let summary = operations.summary().await?;
    Ok(Answer::ok(JobSummary {
        counts: summary.counts.into_iter().map(|count| JobCount { kind: count.kind, status: count.status, count: count.count }).collect(),
        oldest_queued_seconds: summary.oldest_queued_seconds,
        runners: summary.runners,
    }))
}

/// A job with its data.
#[utoipa::path(
    operation_id = "getJob",
    tag = "administration",
    security(("access_token" = [])),
    params(("job_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<JobDetail>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
    )
)]
#[get("/api/v1/admin/jobs/{job_id}")]
pub(super) async fn get(_: PlatformAdmin, path: Path<JobId>, operations: web::Data<Operations>) -> Result<Answer<JobDetail>, ApiError> {
    Ok(Answer::ok(operations.job(path.into_inner()).await?.into()))
}

/// Tries a job again that is dead or cancelled, or one at once that waits for its next attempt.
#[utoipa::path(
    operation_id = "retryJob",
    tag = "administration",
    security(("access_token" = [])),
    params(("job_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<JobView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, description = "its status does not allow it, or another job does the same work", body = ErrorEnvelope),
    )
)]
#[post("/api/v1/admin/jobs/{job_id}/retry")]
pub(super) async fn retry(
    admin: PlatformAdmin,
    path: Path<JobId>,
    origin: Origin,
    operations: web::Data<Operations>,
) -> Result<Answer<JobView>, ApiError> {
    let job = operations.retry_job(&By::user(admin.user_id, origin), path.into_inner()).await?;
    Ok(Answer::ok(job.into()))
}

/// Stops a job: one that waits at once, one that runs within some seconds.
#[utoipa::path(
    operation_id = "cancelJob",
    tag = "administration",
    security(("access_token" = [])),
    params(("job_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<JobView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, description = "it has ended", body = ErrorEnvelope),
    )
)]
#[post("/api/v1/admin/jobs/{job_id}/cancel")]
pub(super) async fn cancel(
    admin: PlatformAdmin,
    path: Path<JobId>,
    origin: Origin,
    operations: web::Data<Operations>,
) -> Result<Answer<JobView>, ApiError> {
    let job = operations.cancel_job(&By::user(admin.user_id, origin), path.into_inner()).await?;
    Ok(Answer::ok(job.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_secret_by_its_name_is_left_out() {
        let payload = json!({"mail": "01", "api_key": "bk_1", "nested": [{"ResetToken": {"a": 1}, "name": "n"}], "password": null});
        assert_eq!(
            redacted(payload),
            json!({"mail": "01", "api_key": "***", "nested": [{"ResetToken": "***", "name": "n"}], "password": null})
        );
    }
}
