//! Rows of `organizations`, `organization_members` and `projects`. The only place that touches them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, Select};

use super::entity::organization_members::{self as members, Entity as Member};
use super::entity::organizations::{self, Entity as Tenant};
use super::entity::project_members::{self, Entity as ProjectMember};
use super::entity::projects::{self, Entity as Project};
use super::role::effective;
use super::{Error, Name, Organization, Role};
use crate::common::id::{MemberId, OrganizationId, ProjectId, UserId};
use crate::infra::db::{self, stored};

const ACTIVE: &str = "active";

impl Tenant {
    /// Organisations that were not deleted.
    fn present() -> Select<Self> {
        Self::find().filter(organizations::Column::DeletedAt.is_null())
    }
}

impl Member {
    /// The memberships of one person that count: not suspended, of organisations that were not deleted.
    fn of_user(user: UserId) -> Select<Self> {
        Self::find()
            .inner_join(Tenant)
            .filter(members::Column::UserId.eq(user))
            .filter(members::Column::Status.eq(ACTIVE))
            .filter(organizations::Column::DeletedAt.is_null())
    }
}

impl Project {
    /// The projects of one organisation.
    fn in_org(organization: OrganizationId) -> Select<Self> {
        Self::in_orgs([organization])
    }

    /// The projects of some organisations.
    fn in_orgs(organizations: impl IntoIterator<Item = OrganizationId>) -> Select<Self> {
        Self::find().filter(projects::Column::OrganizationId.is_in(organizations)).filter(projects::Column::DeletedAt.is_null())
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
        .filter(projects::Column::DeletedAt.is_null())
        .find_also_related(Tenant)
        .filter(organizations::Column::DeletedAt.is_null())
        .one(db)
        .await?;
    Ok(row.map(|(project, _)| project.into()))
}

pub async fn list_projects(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<super::Project>, db::Error> {
    let rows = Project::in_org(organization).order_by_asc(projects::Column::Id).all(db).await?;
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
    let rows = Project::in_orgs(organizations).order_by_asc(projects::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(super::Project::from).collect())
}

/// Organisation and effective role through which `user` reaches `project`; none when there is no such project or no such way.
/// A member whose role is `none` reaches only projects in which they have a role of their own.
pub async fn find_project_access(
    db: &impl ConnectionTrait,
    user: UserId,
    project: ProjectId,
) -> Result<Option<(OrganizationId, Role)>, db::Error> {
    let Some(row) = Project::find_by_id(project).filter(projects::Column::DeletedAt.is_null()).one(db).await? else { return Ok(None) };
    let Some(organization) = find_role(db, user, row.organization_id).await? else { return Ok(None) };
    let own = ProjectMember::in_project(project).filter(project_members::Column::UserId.eq(user)).one(db).await?;
    let role = effective(&organization, own.map(|member| Role::from(member.role.as_str())).as_ref());
    Ok((role != Role::None).then_some((row.organization_id, role)))
}

/// The role of a member that counts; none for people who are no members and for suspended ones.
pub async fn find_role(db: &impl ConnectionTrait, user: UserId, organization: OrganizationId) -> Result<Option<Role>, db::Error> {
    let member = Member::of_user(user).filter(members::Column::OrganizationId.eq(organization)).one(db).await?;
    Ok(member.map(|member| Role::from(member.role.as_str())))
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
    let row = members::Model {
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
    let row = projects::Model {
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
        Self { id: row.id, name: row.name, created_at: row.created_at }
    }
}

impl From<projects::Model> for super::Project {
    fn from(row: projects::Model) -> Self {
        let status = if row.archived_at.is_some() { "archived".to_owned() } else { row.status };
        Self { id: row.id, organization_id: row.organization_id, name: row.name, status, created_at: row.created_at }
    }
}
