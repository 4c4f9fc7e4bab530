//! Rows of `organization_invitations`.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, Select, Statement, Value,
};

use super::OpenInvitation;
use crate::common::id::{InvitationId, OrganizationId, UserId};
use crate::infra::db::{Error, stored};
use crate::organization::Role;
use crate::organization::entity::organization_invitations::{ActiveModel, Column, Entity, Model};

pub use crate::organization::entity::organization_invitations::Model as Row;

const PENDING: &str = "pending";

/// The invitations to one organisation.
fn in_org(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::OrganizationId.eq(organization))
}

/// An invitation with the address of whoever sent it.
#[derive(Debug)]
pub struct Listed {
    pub row: Row,
    pub invited_by_email: Option<String>,
}

/// The latest invitations to an organisation, newest first.
pub async fn list(db: &impl ConnectionTrait, organization: OrganizationId, limit: u32) -> Result<Vec<Listed>, Error> {
    let query = format!(
        "SELECT i.*, u.email AS invited_by_email FROM organization_invitations i LEFT JOIN users u ON u.id = i.invited_by \
         WHERE i.organization_id = $1 ORDER BY i.id DESC LIMIT {limit}"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), query, [organization.into()]);
    let rows = db.query_all_raw(statement).await?;
    let read = |row: &sea_orm::QueryResult| {
        Ok(Listed { row: Model::from_query_result(row, "")?, invited_by_email: row.try_get("", "invited_by_email")? })
    };
    rows.iter().map(read).collect::<Result<_, sea_orm::DbErr>>().map_err(Error::from)
}

pub async fn find(db: &impl ConnectionTrait, organization: OrganizationId, id: InvitationId) -> Result<Option<Row>, Error> {
    Ok(in_org(organization).filter(Column::Id.eq(id)).one(db).await?)
}

#[derive(FromQueryResult)]
struct OpenRow {
    id: InvitationId,
    organization_id: OrganizationId,
    organization_name: String,
    email: String,
    role: String,
    project_roles: String,
    inviter_id: Option<UserId>,
    first_name: Option<String>,
    last_name: Option<String>,
    inviter: Option<String>,
    expires_at: DateTime<Utc>,
}

/// What identifies open invitations.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    TokenHash(&'a str),
    Id(InvitationId),
    Email(&'a str),
}

/// Invitations that can be accepted: pending, not expired, of organisations that take members, newest first.
pub async fn list_open(db: &impl ConnectionTrait, wanted: Wanted<'_>, now: DateTime<Utc>) -> Result<Vec<OpenInvitation>, Error> {
    let (column, value): (_, Value) = match wanted {
        Wanted::TokenHash(hash) => ("token_hash", hash.into()),
        Wanted::Id(id) => ("id", id.into()),
        Wanted::Email(email) => ("email", email.into()),
    };
    let query = format!(
        "SELECT i.id, i.organization_id, o.name AS organization_name, i.email, i.role, i.project_roles, i.expires_at, \
         i.invited_by AS inviter_id, u.first_name, u.last_name, u.email AS inviter FROM organization_invitations i \
         JOIN organizations o ON o.id = i.organization_id AND o.deleted_at IS NULL AND o.archived_at IS NULL \
         LEFT JOIN users u ON u.id = i.invited_by AND u.deleted_at IS NULL \
         WHERE i.{column} = $1 AND i.status = 'pending' ORDER BY i.id DESC"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, [value])).await?;
    let rows: Vec<OpenRow> = rows.iter().map(|row| OpenRow::from_query_result(row, "")).collect::<Result<_, _>>()?;
    Ok(rows.into_iter().filter(|row| now < row.expires_at).map(OpenInvitation::from).collect())
}

/// Whether somebody with this address has an account.
pub async fn exists_account(db: &impl ConnectionTrait, email: &str) -> Result<bool, Error> {
    let query = "SELECT id FROM users WHERE lower(email) = $1 AND deleted_at IS NULL";
    let found = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), query, [email.into()])).await?;
    Ok(found.is_some())
}

