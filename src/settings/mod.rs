//! Typed settings: what people may change while the program runs. (What a process needs to start is configuration.)
//!
//! A setting has a default; the installation, an organisation and a project may each set another value, and the nearest one
//! counts.

mod definitions;
mod entity;
mod error;
mod service;
mod store;

pub use definitions::{OrganizationCreation, SignUp, SignUpDomains, SignUpMode};
pub use error::Error;
pub use service::{Level, Scope, Setting, Settings};
