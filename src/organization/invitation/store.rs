//! Rows of `organization_invitations`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::common::id::{InvitationId, UserId};
use crate::infra::db::{Error, stored};
use crate::organization::entity::organization_invitations::{ActiveModel, Column, Entity, Model};

pub async fn find_open(db: &impl ConnectionTrait, token_hash: &str, now: DateTime<Utc>) -> Result<Option<Model>, Error> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::Status.eq("pending"))
        .filter(Column::ExpiresAt.gt(stored(now)))
        .one(db)
        .await?;
    Ok(row)
}

pub async fn update_accepted(db: &impl ConnectionTrait, id: InvitationId, user: UserId, now: DateTime<Utc>) -> Result<bool, Error> {
    let change = ActiveModel {
        status: Set("accepted".to_owned()),
        accepted_by: Set(Some(user)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    let result = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::Status.eq("pending")).exec(db).await?;
    Ok(result.rows_affected == 1)
}
