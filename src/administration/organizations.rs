//! The organisations of the installation, from outside.

use sea_orm::ConnectionTrait;

use super::Error;
use super::store::Filter;
use super::store::organizations::{self as store, Tenant};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::OrganizationId;
use crate::infra::db::{self, Database};

/// An organisation, and the addresses of its owners.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub tenant: Tenant,
    pub owners: Vec<String>,
}

/// What administrators do with organisations; a clone shares everything.
#[derive(Clone)]
pub struct OrganizationAdministration {
    db: Database,
    clock: SharedClock,
    audit: Audit,
}

impl std::fmt::Debug for OrganizationAdministration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrganizationAdministration").finish_non_exhaustive()
    }
}

impl OrganizationAdministration {
    /// Organisations kept in `db`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit) -> Self {
        Self { db, clock, audit }
    }

    /// A page of all organisations, deleted ones included, newest first.
    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, Error> {
        let tenants = store::list(self.db.conn(), filter).await?;
        Ok(with_owners(self.db.conn(), tenants).await?)
    }

    /// Takes the deletion of an organisation back; its own log says so.
    ///
    /// # Errors
    /// [`Error::OrganizationNotFound`] for one that was not deleted, or whose time is over.
    pub(super) async fn restore(&self, by: &By, id: OrganizationId) -> Result<Listed, Error> {
        let txn = self.db.begin().await?;
        if !store::update_restored(&txn, id, self.clock.now()).await? {
            return Err(Error::OrganizationNotFound);
        }
        let tenant = store::find(&txn, id).await?.ok_or(Error::OrganizationNotFound)?;
        let event = Event::new("organization.restore", "organization", id).named(&tenant.name).in_organization(id);
        self.audit.record(&txn, by, event).await?;
        let listed = with_owners(&txn, vec![tenant]).await?.pop().ok_or(Error::OrganizationNotFound)?;
        txn.commit().await.map_err(db::Error::from)?;
        Ok(listed)
    }
}

async fn with_owners(db: &impl ConnectionTrait, tenants: Vec<Tenant>) -> Result<Vec<Listed>, db::Error> {
    let ids: Vec<OrganizationId> = tenants.iter().map(|tenant| tenant.id).collect();
    let mut owners = store::list_owners(db, &ids).await?;
    Ok(tenants.into_iter().map(|tenant| Listed { owners: owners.remove(&tenant.id).unwrap_or_default(), tenant }).collect())
}
