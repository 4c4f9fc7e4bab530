//! The seam of role-based access control: who decides what a role may do.

use std::fmt::Debug;

use serde::Serialize;
use utoipa::ToSchema;

use super::permission::grants;
use super::{Decision, Permission, Resource, Subject};

/// Decides on behalf of [`super::Authorizer`].
pub trait Rbac: Debug + Send + Sync {
    /// Whether `subject`, a member of the resource's organisation, may do this there.
    fn decide(&self, subject: &Subject, action: Permission, resource: &Resource<'_>) -> Decision;

    /// For `GET /api/v1/enterprise/status`.
    fn status(&self) -> RbacStatus;
}

/// What roles there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RbacStatus {
    pub available: bool,
    pub detail: String,
    pub built_in_roles: Vec<String>,
    /// Whether organisations may define roles of their own.
    pub custom_roles: bool,
}

/// Names of the roles that exist in both editions, most powerful first.
pub const BUILT_IN: [&str; 5] = ["owner", "admin", "developer", "viewer", "none"];

/// The built-in roles.
#[derive(Debug, Clone, Copy, Default)]
pub struct Community;

impl Rbac for Community {
    fn decide(&self, subject: &Subject, action: Permission, _resource: &Resource<'_>) -> Decision {
        Decision::from(grants(&subject.role, action))
    }

    fn status(&self) -> RbacStatus {
        RbacStatus {
            available: false,
            detail: "the built-in roles apply; roles of your own need the enterprise edition".to_owned(),
            built_in_roles: BUILT_IN.map(str::to_owned).to_vec(),
            custom_roles: false,
        }
    }
}
