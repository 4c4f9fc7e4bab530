//! Making an account for oneself.

use sea_orm::ConnectionTrait;

use super::Accounts;
use crate::audit::{By, Event, Outcome};
use crate::auth::Error;
use crate::auth::basis::{about, by};
use crate::auth::even::even;
use crate::auth::mail_token::{self, Purpose};
use crate::auth::session::SignedIn;
use crate::common::id::OrganizationId;
use crate::common::origin::Origin;
use crate::infra::db;
use crate::infra::mail::Template;
use crate::organization::{Name, OpenInvitation, Role};
use crate::settings::{OrganizationCreation, Scope, SignUp, SignUpDomains, SignUpMode};
use crate::user::{self, Email, NewUser, PasswordHash, User};

/// The project that a new organisation begins with.
const FIRST_PROJECT: &str = "My project";

/// What somebody signs up with.
#[derive(Clone)]
pub struct NewAccount {
    pub email: Email,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
    /// Makes an organisation of this name.
    pub organization: Option<Name>,
    /// Of an invitation; proves that the address is theirs.
    pub invitation_token: Option<String>,
}

/// What becomes of it.
#[derive(Debug)]
pub enum SignedUp {
    /// Invited, so the address is proven.
    SignedIn(Box<SignedIn>),
    /// A mail is on its way; the same for an address that has an account.
    VerificationSent,
}

