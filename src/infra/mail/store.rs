//! Rows of `mail_outbox`.

use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::mail_outbox::{Entity, Model};
use crate::infra::db::Error;

pub async fn insert(db: &impl ConnectionTrait, row: Model) -> Result<(), Error> {
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}
