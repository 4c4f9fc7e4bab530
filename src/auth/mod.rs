//! Who is calling, and may they: passwords, sessions, API keys, permissions.
//!
//! Two ways in. SDKs send an API key, which stands for a project; it is looked up once and then kept in memory until it expires
//! there or is revoked. People sign in and get an access token of 15 minutes, with a refresh token that changes at each use.

mod api_key;
mod authorizer;
mod cache;
mod entity;
mod error;
pub mod http;
pub mod key_scope;
mod password;
pub mod permission;
pub mod rbac;
mod revocation;
mod secret;
mod session;
pub mod sso;
mod store;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod token;

pub use api_key::{ApiKeyView, ApiKeys, KeyContext, NewKey};
pub use authorizer::{Authorizer, Decision, Resource, Subject};
pub use error::Error;
pub use key_scope::{KeyScope, KeyScopes};
pub use password::Passwords;
pub use permission::Permission;
pub use revocation::{Revocations, Revoked};
pub use secret::{KeyHash, SecretKey, random_password};
pub use session::{Device, Sessions, SignedIn, UserContext};
pub use token::TokenSettings;
