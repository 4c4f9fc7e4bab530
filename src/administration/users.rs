//! The people of the installation.

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::Error;
use super::store::Filter;
use super::store::users::{self as store, Account};
use crate::audit::{Audit, By, Event};
use crate::auth::{Accounts, Passwords, Sessions, account_subject, at_prefix, clear_attempts};
use crate::common::clock::SharedClock;
use crate::common::id::UserId;
use crate::infra::db::{self, Database};
use crate::user::{Email, NewUser, Standing, Users};

/// Held while the rights of administrators change, so that two of them cannot remove each other.
const LOCK_KEY: i64 = 0x0062_726b_6164_6d6e;

/// Somebody to be added.
pub struct NewAccount {
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub is_admin: bool,
    /// None: the person sets one through a link.
    pub password: Option<String>,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

/// What is changed of somebody; what is not named stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    pub active: Option<bool>,
    pub admin: Option<bool>,
}

/// A person, and until when no password of theirs is taken.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub account: Account,
    pub locked_until: Option<DateTime<Utc>>,
}

/// What administrators do with people; a clone shares everything.
#[derive(Clone)]
pub struct UserAdministration {
    db: Database,
    clock: SharedClock,
    audit: Audit,
    users: Users,
    sessions: Sessions,
    accounts: Accounts,
    passwords: Passwords,
}

impl std::fmt::Debug for UserAdministration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAdministration").finish_non_exhaustive()
    }
}

impl UserAdministration {
    /// People kept in `db`.
    pub fn new(
        db: Database,
        clock: SharedClock,
        audit: Audit,
        users: Users,
        sessions: Sessions,
        accounts: Accounts,
        passwords: Passwords,
    ) -> Self {
        Self { db, clock, audit, users, sessions, accounts, passwords }
    }

    /// A page of everybody, newest first.
    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, Error> {
        let accounts = store::list(self.db.conn(), filter).await?;
        self.with_locks(accounts).await
    }

    /// Adds somebody. The administrator vouches for the address.
    ///
    /// # Errors
    /// An address that is none or taken, a password that is too short.
    pub(super) async fn create(&self, by: &By, new: NewAccount) -> Result<(Listed, Option<String>), Error> {
        let email: Email = new.email.parse()?;
        let password_hash = match &new.password {
            Some(password) => Some(self.passwords.hash_for(&email, password).await?),
            None => None,
        };
        let (first_name, last_name) = (new.first_name.trim().to_owned(), new.last_name.trim().to_owned());
        let txn = self.db.begin().await?;
        let new = NewUser { email, first_name, last_name, password_hash, is_admin: new.is_admin, verified: true };
        let user = self.users.create(&txn, new).await?;
        let after = json!({"email": user.email, "is_admin": user.is_admin});
        self.record(&txn, by, "user.create", user.id, &user.email, None, Some(after)).await?;
        // Who has no password sets one through a link: it is mailed, and the administrator may hand it on.
        let link = if user.password_hash.is_none() { Some(self.accounts.send_reset(&txn, &user, &by.origin).await?) } else { None };
        txn.commit().await.map_err(db::Error::from)?;
        self.accounts.wake_mail();
        Ok((self.find(user.id).await?, link))
    }

    /// Mails somebody a link to set a new password.
    ///
    /// # Errors
    /// [`Error::UserNotFound`].
    pub(super) async fn send_password_reset(&self, by: &By, id: UserId) -> Result<(), Error> {
        let user = self.users.find(id).await?.ok_or(Error::UserNotFound)?;
        let txn = self.db.begin().await?;
        self.accounts.send_reset(&txn, &user, &by.origin).await?;
        self.record(&txn, by, "user.password_reset_request", id, &user.email, None, None).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.accounts.wake_mail();
        Ok(())
    }

