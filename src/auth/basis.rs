//! What the services of this slice stand on.

use super::attempts::{Admission, Attempts, Guess, LoginLimits};
use super::mail_token::{self, Purpose};
use super::{Error, Passwords};
use crate::audit::{Actor, Audit, By, Event, Outcome, Target};
use crate::common::clock::SharedClock;
use crate::common::origin::Origin;
use crate::infra::db::{self, Database};
use crate::infra::mail::{Mailer, Template};
use crate::user::{User, Users};

/// Pages of the web app that mails point to.
#[derive(Debug, Clone)]
pub struct Links(String);

impl Links {
    /// Below the address at which people reach the web app, without a slash at its end.
    #[must_use]
    pub fn new(app_url: impl Into<String>) -> Self {
        Self(app_url.into())
    }

    pub(super) fn page(&self, path: &str) -> String {
        format!("{}/{path}", self.0)
    }

    pub(super) fn with_token(&self, path: &str, token: &str) -> String {
        format!("{}/{path}?token={token}", self.0)
    }
}

/// Database, people, passwords, and what is told to whom; a clone shares everything.
#[derive(Clone)]
pub struct Basis {
    pub(super) db: Database,
    pub(super) clock: SharedClock,
    pub(super) users: Users,
    pub(super) passwords: Passwords,
    pub(super) attempts: Attempts,
    pub(super) audit: Audit,
    pub(super) mailer: Mailer,
    pub(super) links: Links,
}

impl std::fmt::Debug for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basis").field("links", &self.links).finish_non_exhaustive()
    }
}

impl Basis {
    /// Everything on one database.
    pub fn new(
        db: Database,
        clock: SharedClock,
        audit: Audit,
        passwords: Passwords,
        limits: LoginLimits,
        mailer: Mailer,
        links: Links,
    ) -> Self {
        Self {
            users: Users::new(db.clone(), clock.clone()),
            attempts: Attempts::new(db.clone(), clock.clone(), limits),
            audit,
            db,
            clock,
            passwords,
            mailer,
            links,
        }
    }

    /// Counts a failed attempt, writes it to the log, and tells the account's owner when that locks the account.
    pub(super) async fn failed(&self, admission: &Admission, action: &'static str, user: Option<&User>, by: &By) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let locked = self.attempts.fail(&txn, admission).await?;
        self.audit.record(&txn, by, about(action, user).ended(Outcome::Failure)).await?;
        let now = self.clock.now();
        if let (Some(until), Some(user)) = (locked, user)
            && !mail_token::is_enough(&txn, user.id, Purpose::LockNotice, now).await?
        {
            mail_token::issue(&txn, user.id, Purpose::LockNotice, now).await?;
            let mail = Template::AccountLocked { ip: ip_text(&by.origin), until, reset_link: self.links.page("forgot-password") };
            self.mailer.send(&txn, &user.email, &mail).await?;
        }
        txn.commit().await.map_err(db::Error::from)?;
        if locked.is_some() && user.is_some() {
            tracing::warn!(user.id = user.map(|user| user.id.to_string()), "locked after too many failed sign-ins");
            self.mailer.wake();
        }
        Ok(())
    }

    /// Whether somebody who is signed in knows the password, before something that a stolen session must not be able to do. Wrong
    /// ones are counted for the person, apart from sign-ins.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooManyAttempts`]
    pub(super) async fn confirm(&self, user: &User, password: &str, origin: &Origin) -> Result<(), Error> {
        let admission = self.attempts.admit(Guess::Confirmation(user.id), origin.ip).await?;
        match self.passwords.verify(password, user.password_hash.as_ref()).await {
            Ok(true) => self.attempts.forgive(&admission).await,
            Ok(false) => {
                self.failed(&admission, "user.confirm", Some(user), &By::user(user.id, origin.clone())).await?;
                Err(Error::WrongPassword)
            }
            Err(error) => {
                self.attempts.forgive(&admission).await?;
                Err(error)
            }
        }
    }
}

/// A line of the log about somebody, or about nobody where there is no such person.
pub(super) fn about(action: &'static str, user: Option<&User>) -> Event {
    let event = Event::new(action, "user", "");
    let target = Target { kind: "user", id: user.map(|user| user.id.to_string()), name: user.map(|user| user.email.clone()) };
    Event { target, ..event }
}

/// Somebody whose identity is known, though there is no session yet.
pub(super) fn by(user: &User, origin: &Origin) -> By {
    By { actor: Actor::User(user.id), origin: origin.clone() }
}

/// An address as mails tell it.
pub(super) fn ip_text(origin: &Origin) -> String {
    origin.ip.map_or_else(|| "unknown".to_owned(), |ip| ip.to_string())
}
