use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::common::id::{InvitationId, OrganizationId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization_invitations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub email: String,
    pub role: String,
    pub project_roles: String,
    pub token_hash: String,
    pub status: String,
    pub invited_by: Option<UserId>,
    pub accepted_by: Option<UserId>,
    pub sent_count: i32,
    pub sent_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
