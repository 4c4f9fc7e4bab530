//! What a request for lines of the log may ask for.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::audit::AuditFilter;
use crate::common::id::{AuditId, OrganizationId, ProjectId};
use crate::common::page::{Pagination, decode_cursor, encode_cursor};
use crate::common::time;
use crate::error::ApiError;

/// Filters and place of a list of lines.
#[derive(Debug, Default, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
pub struct AuditLogQuery {
    /// Id of the person or API key that acted.
    actor_id: Option<String>,
    /// Such as `member.update`.
    action: Option<String>,
    /// Such as `member`.
    target_type: Option<String>,
    target_id: Option<String>,
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// `success`, `denied` or `failure`.
    outcome: Option<String>,
    /// RFC 3339 or Unix seconds, inclusive.
    start_time: Option<String>,
    /// RFC 3339 or Unix seconds, exclusive.
    end_time: Option<String>,
    /// 1 to 100; 50 without it.
    #[garde(inner(range(min = 1, max = 100)))]
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    cursor: Option<String>,
}

impl AuditLogQuery {
    /// The lines it asks for, of `organization` or of none.
    ///
    /// # Errors
    /// When a time or the outcome is wrong.
    pub fn filter(&self, organization: Option<OrganizationId>) -> Result<AuditFilter, ApiError> {
        let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let outcome = text(&self.outcome);
        if outcome.as_ref().is_some_and(|outcome| !["success", "denied", "failure"].contains(&outcome.as_str())) {
            return Err(ApiError::validation("outcome", "outcome must be success, denied or failure"));
        }
        Ok(AuditFilter {
            organization,
            project: self.project_id,
            actor_id: text(&self.actor_id),
            action: text(&self.action),
            target_type: text(&self.target_type),
            target_id: text(&self.target_id),
            outcome,
            from: moment("start_time", self.start_time.as_deref())?,
            to: moment("end_time", self.end_time.as_deref())?,
        })
    }

    /// How many lines at most.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(50)
    }

    /// The last line of the page before.
    ///
    /// # Errors
    /// When the cursor is not one of ours.
    pub fn after(&self) -> Result<Option<AuditId>, ApiError> {
        let read = |cursor: &str| {
            decode_cursor(cursor).ok_or_else(|| ApiError::validation("cursor", "cursor is not one this list gave; start again without it"))
        };
        self.cursor.as_deref().filter(|cursor| !cursor.is_empty()).map(read).transpose()
    }

    /// The page's place, when `rows` is one line longer than the page: that line is taken off.
    ///
    /// # Errors
    /// Never, for ids.
    pub fn page<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> AuditId) -> Result<Pagination, ApiError> {
        let limit = self.limit();
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| encode_cursor(&id(row))).transpose().map_err(ApiError::internal)?;
        Ok(Pagination::new(limit, next))
    }
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<DateTime<Utc>>, ApiError> {
    let read = |text: &str| time::parse(text).map(DateTime::from_timestamp_nanos).map_err(|message| ApiError::validation(field, message));
    text.filter(|text| !text.is_empty()).map(read).transpose()
}
