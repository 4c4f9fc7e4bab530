use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;

use crate::common::id::{JobId, OrganizationId, ProjectId, RepricingId, UserId};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repricings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RepricingId,
    pub organization_id: OrganizationId,
    pub project_id: ProjectId,
    pub job_id: JobId,
    pub mode: String,
    pub state: String,
    pub start_ns: Option<i64>,
    pub end_ns: Option<i64>,
    pub models: String,
    pub cancel_requested: bool,
    pub run: i32,
    pub progress_done: i64,
    pub progress_total: Option<i64>,
    pub saved: Option<String>,
    pub error: Option<String>,
    pub created_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
