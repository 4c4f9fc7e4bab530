//! Reading settings.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, store};
use crate::common::id::{OrganizationId, ProjectId};
use crate::infra::db::Database;

/// Where a setting can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
}

/// A setting as a type.
pub trait Setting: 'static {
    /// `group.name`
    const KEY: &'static str;
    /// One line for people.
    const DESCRIPTION: &'static str;
    /// Where it can be set.
    const LEVELS: &'static [Level];
    type Value: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;

    /// What counts where nobody set anything.
    fn default() -> Self::Value;

    /// Whether a value makes sense.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(_value: &Self::Value) -> Result<(), String> {
        Ok(())
    }
}

/// The settings of the installation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Settings {
    db: Database,
}

impl Settings {
    /// Settings kept in `db`.
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The value that counts in `scope`.
    pub async fn get<S: Setting>(&self, scope: Scope) -> Result<S::Value, Error> {
        let mut next = Some(scope);
        while let Some(scope) = next {
            if let Some(row) = store::find(self.db.conn(), scope, S::KEY).await?
                && let Ok(value) = serde_json::from_str(&row.value)
            {
                return Ok(value);
            }
            next = scope.parent();
        }
        Ok(S::default())
    }
}
