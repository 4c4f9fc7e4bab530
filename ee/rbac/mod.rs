//! Roles that organisations make for themselves, beside the built-in ones.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::auth::permission::grants;
use crate::auth::rbac::{BUILT_IN, Rbac, RbacStatus};
use crate::auth::{Decision, Permission, Resource, Subject};
use crate::common::id::OrganizationId;
use crate::organization::Role;

/// Permissions by organisation and name of the role.
type Roles = HashMap<(OrganizationId, String), Vec<Permission>>;

/// The permissions of the roles of each organisation. A clone shares the table.
#[derive(Debug, Clone, Default)]
pub struct RoleTable(Arc<RwLock<Roles>>);

impl RoleTable {
    /// Defines a role of an organisation, or changes it; the next decision knows. A built-in name is refused: false.
    #[cfg_attr(not(test), expect(dead_code, reason = "the hook for the roles of organizations; no route defines any in this version"))]
    pub fn define(&self, organization: OrganizationId, name: &str, permissions: Vec<Permission>) -> bool {
        if BUILT_IN.contains(&name) {
            return false;
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert((organization, name.to_owned()), permissions);
        true
    }

    fn custom(&self, organization: OrganizationId, name: &str, action: Permission) -> bool {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.get(&(organization, name.to_owned())).is_some_and(|permissions| permissions.contains(&action))
    }
}

impl Rbac for RoleTable {
    fn decide(&self, subject: &Subject, action: Permission, resource: &Resource<'_>) -> Decision {
        Decision::from(match &subject.role {
            Role::Custom(name) => self.custom(resource.organization, name, action),
            built_in => grants(built_in, action),
        })
    }

    fn status(&self) -> RbacStatus {
        RbacStatus {
            // Only what the program does: the table decides on roles of their own, but no route defines any yet.
            available: false,
            detail: "the built-in roles apply; organizations cannot define roles of their own in this version".to_owned(),
            built_in_roles: BUILT_IN.map(str::to_owned).to_vec(),
            custom_roles: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::id::UserId;

    #[test]
    fn a_role_of_one_organisation_means_nothing_in_another() {
        let table = RoleTable::default();
        let (here, there) = (OrganizationId::fresh(), OrganizationId::fresh());
        assert!(table.define(here, "auditor", vec![Permission::TracesRead]));
        let auditor = Subject { user: UserId::fresh(), role: Role::from("auditor") };
        let in_org = |organization| Resource { organization, project: None, environment: None, tags: &[] };
        assert_eq!(table.decide(&auditor, Permission::TracesRead, &in_org(here)), Decision::Allow);
        assert_eq!(table.decide(&auditor, Permission::ApiKeysCreate, &in_org(here)), Decision::Deny);
        assert_eq!(table.decide(&auditor, Permission::TracesRead, &in_org(there)), Decision::Deny);
    }

    #[test]
    fn claims_no_roles_that_nobody_can_define() {
        let status = RoleTable::default().status();
        assert!(!status.available && !status.custom_roles && status.detail.contains("cannot define"));
    }

    #[test]
    fn built_in_roles_cannot_be_redefined() {
        let table = RoleTable::default();
        let here = OrganizationId::fresh();
        assert!(!table.define(here, "viewer", Permission::ALL.to_vec()));
        let viewer = Subject { user: UserId::fresh(), role: Role::Viewer };
        let resource = Resource { organization: here, project: None, environment: None, tags: &[] };
        assert_eq!(table.decide(&viewer, Permission::TracesRead, &resource), Decision::Allow);
        assert_eq!(table.decide(&viewer, Permission::ApiKeysCreate, &resource), Decision::Deny);
    }
}
