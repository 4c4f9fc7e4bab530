//! Who is a member, and as what.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::invitation;
use super::organizations::{active, commit};
use super::store::members::{self, MemberRow};
use super::store::roles::{self, RoleScope};
use super::{Error, Organizations, Role, store};
use crate::audit::{By, Event};
use crate::common::id::{OrganizationId, ProjectId, UserId};

/// A membership that does not count for now.
const SUSPENDED: &str = "suspended";
const ACTIVE: &str = "active";

/// A member of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub user_id: UserId,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub role: Role,
    pub suspended: bool,
    pub joined_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    /// Whether they sign in with a second factor.
    pub second_factor: bool,
    pub project_roles: Vec<ProjectRole>,
}

/// A member's role in a single project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRole {
    pub project_id: ProjectId,
    pub project_name: String,
    pub role: Role,
}

/// A role that somebody defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedRole {
    pub name: String,
    pub description: String,
    /// `organization` or `installation`.
    pub scope_type: String,
    pub permissions: Vec<String>,
}

impl Organizations {
    /// The members of an organisation, oldest first, with their roles in single projects.
    pub async fn members(&self, id: OrganizationId) -> Result<Vec<Member>, Error> {
        let mut own: HashMap<UserId, Vec<ProjectRole>> = HashMap::new();
        for row in members::list_project_roles(self.db.conn(), id).await? {
            let role = ProjectRole { project_id: row.project_id, project_name: row.project_name, role: row.role.as_str().into() };
            own.entry(row.user_id).or_default().push(role);
        }
        let rows = members::list(self.db.conn(), id).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let project_roles = own.remove(&row.user_id).unwrap_or_default();
                Member { project_roles, ..Member::from(row) }
            })
            .collect())
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::MemberNotFound`].
    pub async fn member(&self, id: OrganizationId, user: UserId) -> Result<Member, Error> {
        self.members(id).await?.into_iter().find(|member| member.user_id == user).ok_or(Error::MemberNotFound)
    }

    /// Gives a member another role.
    pub async fn change_role(&self, by: &By, id: OrganizationId, user: UserId, role: &Role) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let member = self.changeable(&txn, by, id, user).await?;
        let actor = acting(&txn, by, id).await?;
        if actor.rank() < role.rank() {
            return Err(if *role == Role::Owner { Error::OwnersOnly } else { Error::AboveOwnRole });
        }
        if *role != Role::Owner {
            self.keep_an_owner(&txn, id, &member).await?;
        }
        members::update_role(&txn, id, user, role, self.clock.now()).await?;
        self.revoke_invitations(&txn, by, id, &member, Some(role)).await?;
        let event = about("member.update", id, &member).change(json!({"role": member.role}), json!({"role": role}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// Ends a membership, with the roles in single projects. API keys that they made stay: they are the project's.
    pub async fn remove(&self, by: &By, id: OrganizationId, user: UserId) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let member = self.changeable(&txn, by, id, user).await?;
        self.keep_an_owner(&txn, id, &member).await?;
        members::delete(&txn, id, user).await?;
        self.revoke_invitations(&txn, by, id, &member, None).await?;
        self.users.clear_default_organization(&txn, user, id).await?;
        let event = about("member.remove", id, &member).change(json!({"role": member.role, "status": member.status}), None);
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// Lets a membership count for nothing until it is reinstated.
    pub async fn suspend(&self, by: &By, id: OrganizationId, user: UserId) -> Result<(), Error> {
        self.set_status(by, id, user, "member.suspend", SUSPENDED).await
    }

    /// Lets a suspended membership count again.
    pub async fn reinstate(&self, by: &By, id: OrganizationId, user: UserId) -> Result<(), Error> {
        self.set_status(by, id, user, "member.reinstate", ACTIVE).await
    }

    async fn set_status(&self, by: &By, id: OrganizationId, user: UserId, action: &'static str, status: &'static str) -> Result<(), Error> {
        let txn = self.db.begin().await?;
        let member = self.changeable(&txn, by, id, user).await?;
        if member.status == status {
            return Ok(());
        }
        if status == SUSPENDED {
            self.keep_an_owner(&txn, id, &member).await?;
        }
        members::update_status(&txn, id, user, status, self.clock.now()).await?;
        if status == SUSPENDED {
            self.revoke_invitations(&txn, by, id, &member, None).await?;
        }
        let event = about(action, id, &member).change(json!({"status": member.status}), json!({"status": status}));
        self.audit.record(&txn, by, event).await?;
        commit(txn).await
    }

    /// A member whom the caller may change, with the organisation held until the transaction ends.
    ///
    /// The caller's role is read again behind the lock: of two owners who remove each other at once, the second is none any more.
    async fn changeable(&self, txn: &impl ConnectionTrait, by: &By, id: OrganizationId, user: UserId) -> Result<MemberRow, Error> {
        active(txn, id).await?;
        if by.user_id() == Some(user) {
            return Err(Error::Oneself);
        }
        let member = members::find(txn, id, user).await?.ok_or(Error::MemberNotFound)?;
        let actor = acting(txn, by, id).await?;
        match Role::from(member.role.as_str()) {
            Role::Owner if actor != Role::Owner => Err(Error::OwnersOnly),
            role if actor.rank() < role.rank() => Err(Error::AboveOwnRole),
            _ => Ok(member),
        }
    }

    /// Takes back the open invitations of a member that go beyond what they may give now; none: all of them. The log says how many.
    async fn revoke_invitations(
        &self,
        txn: &impl ConnectionTrait,
        by: &By,
        id: OrganizationId,
        member: &MemberRow,
        now_is: Option<&Role>,
    ) -> Result<(), Error> {
        let above: Vec<&str> =
            Role::BUILT_IN.iter().filter(|role| now_is.is_none_or(|now_is| now_is.rank() < role.rank())).map(Role::name).collect();
        let revoked = invitation::update_revoked_of(txn, id, member.user_id, &above, self.clock.now()).await?;
        if revoked > 0 {
            let event = about("invitation.revoke", id, member).change(None, json!({"invitations": revoked}));
            self.audit.record(txn, by, event).await?;
        }
        Ok(())
    }

    /// Refuses when nobody else owns the organisation.
    async fn keep_an_owner(&self, txn: &impl ConnectionTrait, id: OrganizationId, member: &MemberRow) -> Result<(), Error> {
        let owner = member.role == Role::Owner.name();
        if owner && members::count_other_owners(txn, id, member.user_id).await? == 0 { Err(Error::LastOwner) } else { Ok(()) }
    }

    /// The roles that were defined for one organisation or for all.
    pub async fn defined_roles(&self, id: OrganizationId) -> Result<Vec<DefinedRole>, Error> {
        let mut found = Vec::new();
        for scope in [RoleScope::Installation, RoleScope::Organization(id)] {
            found.extend(roles::list(self.db.conn(), scope).await?);
        }
        Ok(found
            .into_iter()
            .map(|row| DefinedRole {
                name: row.name,
                description: row.description,
                scope_type: row.scope_type,
                permissions: serde_json::from_str(&row.permissions).unwrap_or_default(),
            })
            .collect())
    }
}

/// The role of whoever acts, as it is inside the transaction. What acts without being a person may do everything.
pub(super) async fn acting(txn: &impl ConnectionTrait, by: &By, id: OrganizationId) -> Result<Role, Error> {
    let Some(user) = by.user_id() else { return Ok(Role::Owner) };
    store::find_role(txn, user, id).await?.ok_or(Error::NotPermittedNow)
}

fn about(action: &'static str, id: OrganizationId, member: &MemberRow) -> Event {
    Event::new(action, "member", member.user_id).named(member.email.as_str()).in_organization(id)
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        Self {
            user_id: row.user_id,
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            role: row.role.as_str().into(),
            suspended: row.status == SUSPENDED,
            joined_at: row.joined_at,
            last_login_at: row.last_login_at,
            second_factor: row.second_factor_at.is_some(),
            project_roles: Vec::new(),
        }
    }
}
