//! What can be permitted, and to whom.
//!
//! A handler states what it needs as a type in its signature (`ProjectAccess<TracesRead>`), so that no handler can forget to
//! ask. The names are the predecessor's, `resource:action`.

use crate::organization::Role;

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// An action on a kind of thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// `resource:action`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Required for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

/// A permission as a type, for a handler's signature.
pub trait Required: 'static {
    const PERMISSION: Permission;
}

permissions! {
    /// See an organisation.
    OrganizationsRead = "organizations:read";
    /// See a project.
    ProjectsRead = "projects:read";
    /// See the API keys of a project (never the keys themselves).
    ApiKeysRead = "api-keys:read";
    /// Make API keys.
    ApiKeysCreate = "api-keys:create";
    /// Revoke API keys.
    ApiKeysDelete = "api-keys:delete";
    /// Read traces and spans.
    TracesRead = "traces:read";
}

/// What a built-in role may do; nothing for roles that organisations made.
#[must_use]
pub fn granted(role: &Role) -> &'static [Permission] {
    use Permission as P;
    match role {
        Role::Owner | Role::Admin => P::ALL,
        Role::Developer => &[P::OrganizationsRead, P::ProjectsRead, P::ApiKeysRead, P::ApiKeysCreate, P::ApiKeysDelete, P::TracesRead],
        Role::Viewer => &[P::OrganizationsRead, P::ProjectsRead, P::TracesRead],
        Role::Custom(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_stands() {
        let table: Vec<String> = ["owner", "admin", "developer", "viewer", "auditor"]
            .iter()
            .map(|role| {
                let names: Vec<_> = granted(&Role::from(*role)).iter().map(|permission| permission.name()).collect();
                format!("{role}: {}", names.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        owner: organizations:read projects:read api-keys:read api-keys:create api-keys:delete traces:read
        admin: organizations:read projects:read api-keys:read api-keys:create api-keys:delete traces:read
        developer: organizations:read projects:read api-keys:read api-keys:create api-keys:delete traces:read
        viewer: organizations:read projects:read traces:read
        auditor:
        ");
    }
}
