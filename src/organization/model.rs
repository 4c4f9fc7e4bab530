//! Organisations and projects as the rest of the program sees them.

use std::fmt::{self, Display};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Error, Role};
use crate::common::id::{OrganizationId, ProjectId};

/// A name that people gave: trimmed, 1 to 100 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.trim();
        let fits = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        if fits { Ok(Self(name.to_owned())) } else { Err(Error::InvalidName) }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Organization {
    /// Where it stands.
    #[must_use]
    pub const fn status(&self) -> TenantStatus {
        TenantStatus::of(self.archived_at, self.deleted_at)
    }
}

/// Where an organisation or a project stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    Active,
    /// Nothing is taken in and nothing changed; reading goes on.
    Archived,
    /// Out of reach, and can be restored for a while.
    Deleted,
}

impl TenantStatus {
    pub(super) const fn of(archived_at: Option<DateTime<Utc>>, deleted_at: Option<DateTime<Utc>>) -> Self {
        match (archived_at, deleted_at) {
            (_, Some(_)) => Self::Deleted,
            (Some(_), None) => Self::Archived,
            (None, None) => Self::Active,
        }
    }

    /// As stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
        }
    }
}

/// What was archived, where something cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archived {
    Organization,
    Project,
}

/// What somebody is in an organisation as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationStanding {
    pub role: Role,
    pub archived: Option<Archived>,
}

/// A part of a tenant that owns telemetry and keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub id: ProjectId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub description: String,
    /// `active` or `archived`.
    pub status: String,
    pub created_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// An organisation as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationAccess {
    pub organization: Organization,
    pub role: Role,
    /// With the role that counts there.
    pub projects: Vec<(Project, Role)>,
}

/// What somebody is in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectAccess {
    pub project_id: ProjectId,
    pub organization_id: OrganizationId,
    pub role: Role,
    /// Whether the project was archived, or its organisation.
    pub archived: Option<Archived>,
}

/// A name as part of an address: lower case letters, digits and single hyphens. Not unique, and never stored: it follows the
/// name. What finds a thing is the id at the end of [`composite_slug`].
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "unnamed".to_owned() } else { slug.to_owned() }
}

/// Slug and id: `acme-01k…`.
#[must_use]
pub fn composite_slug(name: &str, id: impl Display) -> String {
    format!("{}-{}", slug(name), id.to_string().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_hold_letters_digits_and_single_hyphens() {
        assert_eq!(slug("Acme, Inc. (Europe)"), "acme-inc-europe");
        assert_eq!(slug("  --x--  "), "x");
        assert_eq!(slug("日本"), "unnamed");
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(" Acme ".parse::<Name>().unwrap().as_str(), "Acme");
        assert!("é".repeat(100).parse::<Name>().is_ok());
        for wrong in ["", "   ", "a\nb", &"x".repeat(101)] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong:?}");
        }
    }
}
