//! Inviting people: the organisation's side.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::store::{self, Listed, Row};
use super::{Invitation, InvitationStatus, Invite, ProjectGrant, token};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{InvitationId, OrganizationId};
use crate::infra::db::{Database, stored};
use crate::infra::mail::{Mailer, Template};
use crate::organization::members::acting;
use crate::organization::organizations::{active, commit};
use crate::organization::projects::{acting_in, changeable};
use crate::organization::store::members;
use crate::organization::{Error, Organization, Role};
use crate::user::Users;

/// How long an invitation is good.
const GOOD_FOR: TimeDelta = TimeDelta::days(7);
/// How soon it may be sent again: nobody's mailbox is filled from here.
const COOL_DOWN: TimeDelta = TimeDelta::seconds(60);
/// Most that a list shows.
const SHOWN: u32 = 500;

/// Invites people, and takes in those who accept; a clone shares everything.
#[derive(Clone)]
pub struct Invitations {
    pub(super) db: Database,
    pub(super) clock: SharedClock,
    pub(super) audit: Audit,
    pub(super) users: Users,
    mailer: Mailer,
    app_url: String,
}

impl std::fmt::Debug for Invitations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitations").field("app_url", &self.app_url).finish_non_exhaustive()
    }
}

impl Invitations {
    /// Invitations kept in `db`, sent by `mailer`, with links to the web app at `app_url`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, users: Users, mailer: Mailer, app_url: String) -> Self {
        Self { db, clock, audit, users, mailer, app_url }
    }

    /// The latest invitations to an organisation, newest first.
    pub async fn list(&self, organization: OrganizationId, status: Option<InvitationStatus>) -> Result<Vec<Invitation>, Error> {
        let now = self.clock.now();
        let listed = store::list(self.db.conn(), organization, SHOWN).await?;
        let all = listed.into_iter().map(|listed| invitation(listed, now));
        Ok(all.filter(|invitation| status.is_none_or(|status| invitation.status == status)).collect())
    }

    async fn one(&self, organization: OrganizationId, id: InvitationId) -> Result<Invitation, Error> {
        let all = self.list(organization, None).await?;
        all.into_iter().find(|invitation| invitation.id == id).ok_or(Error::InvitationNotFound)
    }

    /// Invites somebody, and writes to them.
    pub async fn create(&self, by: &By, organization_id: OrganizationId, invite: Invite) -> Result<Invitation, Error> {
        let (txn, now) = (self.db.begin().await?, self.clock.now());
        let organization = active(&txn, organization_id).await?;
        let project_roles = check(&txn, by, organization_id, &invite).await?;
        if let Some(user) = self.users.find_by_email_in(&txn, &invite.email).await?
            && members::find(&txn, organization_id, user.id).await?.is_some()
        {
            return Err(Error::AlreadyMember);
        }
        let email = invite.email.to_string();
        // Taken back and made anew is sent again, too.
        if let Some(last) = store::last_sent_at(&txn, organization_id, &email).await? {
            cooled_down(last, now)?;
        }
        store::update_expired(&txn, organization_id, &email, now).await?;
        let (token, expires_at) = (token::fresh(), now + GOOD_FOR);
        let row = Row {
            id: InvitationId::fresh(),
            organization_id,
            email: email.clone(),
            role: invite.role.name().to_owned(),
            project_roles: json!(project_roles).to_string(),
            token_hash: token::hash(&token),
            status: InvitationStatus::Pending.name().to_owned(),
            invited_by: by.user_id(),
            accepted_by: None,
            sent_count: 1,
            sent_at: stored(now),
            expires_at: stored(expires_at),
            created_at: stored(now),
            updated_at: stored(now),
        };
        let id = row.id;
        match store::insert(&txn, row).await {
            Ok(()) => {}
            Err(error) if error.is_duplicate() => return Err(Error::AlreadyInvited),
            Err(error) => return Err(error.into()),
        }
        self.write(&txn, by, &organization, &email, &invite.role, &token, expires_at).await?;
        let event = about("invitation.create", organization_id, id, &email);
        let event = event.change(None, json!({"role": invite.role, "project_roles": project_roles}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await?;
        self.mailer.wake();
        self.one(organization_id, id).await
    }

    /// Sends an invitation again with another token; the one before is dead. One that has expired is good again.
    pub async fn resend(&self, by: &By, organization_id: OrganizationId, id: InvitationId) -> Result<Invitation, Error> {
        let (txn, now) = (self.db.begin().await?, self.clock.now());
        let organization = active(&txn, organization_id).await?;
        let row = pending(&txn, organization_id, id).await?;
        cooled_down(row.sent_at, now)?;
        let role = Role::from(row.role.as_str());
        if acting(&txn, by, organization_id).await?.rank() < role.rank() {
            return Err(Error::AboveOwnRole);
        }
        let (token, expires_at) = (token::fresh(), now + GOOD_FOR);
        if !store::update_sent(&txn, &row, token::hash(&token), expires_at, now).await? {
            return Err(Error::InvitationClosed);
        }
        self.write(&txn, by, &organization, &row.email, &role, &token, expires_at).await?;
        let event = about("invitation.resend", organization_id, id, &row.email);
        self.audit.record(&txn, by, event.change(None, json!({"sent_count": row.sent_count.saturating_add(1)}))).await?;
        commit(txn).await?;
        self.mailer.wake();
        self.one(organization_id, id).await
    }

    /// Takes an invitation back: its token is dead.
    pub async fn revoke(&self, by: &By, organization_id: OrganizationId, id: InvitationId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        active(&txn, organization_id).await?;
        let row = pending(&txn, organization_id, id).await?;
        if !store::update_status(&txn, id, InvitationStatus::Revoked.name(), None, self.clock.now()).await? {
            return Err(Error::InvitationClosed);
        }
        let event = about("invitation.revoke", organization_id, id, &row.email);
        let event = event.change(json!({"status": "pending"}), json!({"status": "revoked"}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    #[expect(clippy::too_many_arguments, reason = "what a mail says")]
    async fn write(
        &self,
        txn: &impl ConnectionTrait,
        by: &By,
        organization: &Organization,
        email: &str,
        role: &Role,
        token: &str,
        expires_at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let inviter = match by.user_id() {
            Some(user) => store::find_address(txn, user).await?.map(|(email, _)| email),
            None => None,
        };
        let template = Template::Invitation {
            organization: organization.name.clone(),
            inviter: inviter.unwrap_or_else(|| "an administrator".to_owned()),
            role: role.name().to_owned(),
            link: format!("{}/invitation?token={token}", self.app_url),
            expires_at,
        };
        self.mailer.send(txn, email, &template).await?;
        Ok(())
    }
}

/// Refuses when the address was written to a moment ago.
fn cooled_down(sent_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Error> {
    let wait = COOL_DOWN - (now - sent_at);
    if wait > TimeDelta::zero() { Err(Error::TooSoon(u32::try_from(wait.num_seconds()).unwrap_or(0).max(1))) } else { Ok(()) }
}

async fn pending(txn: &impl ConnectionTrait, organization: OrganizationId, id: InvitationId) -> Result<Row, Error> {
    let row = store::find(txn, organization, id).await?.ok_or(Error::InvitationNotFound)?;
    if row.status == InvitationStatus::Pending.name() { Ok(row) } else { Err(Error::InvitationClosed) }
}

/// The roles in single projects that come along, when whoever invites may give all of it.
async fn check(txn: &impl ConnectionTrait, by: &By, organization: OrganizationId, invite: &Invite) -> Result<Vec<ProjectGrant>, Error> {
    if acting(txn, by, organization).await?.rank() < invite.role.rank() {
        return Err(if invite.role == Role::Owner { Error::OwnersOnly } else { Error::AboveOwnRole });
    }
    let mut grants: Vec<ProjectGrant> = Vec::new();
    // What is said last of a project counts.
    for grant in &invite.project_roles {
        let role = Role::built_in(&grant.role)?;
        if role == Role::Owner {
            return Err(Error::NoProjectRole);
        }
        changeable(txn, organization, grant.project_id).await?;
        if acting_in(txn, by, organization, grant.project_id).await?.rank() < role.rank() {
            return Err(Error::AboveOwnRole);
        }
        grants.retain(|other| other.project_id != grant.project_id);
        grants.push(grant.clone());
    }
    Ok(grants)
}

pub(super) fn about(action: &'static str, organization: OrganizationId, id: InvitationId, email: &str) -> Event {
    Event::new(action, "invitation", id).named(email).in_organization(organization)
}

fn invitation(listed: Listed, now: DateTime<Utc>) -> Invitation {
    let Listed { row, invited_by_email } = listed;
    Invitation {
        id: row.id,
        role: Role::from(row.role.as_str()),
        project_roles: serde_json::from_str(&row.project_roles).unwrap_or_default(),
        status: InvitationStatus::read(&row.status, row.expires_at, now),
        email: row.email,
        invited_by_email,
        sent_at: row.sent_at,
        sent_count: u32::try_from(row.sent_count).unwrap_or(0),
        expires_at: row.expires_at,
        created_at: row.created_at,
    }
}
