//! Rows of `user_tokens`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use crate::auth::entity::user_tokens::{ActiveModel, Column, Entity, Model};
use crate::common::id::{UserId, UserTokenId};
use crate::infra::db::{Error, stored};

/// How many were made for this purpose since `time`.
pub async fn count_since(db: &impl ConnectionTrait, user: UserId, purpose: &str, time: DateTime<Utc>) -> Result<u64, Error> {
    let made = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Purpose.eq(purpose));
    Ok(made.filter(Column::CreatedAt.gt(stored(time))).count(db).await?)
}

pub async fn insert(
    db: &impl ConnectionTrait,
    user: UserId,
    purpose: &str,
    token_hash: String,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    let row = Model {
        id: UserTokenId::fresh(),
        user_id: user,
        purpose: purpose.to_owned(),
        token_hash,
        created_at: stored(now),
        expires_at: stored(expires_at),
        used_at: None,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// Makes those for this purpose useless that nobody used.
pub async fn update_all_used(db: &impl ConnectionTrait, user: UserId, purpose: &str, now: DateTime<Utc>) -> Result<(), Error> {
    Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(stored(now))), ..Default::default() })
        .filter(Column::UserId.eq(user))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Whose token this is, while it can be used.
pub async fn find_open(db: &impl ConnectionTrait, purpose: &str, token_hash: &str, now: DateTime<Utc>) -> Result<Option<UserId>, Error> {
    let row = Entity::find()
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(stored(now)))
        .one(db)
        .await?;
    Ok(row.map(|row| row.user_id))
}

/// Uses a token up; false when it cannot be used (any more).
pub async fn update_used(db: &impl ConnectionTrait, purpose: &str, token_hash: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let result = Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(stored(now))), ..Default::default() })
        .filter(Column::TokenHash.eq(token_hash))
        .filter(Column::Purpose.eq(purpose))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(stored(now)))
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Forgets what has been of no use since `time`.
pub async fn delete_expired(db: &impl ConnectionTrait, user: UserId, time: DateTime<Utc>) -> Result<(), Error> {
    Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::ExpiresAt.lt(stored(time))).exec(db).await?;
    Ok(())
}
