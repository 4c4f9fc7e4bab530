//! What becomes of organisations.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;

use super::{Archived, Error, Name, Organization, Role, TenantStatus, store};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, UserId};
use crate::infra::bus::{Bus, Topic};
use crate::infra::db::{self, Database};
use crate::organization::Directory;
use crate::user::Users;

/// Makes, changes and ends organisations and memberships; a clone shares everything.
#[derive(Clone)]
pub struct Organizations {
    pub(super) db: Database,
    pub(super) clock: SharedClock,
    pub(super) audit: Audit,
    pub(super) users: Users,
    pub(super) directory: Directory,
    bus: Bus,
}

impl std::fmt::Debug for Organizations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Organizations").finish_non_exhaustive()
    }
}

/// An organisation as one of its members sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationOverview {
    pub organization: Organization,
    pub role: Role,
    pub member_count: u64,
    /// Of the projects that this member reaches.
    pub project_count: u64,
}

impl Organizations {
    /// Organisations kept in `db`; `bus` carries what every process has to look at anew.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, users: Users, bus: Bus) -> Self {
        let directory = Directory::new(db.clone(), clock.clone());
        Self { db, clock, audit, users, directory, bus }
    }

    /// The organisations of `user`, oldest first: those in `status`, or active and archived ones. Deleted ones are those that
    /// `user` owns and can restore.
    pub async fn list(&self, user: UserId, status: Option<TenantStatus>) -> Result<Vec<OrganizationOverview>, Error> {
        let mut seen: Vec<(Organization, Role, u64)> = Vec::new();
        if status == Some(TenantStatus::Deleted) {
            for organization in store::tenants::list_deleted_of_owner(self.db.conn(), user, self.clock.now()).await? {
                let projects = store::list_projects(self.db.conn(), organization.id).await?;
                seen.push((organization, Role::Owner, projects.len() as u64));
            }
        } else {
            let all = self.directory.of_user(user).await?.into_iter();
            let wanted = all.filter(|access| status.is_none_or(|status| access.organization.status() == status));
            seen.extend(wanted.map(|access| (access.organization, access.role, access.projects.len() as u64)));
        }
        let counts = store::tenants::count_members(self.db.conn(), seen.iter().map(|(organization, ..)| organization.id)).await?;
        let overview = |(organization, role, project_count): (Organization, Role, u64)| OrganizationOverview {
            member_count: counts.get(&organization.id).copied().unwrap_or(0),
            organization,
            role,
            project_count,
        };
        Ok(seen.into_iter().map(overview).collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::OrganizationNotFound`] for one that `user` is no member of.
    pub async fn get(&self, user: UserId, id: OrganizationId) -> Result<OrganizationOverview, Error> {
        let mut all = self.list(user, None).await?;
        all.retain(|overview| overview.organization.id == id);
        all.pop().ok_or(Error::OrganizationNotFound)
    }

    /// Makes an organisation that `owner` owns.
    pub async fn create(&self, by: &By, owner: UserId, name: &Name) -> Result<OrganizationOverview, Error> {
        let txn = self.db.begin().await?;
        let organization = store::insert_organization(&txn, name, self.clock.now()).await?;
        store::insert_member(&txn, organization.id, owner, &Role::Owner, self.clock.now()).await?;
        let event = about("organization.create", &organization).change(None, json!({"name": organization.name}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        Ok(OrganizationOverview { organization, role: Role::Owner, member_count: 1, project_count: 0 })
    }

    /// Gives an organisation another name.
    pub async fn rename(&self, by: &By, id: OrganizationId, name: &Name) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let organization = active(&txn, id).await?;
        store::tenants::update_name(&txn, id, name, self.clock.now()).await?;
        let event = about("organization.update", &organization);
        let event = event.change(json!({"name": organization.name}), json!({"name": name.as_str()}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// From now on nothing is taken in and nothing changed; its API keys are refused.
    pub async fn archive(&self, by: &By, id: OrganizationId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let organization = active(&txn, id).await?;
        self.set_state(txn, by, "organization.archive", &organization, TenantStatus::Archived).await
    }

    /// Takes archiving back. Changes nothing where nothing was archived.
    pub async fn unarchive(&self, by: &By, id: OrganizationId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let organization = store::tenants::lock(&txn, id).await?.ok_or(Error::OrganizationNotFound)?;
        if organization.archived_at.is_none() {
            return Ok(());
        }
        self.set_state(txn, by, "organization.unarchive", &organization, TenantStatus::Active).await
    }

    /// Puts an organisation out of reach, with its projects; its API keys are refused.
    pub async fn delete(&self, by: &By, id: OrganizationId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let organization = store::tenants::lock(&txn, id).await?.ok_or(Error::OrganizationNotFound)?;
        self.set_state(txn, by, "organization.delete", &organization, TenantStatus::Deleted).await
    }

    /// Brings a deleted organisation back as it was, archived if it was archived.
    pub async fn restore(&self, by: &By, id: OrganizationId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let found = store::tenants::lock_deleted(&txn, id, self.clock.now()).await?;
        let organization = found.ok_or(Error::OrganizationNotFound)?;
        let before = if organization.archived_at.is_some() { TenantStatus::Archived } else { TenantStatus::Active };
        self.set_state(txn, by, "organization.restore", &organization, before).await
    }

    async fn set_state(
        &self,
        txn: DatabaseTransaction,
        by: &By,
        action: &'static str,
        organization: &Organization,
        status: TenantStatus,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let (archived_at, deleted_at) = match status {
            TenantStatus::Active => (None, None),
            TenantStatus::Archived => (organization.archived_at.or(Some(now)), None),
            TenantStatus::Deleted => (organization.archived_at, Some(now)),
        };
        store::tenants::update_state(&txn, organization.id, archived_at, deleted_at, now).await?;
        let event = about(action, organization);
        let event = event.change(json!({"status": organization.status().name()}), json!({"status": status.name()}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        look_again(&self.bus, organization.id);
        Ok(())
    }

    /// Makes `to`, a member, an owner, and `from`, an owner, an administrator.
    pub async fn transfer(&self, by: &By, id: OrganizationId, from: UserId, to: UserId) -> Result<(), Error> {
        if from == to {
            return Err(Error::TransferToOneself);
        }
        let (txn, now) = (self.db.begin().await?, self.clock.now());
        let organization = active(&txn, id).await?;
        if store::find_role(&txn, from, id).await? != Some(Role::Owner) {
            return Err(Error::OwnersOnly);
        }
        // Whether they count as an owner is asked of the same rows that the last owner is counted by.
        store::find_role(&txn, to, id).await?.ok_or(Error::MemberNotFound)?;
        let heir = store::members::find(&txn, id, to).await?.ok_or(Error::MemberNotFound)?;
        store::members::update_role(&txn, id, to, &Role::Owner, now).await?;
        store::members::update_role(&txn, id, from, &Role::Admin, now).await?;
        if store::members::count_other_owners(&txn, id, from).await? == 0 {
            return Err(Error::LastOwner);
        }
        let event = about("organization.transfer", &organization);
        let event = event.change(json!({"owner": from}), json!({"owner": to, "owner_email": heir.email}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// Ends one's own membership, in an archived organisation too.
    pub async fn leave(&self, by: &By, id: OrganizationId, user: UserId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        store::tenants::lock(&txn, id).await?.ok_or(Error::OrganizationNotFound)?;
        let member = store::members::find(&txn, id, user).await?.ok_or(Error::MemberNotFound)?;
        if member.role == Role::Owner.name() && store::members::count_other_owners(&txn, id, user).await? == 0 {
            return Err(Error::LastOwner);
        }
        store::members::delete(&txn, id, user).await?;
        self.users.clear_default_organization(&txn, user, id).await?;
        let event = Event::new("member.leave", "member", user).named(member.email).in_organization(id);
        self.audit.record(&txn, by, event.change(json!({"role": member.role}), None)).await?;
        commit(txn).await
    }
}

/// An organisation that may be changed, held until the transaction ends.
pub(super) async fn active(txn: &impl ConnectionTrait, id: OrganizationId) -> Result<Organization, Error> {
    let organization = store::tenants::lock(txn, id).await?.ok_or(Error::OrganizationNotFound)?;
    if organization.archived_at.is_some() { Err(Error::Archived(Archived::Organization)) } else { Ok(organization) }
}

pub(super) async fn commit(txn: DatabaseTransaction) -> Result<(), Error> {
    Ok(txn.commit().await.map_err(db::Error::from)?)
}

/// Tells every process that API keys of this organisation may stand for something else now.
pub(super) fn look_again(bus: &Bus, organization: OrganizationId) {
    bus.publish(Topic::Tenants, organization.to_string());
}

fn about(action: &'static str, organization: &Organization) -> Event {
    Event::new(action, "organization", organization.id).named(organization.name.as_str()).in_organization(organization.id)
}