impl Accounts {
    /// Who may sign up.
    pub async fn sign_up_mode(&self) -> Result<SignUpMode, Error> {
        Ok(self.settings.get::<SignUp>(Scope::Installation).await?)
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::SignUpRefused`] where the settings do not allow it, [`Error::BadInvitation`], [`Error::AccountExists`] (said only to
    /// who proves the address), and the errors of passwords.
    pub async fn sign_up(&self, new: NewAccount, origin: Origin) -> Result<SignedUp, Error> {
        let mode = self.sign_up_mode().await?;
        if mode == SignUpMode::Closed {
            return Err(Error::SignUpRefused("nobody can sign up here; ask an administrator for an account"));
        }
        if let Some(token) = &new.invitation_token {
            let invitation = self.invitations.find_open(token).await?.ok_or(Error::BadInvitation)?;
            let same = invitation.email.parse::<Email>().is_ok_and(|email| email == new.email);
            if !same {
                return Err(Error::BadInvitation);
            }
            return self.sign_up_invited(new, &invitation, origin).await;
        }
        self.check_mode(mode, &new.email).await?;
        if new.organization.is_some() && !self.settings.get::<OrganizationCreation>(Scope::Installation).await? {
            return Err(Error::SignUpRefused("organizations are made by administrators here; sign up without one"));
        }
        // Before it is known whether the address has an account: the work is the same.
        let hash = self.basis.passwords.hash_for(&new.email, &new.password).await?;
        even(self.add_or_tell(&new, hash, &origin)).await?;
        Ok(SignedUp::VerificationSent)
    }

    /// Adds an account, or tells its owner that there is one.
    async fn add_or_tell(&self, new: &NewAccount, hash: PasswordHash, origin: &Origin) -> Result<(), Error> {
        if let Some(user) = self.basis.users.find_by_email(&new.email).await? {
            return self.told_owner(&user, origin).await;
        }
        match self.add_unverified(new, hash, origin).await {
            // Somebody else was faster with the same address.
            Err(Error::User(user::Error::EmailTaken(_))) => Ok(()),
            added => added,
        }
    }

    async fn check_mode(&self, mode: SignUpMode, email: &Email) -> Result<(), Error> {
        match mode {
            SignUpMode::Open => Ok(()),
            SignUpMode::Domain => {
                let domains = self.settings.get::<SignUpDomains>(Scope::Installation).await?;
                let own = email.as_str().rsplit('@').next().unwrap_or_default();
                let allowed = domains.iter().any(|domain| domain.trim().trim_start_matches('@').to_lowercase() == own);
                if allowed {
                    Ok(())
                } else {
                    Err(Error::SignUpRefused("addresses of this domain cannot sign up here; ask for an invitation"))
                }
            }
            SignUpMode::Invitation | SignUpMode::Closed => {
                Err(Error::SignUpRefused("only people who were invited can sign up here; open the link in the invitation"))
            }
        }
    }

    /// The account of somebody whose address is not proven yet.
    async fn add_unverified(&self, new: &NewAccount, hash: PasswordHash, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let txn = basis.db.begin().await?;
        let user = basis.users.create(&txn, new_user(new, hash, false)).await?;
        if let Some(name) = &new.organization {
            let organization = self.first_organization(&txn, &user, name, &by(&user, origin)).await?;
            basis.users.set_default_organization(&txn, user.id, organization).await?;
        }
        self.send_verification(&txn, &user).await?;
        basis.audit.record(&txn, &by(&user, origin), about("user.sign_up", Some(&user))).await?;
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        tracing::info!(user.id = %user.id, "signed up");
        Ok(())
    }

    /// The address has an account: its owner is told, the caller is not.
    async fn told_owner(&self, user: &User, origin: &Origin) -> Result<(), Error> {
        let basis = &self.basis;
        let now = basis.clock.now();
        let txn = basis.db.begin().await?;
        if user.active && !mail_token::is_enough(&txn, user.id, Purpose::Notice, now).await? {
            mail_token::issue(&txn, user.id, Purpose::Notice, now).await?;
            let (login_link, reset_link) = (basis.links.page("login"), basis.links.page("forgot-password"));
            basis.mailer.send(&txn, &user.email, &Template::AlreadyRegistered { login_link, reset_link }).await?;
        }
        let event = about("user.sign_up", Some(user)).ended(Outcome::Failure);
        basis.audit.record(&txn, &By::anonymous(origin.clone()), event).await?;
        txn.commit().await.map_err(db::Error::from)?;
        basis.mailer.wake();
        Ok(())
    }

    async fn sign_up_invited(&self, new: NewAccount, invitation: &OpenInvitation, origin: Origin) -> Result<SignedUp, Error> {
        let basis = &self.basis;
        if basis.users.find_by_email(&new.email).await?.is_some() {
            return Err(Error::AccountExists);
        }
        let hash = basis.passwords.hash_for(&new.email, &new.password).await?;
        let txn = basis.db.begin().await?;
        let user = match basis.users.create(&txn, new_user(&new, hash, true)).await {
            Err(user::Error::EmailTaken(_)) => return Err(Error::AccountExists),
            created => created?,
        };
        basis.users.set_proven(&txn, user.id).await?;
        let by = by(&user, &origin);
        self.invitations.accept_for(&txn, invitation, user.id, &by).await?;
        basis.users.set_default_organization(&txn, user.id, invitation.organization_id).await?;
        basis.audit.record(&txn, &by, about("user.sign_up", Some(&user))).await?;
        let signed_in = self.sessions.open(&txn, &user, &origin).await?;
        txn.commit().await.map_err(db::Error::from)?;
        tracing::info!(user.id = %user.id, organization.id = %invitation.organization_id, "signed up by invitation");
        Ok(SignedUp::SignedIn(Box::new(signed_in)))
    }

    async fn first_organization(&self, txn: &impl ConnectionTrait, user: &User, name: &Name, by: &By) -> Result<OrganizationId, Error> {
        let organization = self.directory.create_organization(txn, name).await?;
        self.directory.add_member(txn, organization.id, user.id, &Role::Owner).await?;
        let project = self.directory.create_project(txn, organization.id, &FIRST_PROJECT.parse()?).await?;
        let made = Event::new("organization.create", "organization", organization.id).named(&organization.name);
        self.basis.audit.record(txn, by, made.in_organization(organization.id)).await?;
        let made = Event::new("project.create", "project", project.id).named(&project.name);
        self.basis.audit.record(txn, by, made.in_project(organization.id, project.id)).await?;
        Ok(organization.id)
    }
}

fn new_user(new: &NewAccount, hash: PasswordHash, verified: bool) -> NewUser {
    NewUser {
        email: new.email.clone(),
        first_name: new.first_name.trim().to_owned(),
        last_name: new.last_name.trim().to_owned(),
        password_hash: Some(hash),
        is_admin: false,
        verified,
    }
}
