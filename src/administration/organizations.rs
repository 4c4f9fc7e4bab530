//! The organisations of the installation, from outside.

use sea_orm::ConnectionTrait;

use super::Error;
use super::store::Filter;
use super::store::organizations::{self as store, Tenant};
use crate::audit::By;
use crate::common::id::OrganizationId;
use crate::infra::db::{self, Database};
use crate::organization::Organizations;

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
    organizations: Organizations,
}

impl std::fmt::Debug for OrganizationAdministration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrganizationAdministration").finish_non_exhaustive()
    }
}

impl OrganizationAdministration {
    /// Organisations kept in `db`.
    pub fn new(db: Database, organizations: Organizations) -> Self {
        Self { db, organizations }
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
        self.organizations.restore(by, id).await?;
        let db = self.db.writer();
        let tenant = store::find(db, id).await?.ok_or(Error::OrganizationNotFound)?;
        let listed = with_owners(db, vec![tenant]).await?.pop().ok_or(Error::OrganizationNotFound)?;
        Ok(listed)
    }
}

async fn with_owners(db: &impl ConnectionTrait, tenants: Vec<Tenant>) -> Result<Vec<Listed>, db::Error> {
    let ids: Vec<OrganizationId> = tenants.iter().map(|tenant| tenant.id).collect();
    let mut owners = store::list_owners(db, &ids).await?;
    Ok(tenants.into_iter().map(|tenant| Listed { owners: owners.remove(&tenant.id).unwrap_or_default(), tenant }).collect())
}
