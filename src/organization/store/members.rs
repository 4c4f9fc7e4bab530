//! Members and their roles, in the organisation and in single projects.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter};

use super::{Member, Project, ProjectMember, member_rows, project_members, project_rows, rows};
use crate::common::id::{MemberId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{self, stored};
use crate::organization::Role;

/// A member as the list shows one.
#[derive(Debug, Clone, FromQueryResult)]
pub struct MemberRow {
    pub user_id: UserId,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub role: String,
    pub status: String,
    pub joined_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub second_factor_at: Option<DateTime<Utc>>,
}

/// A role in a single project.
#[derive(Debug, Clone, FromQueryResult)]
pub struct ProjectRoleRow {
    pub user_id: UserId,
    pub project_id: ProjectId,
    pub project_name: String,
    pub role: String,
}

const SELECT: &str = "SELECT m.user_id, u.email, u.first_name, u.last_name, m.role, m.status, m.created_at AS joined_at, \
    u.last_login_at, f.enabled_at AS second_factor_at FROM organization_members m \
    JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL \
    LEFT JOIN user_second_factors f ON f.user_id = m.user_id WHERE m.organization_id = $1";

/// The members of an organisation, oldest first.
pub async fn list(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<MemberRow>, db::Error> {
    rows(db, &format!("{SELECT} ORDER BY m.id"), [organization.into()]).await
}

pub async fn find(db: &impl ConnectionTrait, organization: OrganizationId, user: UserId) -> Result<Option<MemberRow>, db::Error> {
    Ok(rows(db, &format!("{SELECT} AND m.user_id = $2"), [organization.into(), user.into()]).await?.pop())
}

/// The roles that members of an organisation have in single projects, oldest project first.
pub async fn list_project_roles(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<ProjectRoleRow>, db::Error> {
    let query = "SELECT pm.user_id, pm.project_id, p.name AS project_name, pm.role FROM project_members pm \
        JOIN projects p ON p.id = pm.project_id AND p.deleted_at IS NULL WHERE p.organization_id = $1 ORDER BY p.id";
    rows(db, query, [organization.into()]).await
}

#[derive(FromQueryResult)]
struct Number {
    number: i64,
}

/// How many others than `user` own an organisation: people who can sign in and are not suspended.
pub async fn count_other_owners(db: &impl ConnectionTrait, organization: OrganizationId, user: UserId) -> Result<u64, db::Error> {
    let query = "SELECT COUNT(*) AS number FROM organization_members m \
        JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL AND u.status = 'active' \
        WHERE m.organization_id = $1 AND m.role = 'owner' AND m.status = 'active' AND m.user_id <> $2";
    let found: Option<Number> = rows(db, query, [organization.into(), user.into()]).await?.pop();
    Ok(found.and_then(|found| u64::try_from(found.number).ok()).unwrap_or(0))
}

pub async fn update_role(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    user: UserId,
    role: &Role,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    update(db, organization, user, member_rows::ActiveModel { role: Set(role.name().to_owned()), ..Default::default() }, now).await
}

pub async fn update_status(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    user: UserId,
    status: &str,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    update(db, organization, user, member_rows::ActiveModel { status: Set(status.to_owned()), ..Default::default() }, now).await
}

async fn update(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    user: UserId,
    change: member_rows::ActiveModel,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let change = member_rows::ActiveModel { updated_at: Set(stored(now)), ..change };
    Member::update_many()
        .set(change)
        .filter(member_rows::Column::OrganizationId.eq(organization))
        .filter(member_rows::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}

/// Takes a membership away, with the roles in projects of this organisation (deleted ones too).
pub async fn delete(db: &impl ConnectionTrait, organization: OrganizationId, user: UserId) -> Result<(), db::Error> {
    let own_projects = Query::select()
        .column(project_rows::Column::Id)
        .from(Project)
        .and_where(project_rows::Column::OrganizationId.eq(organization))
        .to_owned();
    ProjectMember::delete_many()
        .filter(project_members::Column::UserId.eq(user))
        .filter(project_members::Column::ProjectId.in_subquery(own_projects))
        .exec(db)
        .await?;
    Member::delete_many()
        .filter(member_rows::Column::OrganizationId.eq(organization))
        .filter(member_rows::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(())
}

/// The role of one person in one project, where they have one.
pub async fn find_project_role(db: &impl ConnectionTrait, project: ProjectId, user: UserId) -> Result<Option<Role>, db::Error> {
    let row = ProjectMember::in_project(project).filter(project_members::Column::UserId.eq(user)).one(db).await?;
    Ok(row.map(|row| Role::from(row.role.as_str())))
}

/// The roles given in one project.
pub async fn list_roles_in(db: &impl ConnectionTrait, project: ProjectId) -> Result<HashMap<UserId, Role>, db::Error> {
    let rows = ProjectMember::in_project(project).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.user_id, Role::from(row.role.as_str()))).collect())
}

/// Sets somebody's role in a project, in place of the one they may have there.
pub async fn set_project_role(
    db: &impl ConnectionTrait,
    project: ProjectId,
    user: UserId,
    role: &Role,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    delete_project_role(db, project, user).await?;
    let now = stored(now);
    let row = project_members::Model {
        id: MemberId::fresh(),
        project_id: project,
        user_id: user,
        role: role.name().to_owned(),
        created_at: now,
        updated_at: now,
    };
    ProjectMember::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(())
}

/// Takes somebody's role in a project away; false when there was none.
pub async fn delete_project_role(db: &impl ConnectionTrait, project: ProjectId, user: UserId) -> Result<bool, db::Error> {
    let result = ProjectMember::delete_many()
        .filter(project_members::Column::ProjectId.eq(project))
        .filter(project_members::Column::UserId.eq(user))
        .exec(db)
        .await?;
    Ok(result.rows_affected > 0)
}
