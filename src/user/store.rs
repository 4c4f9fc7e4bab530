//! Rows of `users`. The only place that touches them.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Select, Statement,
};

use super::entity::users::{ActiveModel, Column, Entity, Model};
use super::{Email, Error, NewUser, PasswordHash, ProfileChange, Standing, User};
use crate::common::id::{OrganizationId, UserId};
use crate::infra::db::{self, stored};

const ACTIVE: &str = "active";
const SUSPENDED: &str = "suspended";

/// Everybody who was not deleted: where every query starts.
fn present() -> Select<Entity> {
    Entity::find().filter(Column::DeletedAt.is_null())
}

pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, db::Error> {
    Ok(present().filter(Column::Id.eq(id)).one(db).await?.map(User::from))
}

pub async fn find_by_email(db: &impl ConnectionTrait, email: &Email) -> Result<Option<User>, db::Error> {
    let same = Expr::expr(Func::lower(Expr::col(Column::Email))).eq(email.as_str());
    Ok(present().filter(same).one(db).await?.map(User::from))
}

pub async fn count(db: &impl ConnectionTrait) -> Result<u64, db::Error> {
    Ok(present().count(db).await?)
}

pub async fn insert(db: &impl ConnectionTrait, new: NewUser, now: DateTime<Utc>) -> Result<User, Error> {
    let now = stored(now);
    let model = Model {
        id: UserId::fresh(),
        email: new.email.to_string(),
        first_name: new.first_name,
        last_name: new.last_name,
        password_hash: new.password_hash.map(|hash| hash.0),
        is_admin: new.is_admin,
        status: ACTIVE.to_owned(),
        default_organization_id: None,
        email_verified_at: new.verified.then_some(now),
        email_proven_at: None,
        last_login_at: None,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    match Entity::insert(model.clone().into_active_model()).exec_without_returning(db).await.map_err(db::Error::from) {
        Ok(_) => Ok(model.into()),
        Err(error) if error.is_duplicate() => Err(Error::EmailTaken(model.email)),
        Err(error) => Err(error.into()),
    }
}

pub async fn update_password(db: &impl ConnectionTrait, id: UserId, hash: PasswordHash, now: DateTime<Utc>) -> Result<(), Error> {
    update(db, id, ActiveModel { password_hash: Set(Some(hash.0)), updated_at: Set(stored(now)), ..Default::default() }).await
}

/// Replaces a hash by another one of the same password; false when it is not `old` any more.
pub async fn update_hash(db: &impl ConnectionTrait, id: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, Error> {
    let result = Entity::update_many()
        .set(ActiveModel { password_hash: Set(Some(new.0.clone())), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::PasswordHash.eq(old.0.as_str()))
        .exec(db)
        .await
        .map_err(db::Error::from)?;
    Ok(result.rows_affected == 1)
}

/// Notes that a mail to the address was opened by its owner, and by that that the address is theirs.
pub async fn update_proven(db: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    Entity::update_many()
        .set(ActiveModel { email_proven_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::EmailProvenAt.is_null())
        .exec(db)
        .await
        .map_err(db::Error::from)?;
    update_verified(db, id, now).await
}

/// Lets somebody sign in with the address, unless they may.
pub async fn update_verified(db: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    Entity::update_many()
        .set(ActiveModel { email_verified_at: Set(Some(now)), updated_at: Set(now), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::EmailVerifiedAt.is_null())
        .exec(db)
        .await
        .map_err(db::Error::from)?;
    Ok(())
}

pub async fn update_profile(db: &impl ConnectionTrait, id: UserId, change: &ProfileChange, now: DateTime<Utc>) -> Result<(), Error> {
    let set = |name: &Option<String>| name.clone().map_or(sea_orm::ActiveValue::NotSet, Set);
    let change = ActiveModel {
        first_name: set(&change.first_name),
        last_name: set(&change.last_name),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    update(db, id, change).await
}

/// Whether somebody has a second factor in force. Its rows are a matter of `auth`; that there is one is shown with the person.
pub async fn has_second_factor(db: &impl ConnectionTrait, id: UserId) -> Result<bool, db::Error> {
    const QUERY: &str = "SELECT 1 FROM user_second_factors WHERE user_id = $1 AND enabled_at IS NOT NULL";
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), QUERY, [id.into()])).await?;
    Ok(row.is_some())
}

pub async fn update_last_login(db: &impl ConnectionTrait, id: UserId, now: DateTime<Utc>) -> Result<(), Error> {
    update(db, id, ActiveModel { last_login_at: Set(Some(stored(now))), ..Default::default() }).await
}

pub async fn update_standing(db: &impl ConnectionTrait, id: UserId, standing: &Standing, now: DateTime<Utc>) -> Result<(), Error> {
    let now = stored(now);
    let mut change = ActiveModel { updated_at: Set(now), ..Default::default() };
    if let Some(active) = standing.active {
        change.status = Set(if active { ACTIVE } else { SUSPENDED }.to_owned());
    }
    if let Some(admin) = standing.admin {
        change.is_admin = Set(admin);
    }
    if standing.verified {
        change.email_verified_at = Set(Some(now));
    }
    update(db, id, change).await
}

/// Administrators who are not suspended.
pub async fn count_admins(db: &impl ConnectionTrait) -> Result<u64, db::Error> {
    Ok(present().filter(Column::IsAdmin.eq(true)).filter(Column::Status.eq(ACTIVE)).count(db).await?)
}

pub async fn update_default_organization(
    db: &impl ConnectionTrait,
    id: UserId,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let change = ActiveModel { default_organization_id: Set(Some(organization)), updated_at: Set(stored(now)), ..Default::default() };
    update(db, id, change).await
}

pub async fn clear_default_organization(
    db: &impl ConnectionTrait,
    id: UserId,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let change = ActiveModel { default_organization_id: Set(None), updated_at: Set(stored(now)), ..Default::default() };
    let set = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DefaultOrganizationId.eq(organization));
    set.exec(db).await?;
    Ok(())
}

async fn update(db: &impl ConnectionTrait, id: UserId, change: ActiveModel) -> Result<(), Error> {
    let result = Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .filter(Column::DeletedAt.is_null())
        .exec(db)
        .await
        .map_err(db::Error::from)?;
    if result.rows_affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            password_hash: row.password_hash.map(PasswordHash),
            is_admin: row.is_admin,
            active: row.status == ACTIVE,
            default_organization_id: row.default_organization_id,
            email_verified: row.email_verified_at.is_some(),
            last_login_at: row.last_login_at,
            created_at: row.created_at,
        }
    }
}
