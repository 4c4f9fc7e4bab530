//! Roles that somebody defined.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};

use crate::common::id::OrganizationId;
use crate::infra::db;
use crate::organization::entity::roles::{Column, Entity, Model};

/// Where a role exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleScope {
    /// In every organisation.
    Installation,
    Organization(OrganizationId),
}

impl RoleScope {
    /// As stored in `roles.scope_type`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Installation => "installation",
            Self::Organization(_) => "organization",
        }
    }

    /// As stored in `roles.scope_id`.
    pub fn id(self) -> String {
        match self {
            Self::Installation => String::new(),
            Self::Organization(id) => id.to_string(),
        }
    }
}

impl Entity {
    /// The roles of one scope.
    fn in_scope(scope: RoleScope) -> Select<Self> {
        Self::find().filter(Column::ScopeType.eq(scope.kind())).filter(Column::ScopeId.eq(scope.id()))
    }
}

pub async fn list(db: &impl ConnectionTrait, scope: RoleScope) -> Result<Vec<Model>, db::Error> {
    Ok(Entity::in_scope(scope).order_by_asc(Column::Name).all(db).await?)
}
