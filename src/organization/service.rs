//! Who belongs where.

use sea_orm::ConnectionTrait;

use super::role::effective;
use super::{Error, Name, Organization, OrganizationAccess, OrganizationStanding, Project, ProjectAccess, Role, store};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, ProjectId, UserId};
use crate::infra::db::Database;

/// The organisations and projects of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Directory {
    db: Database,
    clock: SharedClock,
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

impl Directory {
    /// Organisations kept in `db`.
    pub fn new(db: Database, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    /// Everything `user` belongs to, oldest first.
    pub async fn of_user(&self, user: UserId) -> Result<Vec<OrganizationAccess>, Error> {
        let memberships = store::list_memberships(self.db.conn(), user).await?;
        if memberships.is_empty() {
            return Ok(Vec::new());
        }
        let projects = store::list_projects_of(self.db.conn(), memberships.iter().map(|(organization, _)| organization.id)).await?;
        let own = store::list_project_roles(self.db.conn(), user).await?;
        Ok(memberships
            .into_iter()
            .map(|(organization, role)| {
                let projects = projects
                    .iter()
                    .filter(|project| project.organization_id == organization.id)
                    .map(|project| (project.clone(), effective(&role, own.get(&project.id))))
                    .filter(|(_, role)| *role != Role::None)
                    .collect();
                OrganizationAccess { organization, role, projects }
            })
            .collect())
    }

    /// What `user` is in `project`. None alike for a project that does not exist and for one of a tenant `user` is no member of:
    /// nobody learns which.
    pub async fn project_access(&self, user: UserId, project: ProjectId) -> Result<Option<ProjectAccess>, Error> {
        Ok(store::find_project_access(self.db.conn(), user, project).await?)
    }

    /// What `user` is in a project that was deleted and can still be restored.
    pub async fn deleted_project_access(&self, user: UserId, project: ProjectId) -> Result<Option<ProjectAccess>, Error> {
        Ok(store::find_deleted_project_access(self.db.conn(), user, project, self.clock.now()).await?)
    }

    /// The role of `user` in `organization` with its state; none as for [`Directory::organization_role`].
    pub async fn organization_standing(&self, user: UserId, organization: OrganizationId) -> Result<Option<OrganizationStanding>, Error> {
        Ok(store::find_standing(self.db.conn(), user, organization).await?)
    }

    /// The role that `user` had in an organisation that was deleted and can still be restored.
    pub async fn deleted_organization_role(&self, user: UserId, organization: OrganizationId) -> Result<Option<Role>, Error> {
        Ok(store::tenants::find_deleted_role(self.db.conn(), user, organization, self.clock.now()).await?)
    }

    /// The role of `user` in `organization` as a whole. None alike for one that does not exist and for one that `user` is no member
    /// of.
    pub async fn organization_role(&self, user: UserId, organization: OrganizationId) -> Result<Option<Role>, Error> {
        Ok(store::find_role(self.db.conn(), user, organization).await?)
    }

    /// The role of `user` in `project`.
    pub async fn project_role(&self, user: UserId, project: ProjectId) -> Result<Option<Role>, Error> {
        Ok(self.project_access(user, project).await?.map(|access| access.role))
    }

    /// An organisation by id. For operators and the first start: no permission is checked.
    pub async fn find_organization(&self, db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<Organization>, Error> {
        Ok(store::find_organization(db, id).await?)
    }

    /// Organisations by their exact name, oldest first. For operators and the first start.
    pub async fn organizations_named(&self, db: &impl ConnectionTrait, name: &str) -> Result<Vec<Organization>, Error> {
        Ok(store::list_organizations_named(db, name).await?)
    }

    /// How many organisations there are.
    pub async fn count(&self, db: &impl ConnectionTrait) -> Result<u64, Error> {
        Ok(store::count_organizations(db).await?)
    }

    /// A project by id. For operators and the first start.
    pub async fn find_project(&self, db: &impl ConnectionTrait, id: ProjectId) -> Result<Option<Project>, Error> {
        Ok(store::find_project(db, id).await?)
    }

    /// The projects of an organisation, oldest first. For operators and the first start.
    pub async fn projects_of(&self, db: &impl ConnectionTrait, organization: OrganizationId) -> Result<Vec<Project>, Error> {
        Ok(store::list_projects(db, organization).await?)
    }

    /// Adds an organisation, as part of the caller's transaction.
    pub async fn create_organization(&self, txn: &impl ConnectionTrait, name: &Name) -> Result<Organization, Error> {
        store::insert_organization(txn, name, self.clock.now()).await
    }

    /// Makes somebody a member, as part of the caller's transaction.
    pub async fn add_member(
        &self,
        txn: &impl ConnectionTrait,
        organization: OrganizationId,
        user: UserId,
        role: &Role,
    ) -> Result<(), Error> {
        store::insert_member(txn, organization, user, role, self.clock.now()).await
    }

    /// Adds a project, as part of the caller's transaction.
    pub async fn create_project(&self, txn: &impl ConnectionTrait, organization: OrganizationId, name: &Name) -> Result<Project, Error> {
        store::insert_project(txn, organization, name, self.clock.now()).await
    }
}
