//! Rows of `model_prices` and `repricings`.

pub mod repricings;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Select, Statement,
};

use super::Scope;
use super::entity::model_prices::{ActiveModel, Column, Entity};
use crate::common::id::{ModelPriceId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{Error, stored};
use crate::observability::pricing::Owner;

pub use super::entity::model_prices::Model as PriceRow;

fn within(owner: Owner, id: &str) -> Condition {
    Condition::all().add(Column::ScopeType.eq(owner.name())).add(Column::ScopeId.eq(id))
}

fn of(scope: Scope) -> Select<Entity> {
    Entity::find().filter(within(scope.owner(), &scope.id())).order_by_asc(Column::Provider).order_by_asc(Column::Model)
}

/// The prices that one scope itself has.
pub async fn list(db: &impl ConnectionTrait, scope: Scope) -> Result<Vec<PriceRow>, Error> {
    Ok(of(scope).all(db).await?)
}

/// The prices that count in a project: its own and its organisation's.
pub async fn list_for_project(db: &impl ConnectionTrait, organization: OrganizationId, project: ProjectId) -> Result<Vec<PriceRow>, Error> {
    let own = within(Owner::Project, &project.to_string());
    let inherited = within(Owner::Organization, &organization.to_string());
    Ok(Entity::find().filter(Condition::any().add(own).add(inherited)).order_by_asc(Column::Id).all(db).await?)
}

/// A price of this scope and no other.
pub async fn find(db: &impl ConnectionTrait, scope: Scope, id: ModelPriceId) -> Result<Option<PriceRow>, Error> {
    Ok(of(scope).filter(Column::Id.eq(id)).one(db).await?)
}

pub async fn insert(db: &impl ConnectionTrait, row: PriceRow) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// What of a price is written anew.
#[derive(Debug)]
pub struct Change<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub prices: &'a str,
    pub by: Option<UserId>,
    pub now: DateTime<Utc>,
}

/// Replaces the contents of a price that has this version; false when somebody else was faster.
pub async fn update(db: &impl ConnectionTrait, id: ModelPriceId, version: i64, change: &Change<'_>) -> Result<bool, Error> {
    let row = ActiveModel {
        provider: Set(change.provider.to_owned()),
        model: Set(change.model.to_owned()),
        prices: Set(change.prices.to_owned()),
        version: Set(version + 1),
        updated_by: Set(change.by),
        updated_at: Set(stored(change.now)),
        ..Default::default()
    };
    let result = Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::Version.eq(version)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// Whether there was such a price in this scope.
pub async fn delete(db: &impl ConnectionTrait, scope: Scope, id: ModelPriceId) -> Result<bool, Error> {
    let result = Entity::delete_many().filter(within(scope.owner(), &scope.id())).filter(Column::Id.eq(id)).exec(db).await?;
    Ok(result.rows_affected == 1)
}

/// The addresses of people, for lists that say who changed something.
pub async fn list_emails(db: &impl ConnectionTrait, users: &[UserId]) -> Result<HashMap<UserId, String>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=users.len()).map(|place| format!("${place}")).collect();
    let query = format!("SELECT id, email FROM users WHERE id IN ({})", places.join(", "));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), query, users.iter().map(|id| (*id).into()));
    db.query_all_raw(statement).await?.into_iter().map(|row| Ok((row.try_get("", "id")?, row.try_get("", "email")?))).collect()
}
