//! Rows of `settings`.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::Scope;
use super::entity::settings::{Column, Entity, Model};
use crate::infra::db::Error;

pub async fn find(db: &impl ConnectionTrait, scope: Scope, key: &str) -> Result<Option<Model>, Error> {
    let row = Entity::find()
        .filter(Column::ScopeType.eq(scope.level().name()))
        .filter(Column::ScopeId.eq(scope.id()))
        .filter(Column::Key.eq(key))
        .one(db)
        .await?;
    Ok(row)
}
