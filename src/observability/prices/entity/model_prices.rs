use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::common::id::{ModelPriceId, UserId};

#[expect(clippy::struct_field_names, reason = "the table has a column for the name of the model")]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "model_prices")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ModelPriceId,
    pub scope_type: String,
    pub scope_id: String,
    pub provider: String,
    pub model: String,
    pub prices: String,
    pub version: i64,
    pub updated_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
