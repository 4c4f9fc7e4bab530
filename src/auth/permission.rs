//! What can be permitted, and to whom.
//!
//! A handler states what it needs as a type in its signature (`ProjectAccess<TracesRead>`), so that no handler can forget to
//! ask. The names are the predecessor's, `resource:action`.

use std::marker::PhantomData;

use crate::organization::Role;

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)+) => {
        /// An action on a kind of thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[doc = $doc])* $name,)+
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

            /// What it lets one do.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*).trim_start(),)+
                }
            }
        }

        $(
            $(#[doc = $doc])*
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
    /// Whether it is also given in what was archived, where otherwise only reading is.
    const EVEN_ARCHIVED: bool = false;
}

/// The permission `P`, also in what was archived: for what brings it back, does away with it, or takes something out of it.
#[derive(Debug, Clone, Copy)]
pub struct EvenArchived<P>(PhantomData<P>);

impl<P: Required> Required for EvenArchived<P> {
    const PERMISSION: Permission = P::PERMISSION;
    const EVEN_ARCHIVED: bool = true;
}

impl Permission {
    /// Whether it lets one look and nothing else.
    #[must_use]
    pub fn only_reads(self) -> bool {
        self.name().ends_with(":read") || self.name().ends_with(":export")
    }
}

permissions! {
    /// See an organisation.
    OrganizationsRead = "organizations:read";
    /// Rename an organisation.
    OrganizationsWrite = "organizations:write";
    /// Delete an organisation, and restore it.
    OrganizationsDelete = "organizations:delete";
    /// Archive an organisation and hand its ownership on.
    OrganizationsAdmin = "organizations:admin";
    /// See who is a member.
    MembersRead = "members:read";
    /// Invite people.
    MembersInvite = "members:invite";
    /// Change members' roles.
    MembersUpdate = "members:update";
    /// Remove members.
    MembersRemove = "members:remove";
    /// Suspend members, and let them in again.
    MembersSuspend = "members:suspend";
    /// See bills.
    BillingRead = "billing:read";
    /// Change how bills are paid.
    BillingManage = "billing:manage";
    /// Export bills.
    BillingExport = "billing:export";
    /// Change contracts.
    BillingAdmin = "billing:admin";
    /// See settings.
    SettingsRead = "settings:read";
    /// Change settings.
    SettingsWrite = "settings:write";
    /// Export settings.
    SettingsExport = "settings:export";
    /// Import settings.
    SettingsImport = "settings:import";
    /// Change settings that decide who gets in.
    SettingsSecurity = "settings:security";
    /// Change settings that cost money.
    SettingsAdmin = "settings:admin";
    /// See roles.
    RolesRead = "roles:read";
    /// Define roles.
    RolesWrite = "roles:write";
    /// Delete roles.
    RolesDelete = "roles:delete";
    /// Assign roles.
    RolesAssign = "roles:assign";
    /// See what permissions there are.
    PermissionsRead = "permissions:read";
    /// See a project.
    ProjectsRead = "projects:read";
    /// Make, rename and archive projects.
    ProjectsWrite = "projects:write";
    /// Delete projects, and restore them.
    ProjectsDelete = "projects:delete";
    /// Say who is what in a project.
    ProjectsAdmin = "projects:admin";
    /// See the API keys of a project (never the keys themselves).
    ApiKeysRead = "api-keys:read";
    /// Make API keys.
    ApiKeysCreate = "api-keys:create";
    /// Rename and rotate API keys.
    ApiKeysUpdate = "api-keys:update";
    /// Revoke API keys.
    ApiKeysDelete = "api-keys:delete";
    /// See which credentials of providers are stored (never the credentials themselves).
    CredentialsRead = "credentials:read";
    /// Store and remove credentials of providers.
    CredentialsWrite = "credentials:write";
    /// See integrations.
    IntegrationsRead = "integrations:read";
    /// Set integrations up.
    IntegrationsConfigure = "integrations:configure";
    /// Remove integrations.
    IntegrationsDelete = "integrations:delete";
    /// Read the audit log.
    AuditLogsRead = "audit-logs:read";
    /// Export the audit log.
    AuditLogsExport = "audit-logs:export";
    /// See webhooks.
    WebhooksRead = "webhooks:read";
    /// Make webhooks.
    WebhooksCreate = "webhooks:create";
    /// Change webhooks.
    WebhooksUpdate = "webhooks:update";
    /// Remove webhooks.
    WebhooksDelete = "webhooks:delete";
    /// See notifications.
    NotificationsRead = "notifications:read";
    /// Say who is notified of what.
    NotificationsConfigure = "notifications:configure";
    /// Read traces and spans.
    TracesRead = "traces:read";
    /// Add traces by hand.
    TracesCreate = "traces:create";
    /// Delete traces.
    TracesDelete = "traces:delete";
    /// Export traces.
    TracesExport = "traces:export";
    /// Share traces with people outside.
    TracesShare = "traces:share";
    /// See figures.
    AnalyticsRead = "analytics:read";
    /// Export figures.
    AnalyticsExport = "analytics:export";
    /// Make dashboards.
    AnalyticsDashboards = "analytics:dashboards";
    /// Change the dashboards of others.
    AnalyticsAdmin = "analytics:admin";
    /// See models and their prices.
    ModelsRead = "models:read";
    /// Set prices.
    ModelsConfigure = "models:configure";
    /// Price anew what is stored.
    ModelsAdmin = "models:admin";
    /// See providers.
    ProvidersRead = "providers:read";
    /// Set providers up.
    ProvidersConfigure = "providers:configure";
    /// See costs.
    CostsRead = "costs:read";
    /// Export costs.
    CostsExport = "costs:export";
    /// Read prompts.
    PromptsRead = "prompts:read";
    /// Make prompts.
    PromptsCreate = "prompts:create";
    /// Change prompts.
    PromptsUpdate = "prompts:update";
    /// Delete prompts.
    PromptsDelete = "prompts:delete";
}

/// What only an owner may do.
const OWNER_ONLY: &[Permission] = &[Permission::OrganizationsDelete, Permission::OrganizationsAdmin];

/// What everybody may do who is in at all.
const VIEWER: &[Permission] = {
    use Permission as P;
    &[
        P::OrganizationsRead,
        P::MembersRead,
        P::SettingsRead,
        P::RolesRead,
        P::PermissionsRead,
        P::ProjectsRead,
        P::IntegrationsRead,
        P::NotificationsRead,
        P::TracesRead,
        P::AnalyticsRead,
        P::ModelsRead,
        P::ProvidersRead,
        P::CostsRead,
        P::PromptsRead,
    ]
};

/// What somebody may do beyond [`VIEWER`] who builds with it.
const DEVELOPER: &[Permission] = {
    use Permission as P;
    &[
        P::ApiKeysRead,
        P::ApiKeysCreate,
        P::ApiKeysUpdate,
        P::ApiKeysDelete,
        P::CredentialsRead,
        P::WebhooksRead,
        P::WebhooksCreate,
        P::WebhooksUpdate,
        P::WebhooksDelete,
        P::NotificationsConfigure,
        P::TracesCreate,
        P::TracesExport,
        P::TracesShare,
        P::AnalyticsExport,
        P::AnalyticsDashboards,
        P::PromptsCreate,
        P::PromptsUpdate,
        P::PromptsDelete,
    ]
};

/// Whether a built-in role includes `permission`; roles that somebody defined include nothing here.
#[must_use]
pub fn grants(role: &Role, permission: Permission) -> bool {
    match role {
        Role::Owner => true,
        Role::Admin => !OWNER_ONLY.contains(&permission),
        Role::Developer => VIEWER.contains(&permission) || DEVELOPER.contains(&permission),
        Role::Viewer => VIEWER.contains(&permission),
        Role::None | Role::Custom(_) => false,
    }
}

/// What a built-in role may do, in the order of [`Permission::ALL`].
#[must_use]
pub fn granted(role: &Role) -> Vec<Permission> {
    Permission::ALL.iter().copied().filter(|permission| grants(role, *permission)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_stands() {
        let table: Vec<String> = ["owner", "admin", "developer", "viewer", "none", "auditor"]
            .iter()
            .map(|role| {
                let names: Vec<_> = granted(&Role::from(*role)).iter().map(|permission| permission.name()).collect();
                format!("{role} ({}): {}", names.len(), names.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn each_role_includes_the_one_below() {
        let roles = [Role::Owner, Role::Admin, Role::Developer, Role::Viewer, Role::None];
        for pair in roles.windows(2) {
            let (above, below) = (granted(&pair[0]), granted(&pair[1]));
            assert!(below.iter().all(|permission| above.contains(permission)), "{pair:?}");
            assert!(above.len() > below.len(), "{pair:?}");
        }
    }
}
