use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::common::id::{SettingId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "settings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettingId,
    pub scope_type: String,
    pub scope_id: String,
    pub key: String,
    pub value: String,
    pub version: i64,
    pub updated_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
