//! Rows of `login_attempts`.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::auth::entity::login_attempts::{ActiveModel, Column, Entity};
use crate::infra::db::{Error, stored};

pub use crate::auth::entity::login_attempts::Model as Attempts;

pub async fn list(db: &impl ConnectionTrait, subjects: &[&str]) -> Result<Vec<Attempts>, Error> {
    Ok(Entity::find().filter(Column::Subject.is_in(subjects.iter().copied())).all(db).await?)
}

/// Counts one more; returns when all that is counted will be forgotten, in milliseconds since the epoch.
pub async fn count(db: &impl ConnectionTrait, subject: &str, now_ms: i64, leak_ms: i64) -> Result<i64, Error> {
    const UPSERT: &str = "INSERT INTO login_attempts (subject, drained_ms) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET \
        drained_ms = CASE WHEN login_attempts.drained_ms > $3 THEN login_attempts.drained_ms ELSE $3 END + $4 RETURNING drained_ms";
    let drained = now_ms.saturating_add(leak_ms);
    let values = [subject.into(), drained.into(), now_ms.into(), leak_ms.into()];
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), UPSERT, values)).await?;
    Ok(row.map_or(Ok(drained), |row| row.try_get_by_index(0))?)
}

/// Takes back one that was counted and did not fail.
pub async fn uncount(db: &impl ConnectionTrait, subject: &str, leak_ms: i64, now_ms: i64) -> Result<(), Error> {
    const UPDATE: &str = "UPDATE login_attempts SET drained_ms = drained_ms - $2 WHERE subject = $1";
    let values = [subject.into(), leak_ms.into()];
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), UPDATE, values)).await?;
    // Nobody has failed here.
    Entity::delete_many()
        .filter(Column::Subject.eq(subject))
        .filter(Column::DrainedMs.lte(now_ms))
        .filter(Column::LastFailureAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

/// Notes a failure that was counted, and the lock it leads to.
pub async fn update_failed(
    db: &impl ConnectionTrait,
    subject: &str,
    now: DateTime<Utc>,
    locked_until: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let mut change = ActiveModel { last_failure_at: Set(Some(stored(now))), ..Default::default() };
    if let Some(until) = locked_until {
        change.locked_until = Set(Some(stored(until)));
    }
    Entity::update_many().set(change).filter(Column::Subject.eq(subject)).exec(db).await?;
    Ok(())
}

/// Remembers a subject until then.
pub async fn upsert(db: &impl ConnectionTrait, subject: &str, drained_ms: i64) -> Result<(), Error> {
    let row = ActiveModel { subject: Set(subject.to_owned()), drained_ms: Set(drained_ms), ..Default::default() };
    let again = OnConflict::column(Column::Subject).update_column(Column::DrainedMs).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(db).await?;
    Ok(())
}

pub async fn delete(db: &impl ConnectionTrait, subjects: &[String]) -> Result<(), Error> {
    Entity::delete_many().filter(Column::Subject.is_in(subjects)).exec(db).await?;
    Ok(())
}

/// Forgets an account at every address.
pub async fn delete_of_account(db: &impl ConnectionTrait, prefix: &str) -> Result<(), Error> {
    Entity::delete_many().filter(Column::Subject.starts_with(prefix)).exec(db).await?;
    Ok(())
}

/// Takes out what counts for nothing any more.
pub async fn delete_before(db: &impl ConnectionTrait, time: DateTime<Utc>) -> Result<(), Error> {
    let time = stored(time);
    let unlocked = Condition::any().add(Column::LockedUntil.is_null()).add(Column::LockedUntil.lt(time));
    Entity::delete_many().filter(Column::DrainedMs.lte(time.timestamp_millis())).filter(unlocked).exec(db).await?;
    Ok(())
}
