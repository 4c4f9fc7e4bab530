//! The audit log: who did what, on what, from where, and how it ended; written in the transaction of the change itself.

pub mod compliance;
mod entity;
mod event;
mod export;
pub mod http;
mod reader;
mod recorder;
mod store;
#[cfg(test)]
mod tests;

pub use event::{Actor, By, Event, Outcome, Target};
pub use export::Format;
pub use reader::{AuditFilter, AuditLine};
pub use recorder::Audit;
