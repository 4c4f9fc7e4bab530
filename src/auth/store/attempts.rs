//! Rows of `login_attempts`.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::auth::entity::login_attempts::{ActiveModel, Column, Entity, Model};
use crate::infra::db::{Error, stored};

pub use crate::auth::entity::login_attempts::Model as Attempts;

pub async fn find(db: &impl ConnectionTrait, subject: &str) -> Result<Option<Attempts>, Error> {
    Ok(Entity::find_by_id(subject.to_owned()).one(db).await?)
}

/// Counts one more and returns how many there are; those before `forgotten` do not count any more.
pub async fn count(db: &impl ConnectionTrait, subject: &str, now: DateTime<Utc>, forgotten: DateTime<Utc>) -> Result<i32, Error> {
    const UPSERT: &str = "INSERT INTO login_attempts (subject, failures, last_failure_at) VALUES ($1, 1, $2) \
        ON CONFLICT (subject) DO UPDATE SET \
        failures = CASE WHEN login_attempts.last_failure_at < $3 THEN 1 ELSE login_attempts.failures + 1 END, \
        last_failure_at = excluded.last_failure_at RETURNING failures";
    let values = [subject.into(), stored(now).into(), stored(forgotten).into()];
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), UPSERT, values)).await?;
    Ok(row.map_or(Ok(1), |row| row.try_get_by_index(0))?)
}

/// Takes back one that was counted and did not fail; the time is again that of the failure before it.
pub async fn uncount(db: &impl ConnectionTrait, subject: &str, before: Option<&Model>) -> Result<(), Error> {
    const UPDATE: &str = "UPDATE login_attempts SET failures = failures - 1, last_failure_at = COALESCE($2, last_failure_at) \
        WHERE subject = $1 AND failures > 1";
    if before.is_none() {
        let only = Entity::delete_many().filter(Column::Subject.eq(subject)).filter(Column::Failures.lte(1)).exec(db).await?;
        if only.rows_affected > 0 {
            return Ok(());
        }
    }
    let values = [subject.into(), before.map(|row| row.last_failure_at).into()];
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), UPDATE, values)).await?;
    Ok(())
}

pub async fn update_locked(db: &impl ConnectionTrait, subject: &str, until: DateTime<Utc>) -> Result<(), Error> {
    let change = ActiveModel { locked_until: Set(Some(stored(until))), ..Default::default() };
    Entity::update_many().set(change).filter(Column::Subject.eq(subject)).exec(db).await?;
    Ok(())
}

pub async fn delete(db: &impl ConnectionTrait, subject: &str) -> Result<(), Error> {
    Entity::delete_many().filter(Column::Subject.eq(subject)).exec(db).await?;
    Ok(())
}

/// Forgets who has not failed since.
pub async fn delete_before(db: &impl ConnectionTrait, time: DateTime<Utc>) -> Result<(), Error> {
    Entity::delete_many().filter(Column::LastFailureAt.lt(stored(time))).exec(db).await?;
    Ok(())
}
