//! People: who they are and how they are found. What they may do is a matter of organisations and of `auth`.

mod entity;
mod error;
pub mod http;
mod model;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use model::{Email, NewUser, PasswordHash, ProfileChange, Standing, User, UserView};
pub use service::Users;
