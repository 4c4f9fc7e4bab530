//! `/api/v1/admin/users`.

use actix_web::{get, patch, post, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Page;
use crate::administration::users::Listed;
use crate::administration::{Change, NewAccount, UserAdministration};
use crate::audit::By;
use crate::common::id::UserId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Json, Path, PlatformAdmin, Query};

/// A person as an administrator sees one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[schema(value_type = String)]
    id: UserId,
    email: String,
    first_name: String,
    last_name: String,
    status: AccountStatus,
    /// Platform administrator.
    is_admin: bool,
    email_verified: bool,
    /// Whether signing in takes a second factor.
    second_factor: bool,
    /// Organizations that the person is a member of.
    organization_count: i64,
    last_login_at: Option<DateTime<Utc>>,
    /// No password is taken before; null where nothing is locked.
    locked_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// Whether somebody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    Active,
    Suspended,
}

impl From<Listed> for Account {
    fn from(listed: Listed) -> Self {
        let account = listed.account;
        Self {
            id: account.id,
            email: account.email,
            first_name: account.first_name,
            last_name: account.last_name,
            status: if account.status == "active" { AccountStatus::Active } else { AccountStatus::Suspended },
            is_admin: account.is_admin,
            email_verified: account.email_verified_at.is_some(),
            second_factor: account.second_factor,
            organization_count: account.organization_count,
            last_login_at: account.last_login_at,
            locked_until: listed.locked_until,
            created_at: account.created_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Part of the e-mail or the name, in any case.
    #[garde(inner(length(chars, max = 320)))]
    search: Option<String>,
    #[param(value_type = Option<AccountStatus>)]
    #[garde(skip)]
    status: Option<AccountStatus>,
    /// 1 to 100; 50 without it.
    #[garde(inner(range(min = 1, max = 100)))]
    limit: Option<u32>,
    /// `meta.pagination.next_cursor` of the page before.
    #[garde(skip)]
    cursor: Option<String>,
}

/// Everybody who has an account, newest first.
#[utoipa::path(
    operation_id = "listUsers",
    tag = "administration",
    security(("access_token" = [])),
    params(ListQuery),
    responses((status = 200, body = Envelope<Vec<Account>>), (status = 400, body = ErrorEnvelope), (status = 403, body = ErrorEnvelope))
)]
#[get("/api/v1/admin/users")]
pub async fn list(
    _admin: PlatformAdmin,
    query: Query<ListQuery>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<Vec<Account>>, ApiError> {
    let query = query.into_inner();
    let status = query.status.map(|status| if status == AccountStatus::Active { "active" } else { "suspended" }.to_owned());
    let page = Page::of(query.limit, query.cursor.as_deref())?;
    let filter = page.filter(query.search, status);
    let mut rows = users.list(&filter).await?;
    let pagination = page.cut(&mut rows, |listed| listed.account.id.to_string())?;
    Ok(Answer::page(rows.into_iter().map(Account::from).collect(), pagination))
}

/// Somebody to be added.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    #[garde(length(chars, min = 3, max = 320))]
    email: String,
    #[serde(default)]
    #[garde(length(chars, max = 100))]
    first_name: String,
    #[serde(default)]
    #[garde(length(chars, max = 100))]
    last_name: String,
    /// Platform administrator.
    #[serde(default)]
    #[garde(skip)]
    is_admin: bool,
    /// Without one, the person has to set one through a link.
    #[garde(inner(length(chars, min = 1, max = 512)))]
    password: Option<String>,
}

/// Somebody who was added.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedUser {
    user: Account,
    /// Where the person sets a password, for the administrator to hand on; null where one was given.
    password_reset_link: Option<String>,
}

