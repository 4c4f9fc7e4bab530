//! Who is calling, and may they: passwords, sessions, API keys, permissions.
//!
//! Two ways in. SDKs send an API key, which stands for a project; it is looked up once and then kept in memory until it expires
//! there or is revoked. People sign in and get an access token of 15 minutes, with a refresh token that changes at each use.

mod account;
mod api_key;
mod attempts;
mod authorizer;
mod basis;
mod entity;
mod error;
mod even;
pub mod http;
pub mod key_scope;
mod keys;
mod mail_token;
mod password;
pub mod permission;
pub mod rbac;
mod revocation;
mod second_factor;
mod secret;
mod session;
mod sign_in;
pub mod sso;
mod store;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod token;

use crate::infra::cache;

pub use account::{Accounts, NewAccount, SignedUp};
pub use api_key::{ApiKeyView, ApiKeys, KeyContext, NewKey};
pub use attempts::{Attempts, Limit, LoginLimits, account_subject, at_prefix, clear as clear_attempts};
pub use authorizer::{Authorizer, Decision, Resource, Subject};
pub use basis::{Basis, Links};
pub use error::Error;
pub use key_scope::{KeyScope, KeyScopes};
pub use keys::{KeyError, SigningKeys};
pub use mail_token::withdraw_resets;
pub use password::{LONGEST, Passwords, SHORTEST};
pub use permission::Permission;
pub use revocation::{Revocations, Revoked};
pub use second_factor::{Proof, SecondFactorSetup, SecondFactorView, SecondFactors};
pub use secret::{KeyHash, SecretKey, random_password};
pub use session::{Device, SessionView, Sessions, SignedIn, UserContext, end_sessions};
pub use token::TokenSettings;