/// The address of somebody in lower case, and whether a mail to it has proven that it is theirs.
pub async fn find_address(db: &impl ConnectionTrait, user: UserId) -> Result<Option<(String, bool)>, Error> {
    let query = "SELECT email, email_proven_at FROM users WHERE id = $1 AND deleted_at IS NULL";
    let found = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), query, [user.into()])).await?;
    let read = |row: sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
        let (email, proven): (String, Option<DateTime<Utc>>) = (row.try_get("", "email")?, row.try_get("", "email_proven_at")?);
        Ok((email.to_lowercase(), proven.is_some()))
    };
    Ok(found.map(read).transpose()?)
}

pub async fn insert(db: &impl ConnectionTrait, row: Row) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// When an address was last written to on behalf of an organisation, by an invitation that is not open any more.
pub async fn last_sent_at(db: &impl ConnectionTrait, organization: OrganizationId, email: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let row = in_org(organization)
        .filter(Column::Email.eq(email))
        .filter(Column::Status.ne(PENDING))
        .order_by_desc(Column::SentAt)
        .one(db)
        .await?;
    Ok(row.map(|row| row.sent_at))
}

/// Takes back the open invitations that somebody made to one of these roles; returns how many.
pub async fn update_revoked_of(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    inviter: UserId,
    roles: &[&str],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let revoked = super::InvitationStatus::Revoked.name().to_owned();
    let result = Entity::update_many()
        .set(ActiveModel { status: Set(revoked), updated_at: Set(stored(now)), ..Default::default() })
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::InvitedBy.eq(inviter))
        .filter(Column::Status.eq(PENDING))
        .filter(Column::Role.is_in(roles.iter().copied()))
        .exec(db)
        .await?;
    Ok(result.rows_affected)
}

/// Ends the pending invitation of an address whose time is over, so that it does not stand in the way of another.
pub async fn update_expired(db: &impl ConnectionTrait, organization: OrganizationId, email: &str, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    Entity::update_many()
        .set(ActiveModel { status: Set("expired".to_owned()), updated_at: Set(now), ..Default::default() })
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Email.eq(email))
        .filter(Column::Status.eq(PENDING))
        .filter(Column::ExpiresAt.lte(now))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a pending invitation; false when it is not pending any more, so of two who try at once one succeeds.
pub async fn update_status(
    db: &impl ConnectionTrait,
    id: InvitationId,
    status: &str,
    accepted_by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let change =
        ActiveModel { status: Set(status.to_owned()), accepted_by: Set(accepted_by), updated_at: Set(stored(now)), ..Default::default() };
    let result = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Status.eq(PENDING)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Notes that it was sent again with another token; false when it is not pending any more, or was sent by somebody else meanwhile.
pub async fn update_sent(
    db: &impl ConnectionTrait,
    row: &Row,
    token_hash: String,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let now = stored(now);
    let change = ActiveModel {
        token_hash: Set(token_hash),
        sent_count: Set(row.sent_count.saturating_add(1)),
        sent_at: Set(now),
        expires_at: Set(stored(expires_at)),
        updated_at: Set(now),
        ..Default::default()
    };
    let result = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(row.id))
        .filter(Column::Status.eq(PENDING))
        .filter(Column::TokenHash.eq(row.token_hash.as_str()))
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

impl From<OpenRow> for OpenInvitation {
    fn from(row: OpenRow) -> Self {
        let name = format!("{} {}", row.first_name.unwrap_or_default(), row.last_name.unwrap_or_default());
        let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        Self {
            id: row.id,
            organization_id: row.organization_id,
            organization_name: row.organization_name,
            email: row.email,
            role: Role::from(row.role.as_str()),
            project_roles: serde_json::from_str(&row.project_roles).unwrap_or_default(),
            inviter: row.inviter_id,
            invited_by: name.or(row.inviter),
            expires_at: row.expires_at,
        }
    }
}