/// Adds somebody, whose address the administrator vouches for.
#[utoipa::path(
    operation_id = "createUser",
    tag = "administration",
    security(("access_token" = [])),
    request_body = CreateUser,
    responses(
        (status = 201, body = Envelope<CreatedUser>),
        (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "somebody has this address")
    )
)]
#[post("/api/v1/admin/users")]
pub async fn create(
    admin: PlatformAdmin,
    origin: Origin,
    body: Json<CreateUser>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<CreatedUser>, ApiError> {
    let CreateUser { email, first_name, last_name, is_admin, password } = body.into_inner();
    let by = By::user(admin.user_id, origin);
    let (listed, password_reset_link) = users.create(&by, NewAccount { email, first_name, last_name, is_admin, password }).await?;
    Ok(Answer::created(CreatedUser { user: listed.into(), password_reset_link }))
}

/// What is changed; what is missing stays.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Suspending ends the person's sessions at once.
    #[garde(skip)]
    status: Option<AccountStatus>,
    #[garde(skip)]
    is_admin: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub struct Id {
    user_id: UserId,
}

/// Suspends somebody or lets them in again; makes them a platform administrator or none.
#[utoipa::path(
    operation_id = "updateUser",
    tag = "administration",
    security(("access_token" = [])),
    params(("user_id" = String, Path)),
    request_body = UpdateUser,
    responses(
        (status = 200, body = Envelope<Account>),
        (status = 403, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope),
        (status = 409, body = ErrorEnvelope, description = "oneself, or the last administrator")
    )
)]
#[patch("/api/v1/admin/users/{user_id}")]
pub async fn update(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    body: Json<UpdateUser>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<Account>, ApiError> {
    let change = Change { active: body.status.map(|status| status == AccountStatus::Active), admin: body.is_admin };
    Ok(Answer::ok(users.update(&By::user(admin.user_id, origin), path.user_id, change).await?.into()))
}

/// Sessions that were ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedSessions {
    ended: u64,
}

/// Ends every session of somebody.
#[utoipa::path(
    operation_id = "adminRevokeSessions",
    tag = "administration",
    security(("access_token" = [])),
    params(("user_id" = String, Path)),
    responses((status = 200, body = Envelope<EndedSessions>), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope))
)]
#[post("/api/v1/admin/users/{user_id}/revoke-sessions")]
pub async fn revoke_sessions(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<EndedSessions>, ApiError> {
    let ended = users.revoke_sessions(&By::user(admin.user_id, origin), path.user_id).await?;
    Ok(Answer::ok(EndedSessions { ended }))
}

/// Nothing more to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {}

/// Mails somebody a link to set a new password. Without a mail server it stays in the outbox, for administrators to read.
#[utoipa::path(
    operation_id = "sendPasswordReset",
    tag = "administration",
    security(("access_token" = [])),
    params(("user_id" = String, Path)),
    responses((status = 200, body = Envelope<Done>), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope))
)]
#[post("/api/v1/admin/users/{user_id}/send-password-reset")]
pub async fn send_password_reset(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<Done>, ApiError> {
    users.send_password_reset(&By::user(admin.user_id, origin), path.user_id).await?;
    Ok(Answer::ok(Done {}))
}

/// Forgets the failed sign-ins of somebody, so that they may try again at once.
#[utoipa::path(
    operation_id = "unlockUser",
    tag = "administration",
    security(("access_token" = [])),
    params(("user_id" = String, Path)),
    responses((status = 200, body = Envelope<Done>), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope))
)]
#[post("/api/v1/admin/users/{user_id}/unlock")]
pub async fn unlock(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<Done>, ApiError> {
    users.unlock(&By::user(admin.user_id, origin), path.user_id).await?;
    Ok(Answer::ok(Done {}))
}

/// Takes the second factor away from somebody who has lost it.
#[utoipa::path(
    operation_id = "resetUserSecondFactor",
    tag = "administration",
    security(("access_token" = [])),
    params(("user_id" = String, Path)),
    responses((status = 200, body = Envelope<Done>), (status = 403, body = ErrorEnvelope), (status = 404, body = ErrorEnvelope))
)]
#[post("/api/v1/admin/users/{user_id}/reset-second-factor")]
pub async fn reset_second_factor(
    admin: PlatformAdmin,
    origin: Origin,
    path: Path<Id>,
    users: web::Data<UserAdministration>,
) -> Result<Answer<Done>, ApiError> {
    users.reset_second_factor(&By::user(admin.user_id, origin), path.user_id).await?;
    Ok(Answer::ok(Done {}))
}
