//! Facts about the installation as a whole, by name: when it was made, what secrets it was made with (as fingerprints), what
//! the first start created.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};

use super::entity::installation::{ActiveModel, Column, Entity};
use super::{Error, stored};

/// RFC 3339 time of the first start.
pub const MADE_AT: &str = "made_at";

/// The fact called `key`.
pub async fn find(db: &impl ConnectionTrait, key: &str) -> Result<Option<String>, Error> {
    Ok(Entity::find_by_id(key.to_owned()).one(db).await?.map(|fact| fact.value))
}

/// Records `value` unless the fact is known already; returns what is recorded. Processes that start together agree on the first.
pub async fn find_or_set(db: &impl ConnectionTrait, key: &str, value: &str, now: DateTime<Utc>) -> Result<String, Error> {
    let now = stored(now);
    let fact = ActiveModel { key: Set(key.to_owned()), value: Set(value.to_owned()), created_at: Set(now), updated_at: Set(now) };
    Entity::insert(fact).on_conflict(OnConflict::column(Column::Key).do_nothing().to_owned()).exec_without_returning(db).await?;
    Ok(find(db, key).await?.unwrap_or_else(|| value.to_owned()))
}
