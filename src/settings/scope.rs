//! Where settings are set, and what inherits from where.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::id::{OrganizationId, ProjectId};

/// Where a setting can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Installation,
    Organization,
    Project,
}

impl Level {
    /// As stored in `settings.scope_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Organization => "organization",
            Self::Project => "project",
        }
    }
}

/// For whom a setting counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Installation,
    Organization(OrganizationId),
    /// With the organisation that it inherits from.
    Project(OrganizationId, ProjectId),
}

impl Scope {
    /// The kind of scope.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Installation => Level::Installation,
            Self::Organization(_) => Level::Organization,
            Self::Project(..) => Level::Project,
        }
    }

    /// As stored in `settings.scope_id`.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::Installation => String::new(),
            Self::Organization(id) => id.to_string(),
            Self::Project(_, id) => id.to_string(),
        }
    }

    /// What it inherits from.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Installation => None,
            Self::Organization(_) => Some(Self::Installation),
            Self::Project(organization, _) => Some(Self::Organization(organization)),
        }
    }

    /// Whose values these are.
    pub(super) const fn owner(self) -> Owner {
        match self {
            Self::Installation => Owner::Installation,
            Self::Organization(id) => Owner::Organization(id),
            Self::Project(_, id) => Owner::Project(id),
        }
    }
}

/// What values belong to: a scope without what it inherits from. Also what the processes tell each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub(super) enum Owner {
    Installation,
    Organization(OrganizationId),
    Project(ProjectId),
}
