use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::common::id::{SettingChangeId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "setting_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SettingChangeId,
    pub scope_type: String,
    pub scope_id: String,
    pub key: String,
    pub value: Option<String>,
    pub version: i64,
    pub changed_by: Option<UserId>,
    pub changed_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
