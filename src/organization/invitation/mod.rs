//! Invitations to an organisation.

mod store;

use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use super::{Error, Role};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{InvitationId, OrganizationId, UserId};
use crate::infra::db::Database;

/// An invitation that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    pub email: String,
    pub role: Role,
}

/// The invitations of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Invitations {
    db: Database,
    clock: SharedClock,
    audit: Audit,
}

impl std::fmt::Debug for Invitations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitations").finish_non_exhaustive()
    }
}

impl Invitations {
    /// Invitations kept in `db`.
    pub fn new(db: Database, clock: SharedClock) -> Self {
        Self { audit: Audit::new(clock.clone()), db, clock }
    }

    /// The invitation of a token, while it can be accepted.
    pub async fn find_open(&self, token: &str) -> Result<Option<OpenInvitation>, Error> {
        let hash = hex::encode(Sha256::digest(token));
        let Some(row) = store::find_open(self.db.conn(), &hash, self.clock.now()).await? else { return Ok(None) };
        let organization = super::store::find_organization(self.db.conn(), row.organization_id).await?;
        Ok(organization.map(|organization| OpenInvitation {
            id: row.id,
            organization_id: organization.id,
            organization_name: organization.name,
            email: row.email,
            role: Role::from(row.role.as_str()),
        }))
    }

    /// Makes `user` a member, as part of the caller's transaction.
    pub async fn accept_for(&self, txn: &impl ConnectionTrait, invitation: &OpenInvitation, user: UserId, by: &By) -> Result<(), Error> {
        let now = self.clock.now();
        if !store::update_accepted(txn, invitation.id, user, now).await? {
            return Err(Error::OrganizationNotFound);
        }
        super::store::insert_member(txn, invitation.organization_id, user, &invitation.role, now).await?;
        let event = Event::new("invitation.accept", "invitation", invitation.id).named(&invitation.email);
        self.audit.record(txn, by, event.in_organization(invitation.organization_id)).await?;
        Ok(())
    }
}
