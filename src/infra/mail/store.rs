//! Rows of `mail_outbox`.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::MailStatus;
use super::entity::mail_outbox::{ActiveModel, Column, Entity, Model};
use crate::common::id::MailId;
use crate::infra::db::{Error, stored};

pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

pub async fn find(db: &impl ConnectionTrait, id: MailId) -> Result<Option<Model>, Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Newest first.
pub async fn list(db: &impl ConnectionTrait, status: Option<MailStatus>, before: Option<MailId>, limit: u64) -> Result<Vec<Model>, Error> {
    let mut select = Entity::find().order_by_desc(Column::Id).limit(limit);
    if let Some(status) = status {
        select = select.filter(Column::Status.eq(status.name()));
    }
    if let Some(before) = before {
        select = select.filter(Column::Id.lt(before));
    }
    Ok(select.all(db).await?)
}

pub async fn count(db: &impl ConnectionTrait, status: MailStatus) -> Result<u64, Error> {
    Ok(Entity::find().filter(Column::Status.eq(status.name())).count(db).await?)
}

/// Notes how sending went. A mail that was sent stays sent.
pub async fn update_status(
    db: &impl ConnectionTrait,
    id: MailId,
    status: MailStatus,
    error: Option<String>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let now = stored(now);
    let mut change =
        ActiveModel { status: Set(status.name().to_owned()), last_error: Set(error), updated_at: Set(now), ..Default::default() };
    if status == MailStatus::Sent {
        change.sent_at = Set(Some(now));
    }
    Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Status.ne(MailStatus::Sent.name())).exec(db).await?;
    Ok(())
}

/// Forgets the text of what was sent before; of how many.
pub async fn update_blank(db: &impl ConnectionTrait, sent_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, Error> {
    let change = ActiveModel { text: Set(String::new()), html: Set(String::new()), updated_at: Set(stored(now)), ..Default::default() };
    let result = Entity::update_many()
        .set(change)
        .filter(Column::Status.eq(MailStatus::Sent.name()))
        .filter(Column::SentAt.lt(stored(sent_before)))
        .filter(Column::Text.ne(""))
        .exec(db)
        .await?;
    Ok(result.rows_affected)
}

/// Deletes what was written before; how many.
pub async fn delete_old(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, Error> {
    Ok(Entity::delete_many().filter(Column::CreatedAt.lt(stored(before))).exec(db).await?.rows_affected)
}
