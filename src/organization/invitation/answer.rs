//! Answering an invitation: the side of whoever was invited.

use sea_orm::ConnectionTrait;
use serde_json::json;

use super::service::about;
use super::store::{self, Wanted};
use super::{InvitationStatus, Invitations, OpenInvitation, token};
use crate::audit::By;
use crate::common::id::{InvitationId, OrganizationId, UserId};
use crate::organization::organizations::{active, commit};
use crate::organization::store::{self as tenants, members, projects};
use crate::organization::{Error, Role};

impl Invitations {
    /// The invitation that a token opens; none when it is unknown, expired, was used or taken back, and when the organisation takes
    /// nobody in: nobody learns which.
    pub async fn find_open(&self, token: &str) -> Result<Option<OpenInvitation>, Error> {
        let hash = token::hash(token);
        Ok(store::list_open(self.db.conn(), Wanted::TokenHash(&hash), self.clock.now()).await?.pop())
    }

    /// Whether the invited address has an account already.
    pub async fn has_account(&self, invitation: &OpenInvitation) -> Result<bool, Error> {
        Ok(store::exists_account(self.db.conn(), &invitation.email).await?)
    }

    /// What `user` can accept, newest first: nothing until a mail has proven their address, and an administrator's word is no proof.
    pub async fn mine(&self, user: UserId) -> Result<Vec<OpenInvitation>, Error> {
        match store::find_address(self.db.conn(), user).await? {
            Some((email, true)) => Ok(store::list_open(self.db.conn(), Wanted::Email(&email), self.clock.now()).await?),
            _ => Ok(Vec::new()),
        }
    }

    /// Accepts the invitation that a token opens. The token came by mail to the invited address, so it is a proof of the account's.
    pub async fn accept_token(&self, by: &By, user: UserId, token: &str) -> Result<OrganizationId, Error> {
        let open = self.find_open(token).await?.ok_or(Error::InvitationNotFound)?;
        self.accept(by, user, open, false).await
    }

    /// Accepts an invitation that [`Invitations::mine`] lists.
    pub async fn accept_id(&self, by: &By, user: UserId, id: InvitationId) -> Result<OrganizationId, Error> {
        let mut open = store::list_open(self.db.conn(), Wanted::Id(id), self.clock.now()).await?;
        let open = open.pop().ok_or(Error::InvitationNotFound)?;
        self.accept(by, user, open, true).await
    }

    async fn accept(&self, by: &By, user: UserId, open: OpenInvitation, must_be_proven: bool) -> Result<OrganizationId, Error> {
        let txn = self.db.begin().await?;
        let (email, proven) = store::find_address(&txn, user).await?.ok_or(Error::InvitationNotYours)?;
        if email != open.email {
            return Err(Error::InvitationNotYours);
        }
        if must_be_proven && !proven {
            return Err(Error::EmailNotVerified);
        }
        if !proven {
            self.users.set_proven(&txn, user).await?;
        }
        self.accept_for(&txn, &open, user, by).await?;
        commit(txn).await?;
        Ok(open.organization_id)
    }

    /// Makes `user` a member as an invitation says, as part of the caller's transaction. Whether the invitation is theirs the
    /// caller has checked.
    ///
    /// # Errors
    /// [`Error::InvitationNotFound`] when somebody was faster; [`Error::AlreadyMember`].
    pub async fn accept_for(&self, txn: &impl ConnectionTrait, open: &OpenInvitation, user: UserId, by: &By) -> Result<(), Error> {
        let now = self.clock.now();
        match active(txn, open.organization_id).await {
            Ok(_) => {}
            Err(Error::OrganizationNotFound | Error::Archived(_)) => return Err(Error::InvitationNotFound),
            Err(error) => return Err(error),
        }
        if let Some(inviter) = open.inviter {
            // Who may not give the role any more has not given it.
            let standing = tenants::find_role(txn, inviter, open.organization_id).await?;
            if standing.is_none_or(|standing| standing.rank() < open.role.rank()) {
                return Err(Error::InvitationNotFound);
            }
        }
        let accepted = InvitationStatus::Accepted.name();
        if now >= open.expires_at || !store::update_status(txn, open.id, accepted, Some(user), now).await? {
            return Err(Error::InvitationNotFound);
        }
        tenants::insert_member(txn, open.organization_id, user, &open.role, now).await?;
        for grant in &open.project_roles {
            // One that was deleted meanwhile needs no role.
            if projects::find(txn, open.organization_id, grant.project_id).await?.is_some() {
                members::set_project_role(txn, grant.project_id, user, &Role::from(grant.role.as_str()), now).await?;
            }
        }
        let event = about("invitation.accept", open.organization_id, open.id, &open.email);
        let event = event.change(None, json!({"user_id": user, "role": open.role, "project_roles": open.project_roles}));
        self.audit.record(txn, by, event).await?;
        Ok(())
    }

    /// Turns down the invitation that a token opens.
    pub async fn decline(&self, by: &By, token: &str) -> Result<(), Error> {
        let open = self.find_open(token).await?.ok_or(Error::InvitationNotFound)?;
        self.decline_open(by, &open).await
    }

    /// Turns down an invitation that [`Invitations::mine`] lists.
    ///
    /// # Errors
    /// [`Error::InvitationNotFound`], also for one to somebody else.
    pub async fn decline_id(&self, by: &By, user: UserId, id: InvitationId) -> Result<(), Error> {
        let mine = self.mine(user).await?;
        let open = mine.into_iter().find(|open| open.id == id).ok_or(Error::InvitationNotFound)?;
        self.decline_open(by, &open).await
    }

    async fn decline_open(&self, by: &By, open: &OpenInvitation) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        if !store::update_status(&txn, open.id, InvitationStatus::Declined.name(), None, self.clock.now()).await? {
            return Err(Error::InvitationNotFound);
        }
        let event = about("invitation.decline", open.organization_id, open.id, &open.email);
        let event = event.change(json!({"status": "pending"}), json!({"status": "declined"}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }
}
