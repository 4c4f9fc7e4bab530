//! Rows of `jobs`.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::jobs::{Entity, Model};
use crate::infra::db::Error;

/// Adds a job; false when one with its key is open already.
pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<bool, Error> {
    let inserted =
        Entity::insert(row.into_active_model()).on_conflict(OnConflict::new().do_nothing().to_owned()).exec_without_returning(db).await?;
    Ok(inserted == 1)
}
