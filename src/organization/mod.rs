//! Tenants: organisations, their members, their projects.
//!
//! Every row of a tenant is reached through a starter that takes the scope (`Project::in_org`, `Project::of_member`): a query
//! that forgets the tenant cannot be written outside `store.rs`.

pub mod analytics;
pub mod compliance;
mod entity;
mod error;
mod invitation;
pub mod license;
mod model;
mod role;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use invitation::{Invitations, OpenInvitation};
pub use model::{Name, Organization, OrganizationAccess, Project, ProjectAccess, composite_slug, slug};
pub use role::Role;
pub use service::Directory;
