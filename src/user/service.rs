//! Finding and adding people.

use sea_orm::ConnectionTrait;

use super::{Email, Error, NewUser, PasswordHash, User, store};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, UserId};
use crate::infra::db::Database;

/// The people of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Users {
    db: Database,
    clock: SharedClock,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}

impl Users {
    /// People kept in `db`.
    pub fn new(db: Database, clock: SharedClock) -> Self {
        Self { db, clock }
    }

    /// Somebody by id; none for people who were deleted.
    pub async fn find(&self, id: UserId) -> Result<Option<User>, Error> {
        Ok(store::find(self.db.conn(), id).await?)
    }

    /// Somebody by e-mail, in any case of letters.
    pub async fn find_by_email(&self, email: &Email) -> Result<Option<User>, Error> {
        Ok(store::find_by_email(self.db.conn(), email).await?)
    }

    /// The same as part of the caller's transaction.
    pub async fn find_by_email_in(&self, txn: &impl ConnectionTrait, email: &Email) -> Result<Option<User>, Error> {
        Ok(store::find_by_email(txn, email).await?)
    }

    /// How many there are.
    pub async fn count(&self, db: &impl ConnectionTrait) -> Result<u64, Error> {
        Ok(store::count(db).await?)
    }

    /// Adds somebody, as part of the caller's transaction.
    pub async fn create(&self, txn: &impl ConnectionTrait, new: NewUser) -> Result<User, Error> {
        store::insert(txn, new, self.clock.now()).await
    }

    /// Replaces the password, as part of the caller's transaction. Ending the sessions is `auth`'s part.
    pub async fn set_password(&self, txn: &impl ConnectionTrait, id: UserId, hash: PasswordHash) -> Result<(), Error> {
        store::update_password(txn, id, hash, self.clock.now()).await
    }

    /// Notes a successful sign-in.
    pub async fn signed_in(&self, txn: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
        store::update_last_login(txn, id, self.clock.now()).await
    }

    /// Sets the organisation that the web app opens first.
    pub async fn set_default_organization(
        &self,
        txn: &impl ConnectionTrait,
        id: UserId,
        organization: OrganizationId,
    ) -> Result<(), Error> {
        store::update_default_organization(txn, id, organization, self.clock.now()).await
    }

    /// Forgets that the web app opens this organisation first, where it does.
    pub async fn clear_default_organization(
        &self,
        txn: &impl ConnectionTrait,
        id: UserId,
        organization: OrganizationId,
    ) -> Result<(), Error> {
        Ok(store::clear_default_organization(txn, id, organization, self.clock.now()).await?)
    }
}
