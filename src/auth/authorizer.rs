//! The one place that says yes or no.

use std::sync::Arc;

use super::rbac::Rbac;
use super::{Error, Permission};
use crate::common::id::{OrganizationId, ProjectId, UserId};
use crate::organization::{Directory, OrganizationStanding, ProjectAccess, Role};

/// Who asks, as a member of the resource's organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub user: UserId,
    pub role: Role,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    pub organization: OrganizationId,
    /// None for what belongs to the organisation as a whole.
    pub project: Option<ProjectId>,
    /// The environment of telemetry, where a rule may depend on it.
    pub environment: Option<&'a str>,
    pub tags: &'a [String],
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

impl From<bool> for Decision {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allow } else { Self::Deny }
    }
}

/// Decides; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Authorizer {
    directory: Directory,
    rbac: Arc<dyn Rbac>,
}

impl Authorizer {
    /// Decides by the memberships in `directory` and the rules of `rbac`.
    pub fn new(directory: Directory, rbac: Arc<dyn Rbac>) -> Self {
        Self { directory, rbac }
    }

    /// Whether `subject` may do `action` to `resource`.
    pub fn decide(&self, subject: &Subject, action: Permission, resource: &Resource<'_>) -> Decision {
        self.rbac.decide(subject, action, resource)
    }

    /// The role of `user` in `organization` when it includes `action`.
    ///
    /// # Errors
    /// [`Error::OrganizationNotFound`] for one that does not exist and for one that `user` is no member of;
    /// [`Error::Forbidden`] for a member whose role does not include `action`.
    pub async fn organization(&self, user: UserId, organization: OrganizationId, action: Permission) -> Result<Role, Error> {
        Ok(self.organization_standing(user, organization, action).await?.role)
    }

    /// The same, with the state of the organisation.
    ///
    /// # Errors
    /// As [`Authorizer::organization`].
    pub async fn organization_standing(
        &self,
        user: UserId,
        organization: OrganizationId,
        action: Permission,
    ) -> Result<OrganizationStanding, Error> {
        let standing = self.directory.organization_standing(user, organization).await?.ok_or(Error::OrganizationNotFound)?;
        self.allowed(user, &standing.role, action, organization, None)?;
        Ok(standing)
    }

    /// The role of `user` in an organisation that was deleted and can still be restored, when it includes `action`.
    ///
    /// # Errors
    /// As [`Authorizer::organization`].
    pub async fn deleted_organization(&self, user: UserId, organization: OrganizationId, action: Permission) -> Result<Role, Error> {
        let role = self.directory.deleted_organization_role(user, organization).await?.ok_or(Error::OrganizationNotFound)?;
        self.allowed(user, &role, action, organization, None)?;
        Ok(role)
    }

    fn allowed(
        &self,
        user: UserId,
        role: &Role,
        action: Permission,
        organization: OrganizationId,
        project: Option<ProjectId>,
    ) -> Result<(), Error> {
        let subject = Subject { user, role: role.clone() };
        let resource = Resource { organization, project, environment: None, tags: &[] };
        match self.decide(&subject, action, &resource) {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Error::Forbidden(action.name())),
        }
    }

    /// The role of `user` in `organization`, whatever it is.
    ///
    /// # Errors
    /// [`Error::OrganizationNotFound`] for one that does not exist and for one that `user` is no member of.
    pub async fn member(&self, user: UserId, organization: OrganizationId) -> Result<Role, Error> {
        self.directory.organization_role(user, organization).await?.ok_or(Error::OrganizationNotFound)
    }

    /// The access of `user` to `project` when it includes `action`.
    ///
    /// # Errors
    /// [`Error::ProjectNotFound`] for a project that does not exist and for one of a tenant that `user` is no member of (nobody
    /// learns which); [`Error::Forbidden`] for a member whose role does not include `action`.
    pub async fn project(&self, user: UserId, project: ProjectId, action: Permission) -> Result<ProjectAccess, Error> {
        let Some(access) = self.directory.project_access(user, project).await? else { return Err(Error::ProjectNotFound) };
        self.allowed(user, &access.role, action, access.organization_id, Some(project))?;
        Ok(access)
    }

    /// The access of `user` to a project that was deleted and can still be restored, when it includes `action`.
    ///
    /// # Errors
    /// As [`Authorizer::project`].
    pub async fn deleted_project(&self, user: UserId, project: ProjectId, action: Permission) -> Result<ProjectAccess, Error> {
        let access = self.directory.deleted_project_access(user, project).await?.ok_or(Error::ProjectNotFound)?;
        self.allowed(user, &access.role, action, access.organization_id, Some(project))?;
        Ok(access)
    }
}
