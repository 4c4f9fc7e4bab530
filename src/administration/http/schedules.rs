//! `/api/v1/admin/schedules`: what is done again and again.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::administration::Operations;
use crate::audit::By;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, PlatformAdmin};
use crate::infra::jobs::StoredSchedule;

/// A job that is made at certain times.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleView {
    name: String,
    /// The kind of job it makes.
    kind: String,
    /// Minute, hour, day of the month, month, day of the week; in UTC.
    cron: String,
    next_at: DateTime<Utc>,
    last_at: Option<DateTime<Utc>>,
}

impl From<StoredSchedule> for ScheduleView {
    fn from(schedule: StoredSchedule) -> Self {
        Self { name: schedule.name, kind: schedule.kind, cron: schedule.cron, next_at: schedule.next_at, last_at: schedule.last_at }
    }
}

/// Lists the schedules.
#[utoipa::path(
    operation_id = "listSchedules",
    tag = "administration",
    security(("access_token" = [])),
    responses(
        (status = 200, body = Envelope<Vec<ScheduleView>>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
    )
)]
#[get("/api/v1/admin/schedules")]
pub(super) async fn list(_: PlatformAdmin, operations: web::Data<Operations>) -> Result<Answer<Vec<ScheduleView>>, ApiError> {
    Ok(Answer::ok(operations.schedules().await?.into_iter().map(ScheduleView::from).collect()))
}

/// Makes a schedule's job now, beside its times.
#[utoipa::path(
    operation_id = "runSchedule",
    tag = "administration",
    security(("access_token" = [])),
    params(("name" = String, Path)),
    responses(
        (status = 200, body = Envelope<ScheduleView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
    )
)]
#[post("/api/v1/admin/schedules/{name}/run")]
pub(super) async fn run(
    admin: PlatformAdmin,
    path: Path<String>,
    origin: Origin,
    operations: web::Data<Operations>,
) -> Result<Answer<ScheduleView>, ApiError> {
    let schedule = operations.run_schedule(&By::user(admin.user_id, origin), &path).await?;
    Ok(Answer::ok(schedule.into()))
}
