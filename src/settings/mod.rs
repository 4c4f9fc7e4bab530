//! Typed settings: what people may change while the program runs. (What a process needs to start is configuration.)
//!
//! A setting has a default; the installation, an organisation and a project may each set another value, and the nearest one
//! counts. Values are kept in memory: a change is told to every process, and none keeps a value longer than a second unasked.

mod change;
mod definitions;
mod entity;
mod error;
pub mod http;
mod scope;
mod service;
mod setting;
mod store;
#[cfg(test)]
mod tests;

pub use change::{AnyValue, ChangeView, Source, View};
pub use definitions::{OrganizationCreation, RequestsPerKey, RequestsPerUser, SignUp, SignUpDomains, SignUpMode};
pub use error::Error;
pub use scope::{Level, Scope};
pub use service::Settings;
pub use setting::{Definition, Guard, Kind, Setting, SettingValue};
