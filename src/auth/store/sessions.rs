//! Rows of `auth_sessions`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryTrait, Select};

use crate::auth::entity::auth_sessions::{ActiveModel, Column, Entity, Model};
use crate::common::id::{SessionId, UserId};
use crate::infra::db::{Error, stored};

pub use crate::auth::entity::auth_sessions::Model as Session;

/// Where somebody signs in from.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

/// Sessions that were not ended.
fn open() -> Select<Entity> {
    Entity::find().filter(Column::EndedAt.is_null())
}

pub async fn find_open(db: &impl ConnectionTrait, id: SessionId) -> Result<Option<Session>, Error> {
    Ok(open().filter(Column::Id.eq(id)).one(db).await?)
}

pub async fn insert(
    db: &impl ConnectionTrait,
    id: SessionId,
    user: UserId,
    refresh_hash: String,
    place: Place,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), Error> {
    let now = stored(now);
    let row = Model {
        id,
        user_id: user,
        refresh_hash,
        previous_hash: None,
        rotation_salt: None,
        rotated_at: None,
        ip_address: place.ip_address,
        user_agent: place.user_agent,
        created_at: now,
        last_seen_at: now,
        expires_at: stored(expires_at),
        ended_at: None,
        end_reason: None,
    };
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// One rotation of a refresh token.
#[derive(Debug)]
pub struct Rotation {
    /// The hash that must still be the current one.
    pub from: String,
    pub to: String,
    pub salt: String,
    pub place: Place,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Rotates, unless somebody else did first: false then.
pub async fn update_rotation(db: &impl ConnectionTrait, id: SessionId, rotation: Rotation) -> Result<bool, Error> {
    let now = stored(rotation.now);
    let change = ActiveModel {
        refresh_hash: Set(rotation.to),
        previous_hash: Set(Some(rotation.from.clone())),
        rotation_salt: Set(Some(rotation.salt)),
        rotated_at: Set(Some(now)),
        ip_address: Set(rotation.place.ip_address),
        user_agent: Set(rotation.place.user_agent),
        last_seen_at: Set(now),
        expires_at: Set(stored(rotation.expires_at)),
        ..Default::default()
    };
    let result = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::RefreshHash.eq(rotation.from))
        .filter(Column::EndedAt.is_null())
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Ends one session, only if it is `owner`'s where one is named; false when it had ended already.
pub async fn update_ended(
    db: &impl ConnectionTrait,
    id: SessionId,
    owner: Option<UserId>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let result = Entity::update_many()
        .set(ending(reason, now))
        .filter(Column::Id.eq(id))
        .filter(Column::EndedAt.is_null())
        .apply_if(owner, |query, owner| query.filter(Column::UserId.eq(owner)))
        .exec(db)
        .await?;
    Ok(result.rows_affected == 1)
}

/// Ends every session of somebody but `kept`; returns how many.
pub async fn update_all_ended(
    db: &impl ConnectionTrait,
    user: UserId,
    kept: Option<SessionId>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let result = Entity::update_many()
        .set(ending(reason, now))
        .filter(Column::UserId.eq(user))
        .filter(Column::EndedAt.is_null())
        .apply_if(kept, |query, kept| query.filter(Column::Id.ne(kept)))
        .exec(db)
        .await?;
    Ok(result.rows_affected)
}

/// The sessions of somebody that can still be used.
pub async fn list_open(db: &impl ConnectionTrait, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>, Error> {
    Ok(open().filter(Column::UserId.eq(user)).filter(Column::ExpiresAt.gt(stored(now))).all(db).await?)
}

/// Moves the time at which a session was seen last forward, never back.
pub async fn update_last_seen(db: &impl ConnectionTrait, id: SessionId, at: DateTime<Utc>) -> Result<(), Error> {
    let at = stored(at);
    Entity::update_many()
        .set(ActiveModel { last_seen_at: Set(at), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::LastSeenAt.lt(at))
        .exec(db)
        .await?;
    Ok(())
}

fn ending(reason: &str, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        ended_at: Set(Some(stored(now))),
        end_reason: Set(Some(reason.to_owned())),
        rotation_salt: Set(None),
        ..Default::default()
    }
}
