//! Tenants: organisations, their members, their projects.
//!
//! Every row of a tenant is reached through a starter that takes the scope (`Project::in_org`, `Project::of_member`): a query
//! that forgets the tenant cannot be written outside `store.rs`.

pub mod analytics;
mod entity;
mod error;
pub mod http;
pub mod invitation;
pub mod license;
mod members;
mod model;
mod organizations;
mod projects;
mod role;
mod service;
mod store;
#[cfg(test)]
pub(crate) mod tests;

pub use error::Error;
pub use invitation::{Invitations, OpenInvitation};
pub use members::{DefinedRole, Member, ProjectRole};
pub use model::{
    Archived, Name, Organization, OrganizationAccess, OrganizationStanding, Project, ProjectAccess, TenantStatus, composite_slug, slug,
};
pub use organizations::{OrganizationOverview, Organizations};
pub use projects::{ProjectChange, ProjectMember, Projects};
pub use role::Role;
pub use service::Directory;
