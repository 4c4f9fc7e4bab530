//! What a member is in an organisation.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A member's role. What a role may do stands in `auth::permission`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, the organisation's deletion included.
    Owner,
    /// Everything but what only owners may.
    Admin,
    /// Builds with it: reads and writes data, keys and prompts.
    Developer,
    /// Reads.
    Viewer,
    /// A member of the organisation who reaches only the projects that were assigned.
    None,
    /// A role the organisation made for itself. It grants nothing in the community edition.
    Custom(String),
}

impl Role {
    /// The roles that exist everywhere, most powerful first.
    pub const BUILT_IN: [Self; 5] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer, Self::None];

    /// How much it may do, for comparing; a role that somebody defined includes none of the others.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Owner => 4,
            Self::Admin => 3,
            Self::Developer => 2,
            Self::Viewer => 1,
            Self::None | Self::Custom(_) => 0,
        }
    }

    /// A role that can be given.
    ///
    /// # Errors
    /// For a name that no role has.
    pub fn built_in(name: &str) -> Result<Self, super::Error> {
        match Self::from(name) {
            Self::Custom(name) => Err(super::Error::UnknownRole(name.chars().take(64).collect())),
            role => Ok(role),
        }
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        match self {
            Self::Owner => "Everything, the organization's deletion included",
            Self::Admin => "Everything but what only owners may",
            Self::Developer => "Builds with it: reads and writes data, keys and prompts",
            Self::Viewer => "Reads",
            Self::None => "A member of the organization who reaches only the projects that were assigned",
            Self::Custom(_) => "",
        }
    }

    /// The name it is stored and shown by.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
            Self::None => "none",
            Self::Custom(name) => name,
        }
    }
}

/// The role that counts in a project: the one given there, else the one in the organisation. An owner is never lowered.
#[must_use]
pub fn effective(in_organization: &Role, in_project: Option<&Role>) -> Role {
    match (in_organization, in_project) {
        (Role::Owner, _) | (_, None) => in_organization.clone(),
        (_, Some(role)) => role.clone(),
    }
}

impl FromStr for Role {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(match name {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "developer" => Self::Developer,
            "viewer" => Self::Viewer,
            "none" => Self::None,
            other => Self::Custom(other.to_owned()),
        })
    }
}

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        let Ok(role) = name.parse();
        role
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
