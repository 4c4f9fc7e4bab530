//! Finding and adding people.

use sea_orm::ConnectionTrait;

use super::{Email, Error, NewUser, PasswordHash, ProfileChange, Standing, User, store};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{OrganizationId, UserId};
use crate::infra::db::{self, Database};

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

    /// The same as part of the caller's transaction.
    pub async fn find_in(&self, txn: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, Error> {
        Ok(store::find(txn, id).await?)
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

    /// Suspends somebody, lets them in again, makes them an administrator: as part of the caller's transaction. Ending the sessions
    /// is `auth`'s part.
    pub async fn set_standing(&self, txn: &impl ConnectionTrait, id: UserId, standing: &Standing) -> Result<(), Error> {
        store::update_standing(txn, id, standing, self.clock.now()).await
    }

    /// How many administrators may sign in.
    pub async fn count_admins(&self, db: &impl ConnectionTrait) -> Result<u64, Error> {
        Ok(store::count_admins(db).await?)
    }

    /// Replaces a hash by another one of the same password; false when the password has changed meanwhile.
    pub async fn replace_hash(&self, db: &impl ConnectionTrait, id: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, Error> {
        store::update_hash(db, id, old, new).await
    }

    /// Notes that somebody has opened a mail that only they could get, as part of the caller's transaction: the address is theirs.
    pub async fn set_proven(&self, txn: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
        store::update_proven(txn, id, self.clock.now()).await
    }

    /// Lets somebody sign in with the address, as part of the caller's transaction.
    pub async fn set_verified(&self, txn: &impl ConnectionTrait, id: UserId) -> Result<(), Error> {
        store::update_verified(txn, id, self.clock.now()).await
    }

    /// Whether somebody has a second factor in force.
    pub async fn has_second_factor(&self, id: UserId) -> Result<bool, Error> {
        Ok(store::has_second_factor(self.db.conn(), id).await?)
    }

    /// Changes somebody's own profile.
    pub async fn update_profile(&self, audit: &Audit, by: &By, id: UserId, change: &ProfileChange) -> Result<(), Error> {
        let before = self.find(id).await?.ok_or(Error::NotFound)?;
        if *change == ProfileChange::default() {
            return Ok(());
        }
        let txn = self.db.begin().await?;
        store::update_profile(&txn, id, change, self.clock.now()).await?;
        let names = |first: &str, last: &str| serde_json::json!({"first_name": first, "last_name": last});
        let after = names(change.first_name.as_ref().unwrap_or(&before.first_name), change.last_name.as_ref().unwrap_or(&before.last_name));
        let event = Event::new("user.update", "user", id).named(&before.email);
        audit.record(&txn, by, event.change(names(&before.first_name, &before.last_name), after)).await?;
        Ok(txn.commit().await.map_err(db::Error::from)?)
    }

    /// Changes what the web app opens first for somebody, who has to be a member of it.
    pub async fn choose_organization(&self, audit: &Audit, by: &By, id: UserId, organization: OrganizationId) -> Result<(), Error> {
        let before = self.find(id).await?.ok_or(Error::NotFound)?;
        let txn = self.db.begin().await?;
        self.set_default_organization(&txn, id, organization).await?;
        let of = |id: Option<OrganizationId>| serde_json::json!({"default_organization_id": id});
        let event = Event::new("user.update", "user", id).named(&before.email);
        audit.record(&txn, by, event.change(of(before.default_organization_id), of(Some(organization)))).await?;
        Ok(txn.commit().await.map_err(db::Error::from)?)
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