    /// Suspends somebody or lets them in again; makes them an administrator or none. Their sessions end with a suspension.
    ///
    /// # Errors
    /// [`Error::Oneself`], [`Error::LastAdministrator`], [`Error::UserNotFound`].
    pub(super) async fn update(&self, by: &By, id: UserId, change: Change) -> Result<Listed, Error> {
        let txn = self.db.begin_alone(LOCK_KEY).await?;
        let before = store::find(&txn, id).await?.ok_or(Error::UserNotFound)?;
        let was_active = before.status == "active";
        let active = change.active.filter(|active| *active != was_active);
        let admin = change.admin.filter(|admin| *admin != before.is_admin);
        if active.is_none() && admin.is_none() {
            txn.rollback().await.map_err(db::Error::from)?;
            return self.find(id).await;
        }
        if by.user_id() == Some(id) {
            return Err(Error::Oneself);
        }
        self.users.set_standing(&txn, id, &Standing { active, admin, verified: false }).await?;
        if self.users.count_admins(&txn).await? == 0 {
            return Err(Error::LastAdministrator);
        }
        if active == Some(false) {
            self.sessions.end_all(&txn, id, "suspended").await?;
        }
        let standing = |active: bool, admin: bool| json!({"status": if active { "active" } else { "suspended" }, "is_admin": admin});
        let (then, now) = (standing(was_active, before.is_admin), standing(active.unwrap_or(was_active), admin.unwrap_or(before.is_admin)));
        let action = match active {
            Some(false) => "user.suspend",
            Some(true) => "user.reinstate",
            None => "user.update",
        };
        self.record(&txn, by, action, id, &before.email, Some(then), Some(now)).await?;
        txn.commit().await.map_err(db::Error::from)?;
        // What is kept in memory of the sessions says who is an administrator, too.
        self.sessions.forget_user(id);
        self.find(id).await
    }

    /// Ends every session of somebody; returns how many.
    pub(super) async fn revoke_sessions(&self, by: &By, id: UserId) -> Result<u64, Error> {
        let txn = self.db.begin().await?;
        let account = store::find(&txn, id).await?.ok_or(Error::UserNotFound)?;
        let ended = self.sessions.end_all(&txn, id, "revoked_by_administrator").await?;
        self.record(&txn, by, "user.revoke_sessions", id, &account.email, None, Some(json!({"ended": ended}))).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.sessions.forget_user(id);
        Ok(ended)
    }

    /// Forgets the failed sign-ins of somebody.
    pub(super) async fn unlock(&self, by: &By, id: UserId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let account = store::find(&txn, id).await?.ok_or(Error::UserNotFound)?;
        clear_attempts(&txn, id, &account.email).await?;
        self.record(&txn, by, "user.unlock", id, &account.email, None, None).await?;
        Ok(txn.commit().await.map_err(db::Error::from)?)
    }

    /// Takes somebody's second factor away, who has lost it and the recovery codes; their sessions end.
    ///
    /// # Errors
    /// [`Error::Oneself`]: one's own is turned off with password and code. [`Error::UserNotFound`].
    pub(super) async fn reset_second_factor(&self, by: &By, id: UserId) -> Result<(), Error> {
        if by.user_id() == Some(id) {
            return Err(Error::Oneself);
        }
        let txn = self.db.begin().await?;
        let account = store::find(&txn, id).await?.ok_or(Error::UserNotFound)?;
        store::delete_second_factor(&txn, id).await?;
        let (before, after) = (json!({"second_factor": account.second_factor}), json!({"second_factor": false}));
        self.record(&txn, by, "user.reset_second_factor", id, &account.email, Some(before), Some(after)).await?;
        self.sessions.end_all(&txn, id, "second_factor_reset").await?;
        self.accounts.tell_of_second_factor(&txn, &account.email, "turned off by an administrator", &by.origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.sessions.forget_user(id);
        self.accounts.wake_mail();
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Listed, Error> {
        // From the writer, which sees what was committed a moment ago.
        let account = store::find(self.db.writer(), id).await?.ok_or(Error::UserNotFound)?;
        self.with_locks(vec![account]).await?.pop().ok_or(Error::UserNotFound)
    }

    async fn with_locks(&self, accounts: Vec<Account>) -> Result<Vec<Listed>, Error> {
        let subjects: Vec<[String; 2]> =
            accounts.iter().map(|account| [account_subject(&account.email), at_prefix(&account.email)]).collect();
        let locks = store::list_locks(self.db.conn(), &subjects.concat(), self.clock.now()).await?;
        // At one address or from everywhere: either way somebody cannot get in.
        let until = |subjects: &[String; 2]| {
            let of_account = |(subject, _): &&(String, DateTime<Utc>)| subject == &subjects[0] || subject.starts_with(&subjects[1]);
            locks.iter().filter(of_account).map(|(_, until)| *until).max()
        };
        Ok(accounts.into_iter().zip(&subjects).map(|(account, subjects)| Listed { account, locked_until: until(subjects) }).collect())
    }

    #[expect(clippy::too_many_arguments, reason = "a line of the log, in the order in which it is read")]
    async fn record(
        &self,
        txn: &DatabaseTransaction,
        by: &By,
        action: &'static str,
        id: UserId,
        email: &str,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<(), Error> {
        Ok(self.audit.record(txn, by, Event::new(action, "user", id).named(email).change(before, after)).await?)
    }
}
