//! Rows of `user_second_factors` and `user_recovery_codes`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use crate::auth::entity::user_recovery_codes::{self as codes, Entity as Code};
use crate::auth::entity::user_second_factors::{ActiveModel, Column, Entity, Model};
use crate::common::id::{RecoveryCodeId, UserId};
use crate::infra::db::{Error, stored};

pub use crate::auth::entity::user_second_factors::Model as SecondFactor;

pub async fn find(db: &impl ConnectionTrait, user: UserId) -> Result<Option<SecondFactor>, Error> {
    Ok(Entity::find_by_id(user).one(db).await?)
}

/// Puts a secret in place that is not in force yet; one that is in force stays.
pub async fn upsert_pending(db: &impl ConnectionTrait, user: UserId, sealed_secret: String, now: DateTime<Utc>) -> Result<bool, Error> {
    Entity::delete_many().filter(Column::UserId.eq(user)).filter(Column::EnabledAt.is_null()).exec(db).await?;
    let now = stored(now);
    let row = Model { user_id: user, sealed_secret, enabled_at: None, last_step: 0, created_at: now, updated_at: now };
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(Column::UserId).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(inserted == 1)
}

/// Takes the code of a time step, once: false when it or a later one was taken already.
pub async fn update_step(db: &impl ConnectionTrait, user: UserId, step: i64, now: DateTime<Utc>) -> Result<bool, Error> {
    let result = Entity::update_many()
        .set(ActiveModel { last_step: Set(step), updated_at: Set(stored(now)), ..Default::default() })
        .filter(Column::UserId.eq(user))
        .filter(Column::LastStep.lt(step))
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Puts the prepared secret in force; false when none is prepared.
pub async fn update_enabled(db: &impl ConnectionTrait, user: UserId, now: DateTime<Utc>) -> Result<bool, Error> {
    let now = stored(now);
    let result = Entity::update_many()
        .set(ActiveModel { enabled_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
        .filter(Column::UserId.eq(user))
        .filter(Column::EnabledAt.is_null())
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Takes the second factor away, with its recovery codes; false when there was none.
pub async fn delete(db: &impl ConnectionTrait, user: UserId) -> Result<bool, Error> {
    delete_codes(db, user).await?;
    Ok(Entity::delete_many().filter(Column::UserId.eq(user)).exec(db).await?.rows_affected == 1)
}

pub async fn delete_codes(db: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    Code::delete_many().filter(codes::Column::UserId.eq(user)).exec(db).await?;
    Ok(())
}

pub async fn insert_codes(db: &impl ConnectionTrait, user: UserId, hashes: Vec<String>, now: DateTime<Utc>) -> Result<(), Error> {
    let rows = hashes.into_iter().map(|code_hash| {
        let row = codes::Model { id: RecoveryCodeId::fresh(), user_id: user, code_hash, created_at: stored(now), used_at: None };
        row.into_active_model()
    });
    Code::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Uses a recovery code up; false when it is none, or was used.
pub async fn update_code_used(db: &impl ConnectionTrait, user: UserId, hash: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    let result = Code::update_many()
        .set(codes::ActiveModel { used_at: Set(Some(stored(now))), ..Default::default() })
        .filter(codes::Column::UserId.eq(user))
        .filter(codes::Column::CodeHash.eq(hash))
        .filter(codes::Column::UsedAt.is_null())
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

pub async fn count_codes(db: &impl ConnectionTrait, user: UserId) -> Result<u64, Error> {
    Ok(Code::find().filter(codes::Column::UserId.eq(user)).filter(codes::Column::UsedAt.is_null()).count(db).await?)
}
