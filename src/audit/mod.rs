//! The audit log: who did what, on what, from where, and how it ended; written in the transaction of the change itself.

mod entity;
mod event;
mod recorder;
mod store;

pub use event::{Actor, By, Event, Outcome, Target};
pub use recorder::Audit;
