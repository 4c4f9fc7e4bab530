//! What becomes of projects, and who is what in them.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;

use super::members::{Member, acting};
use super::organizations::{active, commit, look_again};
use super::role::effective;
use super::store::{self, members};
use super::{Archived, Directory, Error, Name, Project, ProjectAccess, Role, TenantStatus};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, ProjectId, UserId};
use crate::infra::bus::Bus;
use crate::infra::db::Database;

/// Makes, changes and ends projects; a clone shares everything.
#[derive(Clone)]
pub struct Projects {
    db: Database,
    clock: SharedClock,
    audit: Audit,
    directory: Directory,
    bus: Bus,
}

impl std::fmt::Debug for Projects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projects").finish_non_exhaustive()
    }
}

/// A member of the organisation, as seen from one of its projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectMember {
    pub member: Member,
    /// In place of the one in the organisation.
    pub project_role: Option<Role>,
    pub effective_role: Role,
}

/// What of a project shall be different.
#[derive(Debug, Clone, Default)]
pub struct ProjectChange {
    pub name: Option<Name>,
    pub description: Option<String>,
}

impl Projects {
    /// Projects kept in `db`; `bus` carries what every process has to look at anew.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, bus: Bus) -> Self {
        let directory = Directory::new(db.clone(), clock.clone());
        Self { db, clock, audit, directory, bus }
    }

    /// The projects of an organisation that `user` reaches, with the role that counts there, oldest first: those in `status`, or
    /// active and archived ones. Deleted ones are those that can be restored.
    pub async fn list(
        &self,
        user: UserId,
        organization: OrganizationId,
        status: Option<TenantStatus>,
    ) -> Result<Vec<(Project, Role)>, Error> {
        if status == Some(TenantStatus::Deleted) {
            let Some(role) = self.directory.organization_role(user, organization).await? else { return Ok(Vec::new()) };
            let own = store::list_project_roles(self.db.conn(), user).await?;
            let deleted = store::projects::list_deleted(self.db.conn(), organization, self.clock.now()).await?;
            let seen = deleted.into_iter().map(|project| {
                let role = effective(&role, own.get(&project.id));
                (project, role)
            });
            return Ok(seen.filter(|(_, role)| *role != Role::None).collect());
        }
        let all = self.directory.of_user(user).await?;
        let projects = all.into_iter().find(|access| access.organization.id == organization).map(|access| access.projects);
        let shown = |access: &(Project, Role)| status.is_none_or(|status| access.0.status == status.name());
        Ok(projects.unwrap_or_default().into_iter().filter(shown).collect())
    }

    /// A project that somebody was found to reach.
    ///
    /// # Errors
    /// [`Error::ProjectNotFound`].
    pub async fn get(&self, organization: OrganizationId, id: ProjectId) -> Result<Project, Error> {
        store::projects::find(self.db.conn(), organization, id).await?.ok_or(Error::ProjectNotFound)
    }

    /// Makes a project.
    pub async fn create(&self, by: &By, organization: OrganizationId, name: &Name, description: &str) -> Result<Project, Error> {
        let (txn, now) = (self.db.begin().await?, self.clock.now());
        active(&txn, organization).await?;
        let project = store::insert_project(&txn, organization, name, now).await?;
        store::projects::update_texts(&txn, project.id, name.as_str(), description, now).await?;
        let project = Project { description: description.to_owned(), ..project };
        let event = about("project.create", &project).change(None, json!({"name": project.name, "description": description}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        Ok(project)
    }

    /// Changes name and description.
    pub async fn update(&self, by: &By, organization: OrganizationId, id: ProjectId, change: ProjectChange) -> Result<Project, Error> {
        let (txn, project) = self.changeable(organization, id).await?;
        let name = change.name.map_or_else(|| project.name.clone(), |name| name.to_string());
        let description = change.description.unwrap_or_else(|| project.description.clone());
        store::projects::update_texts(&txn, id, &name, &description, self.clock.now()).await?;
        let event = about("project.update", &project)
            .change(json!({"name": project.name, "description": project.description}), json!({"name": name, "description": description}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        Ok(Project { name, description, ..project })
    }

    /// From now on nothing is taken in and nothing changed; its API keys are refused.
    pub async fn archive(&self, by: &By, organization: OrganizationId, id: ProjectId) -> Result<(), Error> {
        let (txn, project) = self.changeable(organization, id).await?;
        self.set_state(txn, by, "project.archive", &project, TenantStatus::Archived).await
    }

    /// Takes archiving back. Changes nothing where nothing was archived.
    pub async fn unarchive(&self, by: &By, organization: OrganizationId, id: ProjectId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        active(&txn, organization).await?;
        let project = store::projects::find(&txn, organization, id).await?.ok_or(Error::ProjectNotFound)?;
        if project.archived_at.is_none() {
            return Ok(());
        }
        self.set_state(txn, by, "project.unarchive", &project, TenantStatus::Active).await
    }

    /// Puts a project out of reach; its API keys are refused.
    pub async fn delete(&self, by: &By, organization: OrganizationId, id: ProjectId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        store::tenants::lock(&txn, organization).await?.ok_or(Error::OrganizationNotFound)?;
        let project = store::projects::find(&txn, organization, id).await?.ok_or(Error::ProjectNotFound)?;
        self.set_state(txn, by, "project.delete", &project, TenantStatus::Deleted).await
    }

    /// Brings a deleted project back as it was, archived if it was archived.
    pub async fn restore(&self, by: &By, organization: OrganizationId, id: ProjectId) -> Result<Project, Error> {
        let txn = self.db.begin().await?;
        active(&txn, organization).await?;
        let found = store::projects::find_deleted(&txn, organization, id, self.clock.now()).await?;
        let project = found.ok_or(Error::ProjectNotFound)?;
        let before = if project.archived_at.is_some() { TenantStatus::Archived } else { TenantStatus::Active };
        self.set_state(txn, by, "project.restore", &project, before).await?;
        self.get(organization, id).await
    }

    async fn set_state(
        &self,
        txn: DatabaseTransaction,
        by: &By,
        action: &'static str,
        project: &Project,
        status: TenantStatus,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let (archived_at, deleted_at) = match status {
            TenantStatus::Active => (None, None),
            TenantStatus::Archived => (project.archived_at.or(Some(now)), None),
            TenantStatus::Deleted => (project.archived_at, Some(now)),
        };
        store::projects::update_state(&txn, project.id, archived_at, deleted_at, now).await?;
        let event = about(action, project).change(json!({"status": project.status}), json!({"status": status.name()}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        look_again(&self.bus, project.organization_id);
        Ok(())
    }

    /// A project that may be changed, with its organisation held until the transaction ends.
    async fn changeable(&self, organization: OrganizationId, id: ProjectId) -> Result<(DatabaseTransaction, Project), Error> {
        let txn = self.db.begin().await?;
        active(&txn, organization).await?;
        let project = changeable(&txn, organization, id).await?;
        Ok((txn, project))
    }

    /// The members of the project's organisation with what each of them is in the project; those who do not reach it, too.
    pub async fn members(&self, organization: OrganizationId, id: ProjectId) -> Result<Vec<ProjectMember>, Error> {
        let mut own = members::list_roles_in(self.db.conn(), id).await?;
        let rows = members::list(self.db.conn(), organization).await?;
        Ok(rows.into_iter().map(Member::from).map(|member| seen(own.remove(&member.user_id), member)).collect())
    }

    /// Gives a member of the organisation a role in one project, in place of the one in the organisation.
    pub async fn set_role(&self, by: &By, organization: OrganizationId, id: ProjectId, user: UserId, role: &Role) -> Result<(), Error> {
        if *role == Role::Owner {
            return Err(Error::NoProjectRole);
        }
        let (txn, project, member, before) = self.role_change(by, organization, id, user).await?;
        if member.role == Role::Owner {
            return Err(Error::OwnerInProject);
        }
        if acting_in(&txn, by, organization, id).await?.rank() < role.rank() {
            return Err(Error::AboveOwnRole);
        }
        members::set_project_role(&txn, id, user, role, self.clock.now()).await?;
        let event = about_member("project_member.set", &project, &member);
        self.audit.record(&txn, by, event.change(json!({"role": before}), json!({"role": role}))).await?;
        commit(txn).await
    }

    /// Lets the role in the organisation count again.
    pub async fn clear_role(&self, by: &By, organization: OrganizationId, id: ProjectId, user: UserId) -> Result<(), Error> {
        let (txn, project, member, before) = self.role_change(by, organization, id, user).await?;
        if before.is_none() {
            return Ok(());
        }
        // What counts afterwards is given by this, too.
        if acting_in(&txn, by, organization, id).await?.rank() < member.role.rank() {
            return Err(Error::AboveOwnRole);
        }
        members::delete_project_role(&txn, id, user).await?;
        let event = about_member("project_member.clear", &project, &member);
        self.audit.record(&txn, by, event.change(json!({"role": before}), None)).await?;
        commit(txn).await
    }

    /// The member whose role in a project the caller may change, and that role.
    async fn role_change(
        &self,
        by: &By,
        organization: OrganizationId,
        id: ProjectId,
        user: UserId,
    ) -> Result<(DatabaseTransaction, Project, Member, Option<Role>), Error> {
        let (txn, project) = self.changeable(organization, id).await?;
        if by.user_id() == Some(user) {
            return Err(Error::Oneself);
        }
        let member = Member::from(members::find(&txn, organization, user).await?.ok_or(Error::MemberNotFound)?);
        // Whoever is an administrator in one project only does not lower those of the organisation.
        if member.role == Role::Admin && acting(&txn, by, organization).await?.rank() < member.role.rank() {
            return Err(Error::AboveOwnRole);
        }
        let before = members::find_project_role(&txn, id, user).await?;
        if acting_in(&txn, by, organization, id).await?.rank() < effective(&member.role, before.as_ref()).rank() {
            return Err(if member.role == Role::Owner { Error::OwnerInProject } else { Error::AboveOwnRole });
        }
        Ok((txn, project, member, before))
    }
}

/// A project of an organisation that may be changed; the organisation was looked at before.
pub(super) async fn changeable(txn: &impl ConnectionTrait, organization: OrganizationId, id: ProjectId) -> Result<Project, Error> {
    let project = store::projects::find(txn, organization, id).await?.ok_or(Error::ProjectNotFound)?;
    if project.archived_at.is_some() { Err(Error::Archived(Archived::Project)) } else { Ok(project) }
}

/// What whoever acts is in a project, as it is inside the transaction.
pub(super) async fn acting_in(txn: &impl ConnectionTrait, by: &By, organization: OrganizationId, id: ProjectId) -> Result<Role, Error> {
    let Some(user) = by.user_id() else { return acting(txn, by, organization).await };
    let access: Option<ProjectAccess> = store::find_project_access(txn, user, id).await?;
    Ok(access.ok_or(Error::NotPermittedNow)?.role)
}

fn seen(project_role: Option<Role>, member: Member) -> ProjectMember {
    let effective_role = effective(&member.role, project_role.as_ref());
    ProjectMember { member, project_role, effective_role }
}

fn about(action: &'static str, project: &Project) -> Event {
    Event::new(action, "project", project.id).named(project.name.as_str()).in_project(project.organization_id, project.id)
}

fn about_member(action: &'static str, project: &Project, member: &Member) -> Event {
    Event::new(action, "project_member", member.user_id).named(member.email.as_str()).in_project(project.organization_id, project.id)
}
