//! One line of the audit log.

use serde_json::Value;

use crate::common::id::{ApiKeyId, OrganizationId, ProjectId, UserId};
use crate::common::origin::Origin;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    User(UserId),
    ApiKey(ApiKeyId),
    /// Somebody with a shell on the server.
    Operator,
    /// The process itself: a job, a schedule, the first start.
    System,
    /// Somebody who did not say who they are: a failed sign-in, a forgotten password.
    Anonymous,
}

impl Actor {
    /// As stored in `audit_logs.actor_type`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::ApiKey(_) => "api_key",
            Self::Operator => "operator",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    /// The id, where the actor has one.
    #[must_use]
    pub fn id(self) -> Option<String> {
        match self {
            Self::User(id) => Some(id.to_string()),
            Self::ApiKey(id) => Some(id.to_string()),
            Self::Operator | Self::System | Self::Anonymous => None,
        }
    }
}

/// Who acts, and from where: what every service that changes something is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    pub actor: Actor,
    pub origin: Origin,
}

impl By {
    /// A person who is signed in.
    #[must_use]
    pub fn user(user: UserId, origin: Origin) -> Self {
        Self { actor: Actor::User(user), origin }
    }

    /// Somebody with a shell.
    #[must_use]
    pub fn operator() -> Self {
        Self { actor: Actor::Operator, origin: Origin::default() }
    }

    /// The process itself.
    #[must_use]
    pub fn system() -> Self {
        Self { actor: Actor::System, origin: Origin::default() }
    }

    /// Somebody who is not signed in.
    #[must_use]
    pub fn anonymous(origin: Origin) -> Self {
        Self { actor: Actor::Anonymous, origin }
    }

    /// The person, where it is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        if let Actor::User(id) = self.actor { Some(id) } else { None }
    }
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `user`, `organization`, `project`, `api_key`, `invitation`, `setting`, `session`, `job`, ...
    pub kind: &'static str,
    pub id: Option<String>,
    /// What people call it.
    pub name: Option<String>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Success,
    /// Refused for want of a permission.
    Denied,
    /// Tried and failed.
    Failure,
}

impl Outcome {
    /// As stored in `audit_logs.outcome`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
        }
    }
}

/// A line of the log, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `resource.verb`, such as `member.update`.
    pub action: &'static str,
    pub target: Target,
    pub organization: Option<OrganizationId>,
    pub project: Option<ProjectId>,
    pub outcome: Outcome,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Event {
    /// `action` succeeded on a thing of this kind.
    #[must_use]
    pub fn new(action: &'static str, kind: &'static str, id: impl ToString) -> Self {
        Self {
            action,
            target: Target { kind, id: Some(id.to_string()), name: None },
            organization: None,
            project: None,
            outcome: Outcome::Success,
            before: None,
            after: None,
        }
    }

    /// What people call the thing.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.target.name = Some(name.into());
        self
    }

    /// Whose log it belongs to.
    #[must_use]
    pub fn in_organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    /// The project it is about.
    #[must_use]
    pub fn in_project(mut self, organization: OrganizationId, project: ProjectId) -> Self {
        self.organization = Some(organization);
        self.project = Some(project);
        self
    }

    /// It did not succeed.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// What was and what is. Never secrets: what stands here is read by everybody with `audit-logs:read`.
    #[must_use]
    pub fn change(mut self, before: impl Into<Option<Value>>, after: impl Into<Option<Value>>) -> Self {
        self.before = before.into();
        self.after = after.into();
        self
    }
}
