//! Rows of `organizations`, `organization_members`, `projects`, `project_members` and `roles`. The only place that touches them.

pub mod members;
pub mod projects;
pub mod roles;
pub mod tenants;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, Select,
    Statement, Value,
};

use super::entity::organization_members::{self as member_rows, Entity as Member};
use super::entity::organizations::{self, Entity as Tenant};
use super::entity::project_members::{self, Entity as ProjectMember};
use super::entity::projects::{self as project_rows, Entity as Project};
use super::role::effective;
use super::{Archived, Error, Name, Organization, OrganizationStanding, ProjectAccess, Role, TenantStatus};
use crate::common::id::{MemberId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{self, stored};

const ACTIVE: &str = "active";

/// How long what was deleted can be restored.
pub const RESTORABLE: TimeDelta = TimeDelta::days(30);

/// Rows of a query that no entity has.
async fn rows<T: FromQueryResult>(
    db: &impl ConnectionTrait,
    query: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, db::Error> {
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), query, values)).await?;
    Ok(rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

impl Tenant {
    /// Organisations that were not deleted.
    fn present() -> Select<Self> {
        Self::find().filter(organizations::Column::DeletedAt.is_null())
    }

    /// Organisations that were deleted and can still be restored.
    fn restorable(now: DateTime<Utc>) -> Select<Self> {
        Self::find().filter(organizations::Column::DeletedAt.gt(stored(now - RESTORABLE)))
    }
}

impl Member {
    /// The memberships of one person that count: not suspended, of organisations that were not deleted.
    fn of_user(user: UserId) -> Select<Self> {
        Self::find()
            .inner_join(Tenant)
            .filter(member_rows::Column::UserId.eq(user))
            .filter(member_rows::Column::Status.eq(ACTIVE))
            .filter(organizations::Column::DeletedAt.is_null())
    }
}

impl Member {
    /// The members of one organisation, suspended ones too.
    fn in_org(organization: OrganizationId) -> Select<Self> {
        Self::find().filter(member_rows::Column::OrganizationId.eq(organization))
    }
}

impl Project {
    /// The projects of one organisation.
    fn in_org(organization: OrganizationId) -> Select<Self> {
        Self::in_orgs([organization])
    }

    /// The projects of some organisations.
    fn in_orgs(organizations: impl IntoIterator<Item = OrganizationId>) -> Select<Self> {
        Self::find().filter(project_rows::Column::OrganizationId.is_in(organizations)).filter(project_rows::Column::DeletedAt.is_null())
    }
}

impl ProjectMember {
    /// The roles given in one project.
    fn in_project(project: ProjectId) -> Select<Self> {
        Self::find().filter(project_members::Column::ProjectId.eq(project))
    }

    /// The roles of one person in all projects.
    fn of_user(user: UserId) -> Select<Self> {
        Self::find().filter(project_members::Column::UserId.eq(user))
    }
}

pub async fn find_organization(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<Organization>, db::Error> {
    Ok(Tenant::present().filter(organizations::Column::Id.eq(id)).one(db).await?.map(Organization::from))
}

pub async fn list_organizations_named(db: &impl ConnectionTrait, name: &str) -> Result<Vec<Organization>, db::Error> {
    let rows = Tenant::present().filter(organizations::Column::Name.eq(name)).order_by_asc(organizations::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(Organization::from).collect())
}

pub async fn count_organizations(db: &impl ConnectionTrait) -> Result<u64, db::Error> {
    Ok(Tenant::present().count(db).await?)
}

/// For callers that hold a project's id from a trusted place (an operator's command line), not from a request.
pub async fn find_project(db: &impl ConnectionTrait, id: ProjectId) -> Result<Option<super::Project>, db::Error> {
    let row = Project::find_by_id(id)
        .filter(project_rows::Column::DeletedAt.is_null())
        .find_also_related(Tenant)
        .filter(organizations::Column::DeletedAt.is_null())
        .one(db)
        .await?;
    Ok(row.map(|(project, _)| project.into()))
}

pub async fn list_projects(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<super::Project>, db::Error> {
    let rows = Project::in_org(organization).order_by_asc(project_rows::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(super::Project::from).collect())
}

/// The memberships of `user` with their organisations, oldest first.
pub async fn list_memberships(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<(Organization, Role)>, db::Error> {
    let rows = Member::of_user(user).select_also(Tenant).order_by_asc(organizations::Column::Id).all(db).await?;
    Ok(rows.into_iter().filter_map(|(member, organization)| Some((organization?.into(), Role::from(member.role.as_str())))).collect())
}

pub async fn list_projects_of(
    db: &impl ConnectionTrait,
    organizations: impl IntoIterator<Item = OrganizationId>,
) -> Result<Vec<super::Project>, db::Error> {
    let rows = Project::in_orgs(organizations).order_by_asc(project_rows::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(super::Project::from).collect())
}

/// Organisation and effective role through which `user` reaches `project`; none when there is no such project or no such way.
/// A member whose role is `none` reaches only projects in which they have a role of their own.
pub async fn find_project_access(db: &impl ConnectionTrait, user: UserId, project: ProjectId) -> Result<Option<ProjectAccess>, db::Error> {
    let row = Project::find_by_id(project).filter(project_rows::Column::DeletedAt.is_null()).one(db).await?;
    let Some(row) = row else { return Ok(None) };
    access_to(db, user, &row).await
}

/// The same for a project that was deleted and can still be restored, in an organisation that was not deleted.
pub async fn find_deleted_project_access(
    db: &impl ConnectionTrait,
    user: UserId,
    project: ProjectId,
    now: DateTime<Utc>,
) -> Result<Option<ProjectAccess>, db::Error> {
    let deleted = project_rows::Column::DeletedAt.gt(stored(now - RESTORABLE));
    let Some(row) = Project::find_by_id(project).filter(deleted).one(db).await? else { return Ok(None) };
    access_to(db, user, &row).await
}

async fn access_to(db: &impl ConnectionTrait, user: UserId, row: &project_rows::Model) -> Result<Option<ProjectAccess>, db::Error> {
    let Some(standing) = find_standing(db, user, row.organization_id).await? else { return Ok(None) };
    let own = ProjectMember::in_project(row.id).filter(project_members::Column::UserId.eq(user)).one(db).await?;
    let role = effective(&standing.role, own.map(|member| Role::from(member.role.as_str())).as_ref());
    let archived = standing.archived.or(row.archived_at.map(|_| Archived::Project));
    Ok((role != Role::None).then_some(ProjectAccess { project_id: row.id, organization_id: row.organization_id, role, archived }))
}

/// The role of a member that counts; none for people who are no members and for suspended ones.
pub async fn find_role(db: &impl ConnectionTrait, user: UserId, organization: OrganizationId) -> Result<Option<Role>, db::Error> {
    Ok(find_standing(db, user, organization).await?.map(|standing| standing.role))
}

/// The same, with the state of the organisation.
pub async fn find_standing(
    db: &impl ConnectionTrait,
    user: UserId,
    organization: OrganizationId,
) -> Result<Option<OrganizationStanding>, db::Error> {
    let row = Member::of_user(user).filter(member_rows::Column::OrganizationId.eq(organization)).select_also(Tenant).one(db).await?;
    Ok(row.map(|(member, organization)| OrganizationStanding {
        role: Role::from(member.role.as_str()),
        archived: organization.and_then(|organization| organization.archived_at).map(|_| Archived::Organization),
    }))
}

/// The roles that `user` has in single projects. They count only together with a membership of the project's organisation.
pub async fn list_project_roles(db: &impl ConnectionTrait, user: UserId) -> Result<HashMap<ProjectId, Role>, db::Error> {
    let rows = ProjectMember::of_user(user).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.project_id, Role::from(row.role.as_str()))).collect())
}

pub async fn insert_organization(db: &impl ConnectionTrait, name: &Name, now: DateTime<Utc>) -> Result<Organization, Error> {
    let now = stored(now);
    let row = organizations::Model {
        id: OrganizationId::fresh(),
        name: name.to_string(),
        status: ACTIVE.to_owned(),
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
    };
    Tenant::insert(row.clone().into_active_model()).exec_without_returning(db).await.map_err(db::Error::from)?;
    Ok(row.into())
}

pub async fn insert_member(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    user: UserId,
    role: &Role,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let now = stored(now);
    let row = member_rows::Model {
        id: MemberId::fresh(),
        organization_id: organization,
        user_id: user,
        role: role.name().to_owned(),
        status: ACTIVE.to_owned(),
        created_at: now,
        updated_at: now,
    };
    match Member::insert(row.into_active_model()).exec_without_returning(db).await.map_err(db::Error::from) {
        Ok(_) => Ok(()),
        Err(error) if error.is_duplicate() => Err(Error::AlreadyMember),
        Err(error) => Err(error.into()),
    }
}

pub async fn insert_project(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    name: &Name,
    now: DateTime<Utc>,
) -> Result<super::Project, Error> {
    let now = stored(now);
    let row = project_rows::Model {
        id: ProjectId::fresh(),
        organization_id: organization,
        name: name.to_string(),
        description: String::new(),
        status: ACTIVE.to_owned(),
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
    };
    Project::insert(row.clone().into_active_model()).exec_without_returning(db).await.map_err(db::Error::from)?;
    Ok(row.into())
}

impl From<organizations::Model> for Organization {
    fn from(row: organizations::Model) -> Self {
        Self { id: row.id, name: row.name, created_at: row.created_at, archived_at: row.archived_at, deleted_at: row.deleted_at }
    }
}

impl From<project_rows::Model> for super::Project {
    fn from(row: project_rows::Model) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            name: row.name,
            description: row.description,
            status: TenantStatus::of(row.archived_at, row.deleted_at).name().to_owned(),
            created_at: row.created_at,
            archived_at: row.archived_at,
            deleted_at: row.deleted_at,
        }
    }
}
