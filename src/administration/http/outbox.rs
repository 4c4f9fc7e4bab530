//! `/api/v1/admin/outbox`: mail on its way, or kept where there is no mail server.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Page, one_of};
use crate::administration::Operations;
use crate::audit::By;
use crate::common::id::MailId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, PlatformAdmin, Query};
use crate::infra::mail::StoredMail;

/// A mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailView {
    #[schema(value_type = String)]
    id: MailId,
    recipient: String,
    /// Its occasion, such as `reset_password`.
    template: String,
    subject: String,
    /// `queued`, `sent`, `kept` (there is no mail server) or `failed`.
    status: String,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

/// A mail with its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailDetail {
    #[serde(flatten)]
    mail: MailView,
    /// Empty a day after it was sent; where mail is delivered, also when it holds a link that only its recipient should use.
    text: String,
    /// Empty when the text is.
    html: String,
}

impl From<StoredMail> for MailView {
    fn from(mail: StoredMail) -> Self {
        Self {
            id: mail.id,
            recipient: mail.recipient,
            template: mail.template,
            subject: mail.subject,
            status: mail.status,
            last_error: mail.last_error,
            created_at: mail.created_at,
            sent_at: mail.sent_at,
        }
    }
}

impl From<StoredMail> for MailDetail {
    fn from(mut mail: StoredMail) -> Self {
        let (text, html) = (std::mem::take(&mut mail.text), std::mem::take(&mut mail.html));
        Self { mail: mail.into(), text, html }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `queued`, `sent`, `kept` or `failed`.
    status: Option<String>,
    /// 1 to 100; 50 without it.
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists mail, newest first, without its text.
#[utoipa::path(
    operation_id = "listMail",
    tag = "administration",
    security(("access_token" = [])),
    params(ListQuery),
    responses(
        (status = 200, body = Envelope<Vec<MailView>>),
        (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
    )
)]
#[get("/api/v1/admin/outbox")]
pub(super) async fn list(
    _: PlatformAdmin,
    query: Query<ListQuery>,
    operations: web::Data<Operations>,
) -> Result<Answer<Vec<MailView>>, ApiError> {
    let query = query.into_inner();
    let page = Page::of(query.limit, query.cursor.as_deref())?;
    let mut rows = operations.mails(one_of("status", query.status.as_deref())?, page.before, page.rows()).await?;
    let pagination = page.cut(&mut rows, |row| row.id)?;
    Ok(Answer::page(rows.into_iter().map(MailView::from).collect(), pagination))
}

/// A mail with its text. That it was read is noted in the audit log, since there may be a link in it.
#[utoipa::path(
    operation_id = "getMail",
    tag = "administration",
    security(("access_token" = [])),
    params(("mail_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<MailDetail>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
    )
)]
#[get("/api/v1/admin/outbox/{mail_id}")]
pub(super) async fn get(
    admin: PlatformAdmin,
    path: Path<MailId>,
    origin: Origin,
    operations: web::Data<Operations>,
) -> Result<Answer<MailDetail>, ApiError> {
    let mail = operations.read_mail(&By::user(admin.user_id, origin), path.into_inner()).await?;
    Ok(Answer::ok(mail.into()))
}

/// Sends a mail again that failed or was kept.
#[utoipa::path(
    operation_id = "retryMail",
    tag = "administration",
    security(("access_token" = [])),
    params(("mail_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<MailView>),
        (status = 401, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, description = "it was sent, or there is no mail server", body = ErrorEnvelope),
    )
)]
#[post("/api/v1/admin/outbox/{mail_id}/retry")]
pub(super) async fn retry(
    admin: PlatformAdmin,
    path: Path<MailId>,
    origin: Origin,
    operations: web::Data<Operations>,
) -> Result<Answer<MailView>, ApiError> {
    let mail = operations.retry_mail(&By::user(admin.user_id, origin), path.into_inner()).await?;
    Ok(Answer::ok(mail.into()))
}
