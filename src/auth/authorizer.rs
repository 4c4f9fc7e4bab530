//! The one place that says yes or no.

use std::sync::Arc;

use super::rbac::Rbac;
use super::{Error, Permission};
use crate::common::id::{OrganizationId, ProjectId, UserId};
use crate::organization::{Directory, ProjectAccess, Role};

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
        let role = self.member(user, organization).await?;
        let subject = Subject { user, role: role.clone() };
        let resource = Resource { organization, project: None, environment: None, tags: &[] };
        match self.decide(&subject, action, &resource) {
            Decision::Allow => Ok(role),
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
        let subject = Subject { user, role: access.role.clone() };
        let resource = Resource { organization: access.organization_id, project: Some(project), environment: None, tags: &[] };
        match self.decide(&subject, action, &resource) {
            Decision::Allow => Ok(access),
            Decision::Deny => Err(Error::Forbidden(action.name())),
        }
    }
}
