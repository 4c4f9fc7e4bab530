//! Projects of one organisation.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use super::{Project, RESTORABLE, project_rows};
use crate::common::id::{OrganizationId, ProjectId};
use crate::infra::db::{self, stored};
use crate::organization::Project as OneProject;
use crate::organization::model::TenantStatus;

/// A project of this organisation.
pub async fn find(db: &impl ConnectionTrait, organization: OrganizationId, id: ProjectId) -> Result<Option<OneProject>, db::Error> {
    Ok(Project::in_org(organization).filter(project_rows::Column::Id.eq(id)).one(db).await?.map(Into::into))
}

/// A project of this organisation that was deleted and can still be restored.
pub async fn find_deleted(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: ProjectId,
    now: DateTime<Utc>,
) -> Result<Option<OneProject>, db::Error> {
    Ok(deleted_in(organization, now).filter(project_rows::Column::Id.eq(id)).one(db).await?.map(Into::into))
}

/// The projects of this organisation that were deleted and can still be restored, oldest first.
pub async fn list_deleted(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Vec<OneProject>, db::Error> {
    let rows = deleted_in(organization, now).order_by_asc(project_rows::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

fn deleted_in(organization: OrganizationId, now: DateTime<Utc>) -> Select<Project> {
    Project::find()
        .filter(project_rows::Column::OrganizationId.eq(organization))
        .filter(project_rows::Column::DeletedAt.gt(stored(now - RESTORABLE)))
}

pub async fn update_texts(
    db: &impl ConnectionTrait,
    id: ProjectId,
    name: &str,
    description: &str,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let change = project_rows::ActiveModel {
        name: Set(name.to_owned()),
        description: Set(description.to_owned()),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Project::update_many().set(change).filter(project_rows::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Sets when it was archived and deleted, both as they shall be.
pub async fn update_state(
    db: &impl ConnectionTrait,
    id: ProjectId,
    archived_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let change = project_rows::ActiveModel {
        status: Set(TenantStatus::of(archived_at, deleted_at).name().to_owned()),
        archived_at: Set(archived_at.map(stored)),
        deleted_at: Set(deleted_at.map(stored)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Project::update_many().set(change).filter(project_rows::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}
