//! Running the installation: its people, its organisations, its settings, its jobs and mail. Platform administrators see who is
//! there and how much, never what belongs to a tenant.

mod error;
pub mod http;
mod operations;
mod organizations;
mod store;
#[cfg(test)]
mod tests;
mod users;

pub use error::Error;
pub use operations::Operations;
pub use organizations::OrganizationAdministration;
pub use users::{Change, NewAccount, UserAdministration};
