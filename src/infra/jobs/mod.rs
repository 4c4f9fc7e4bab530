//! The one durable queue of the product.
//!
//! A job is a row of the relational database, put there in the transaction of the change that needs it: it is run if and only if
//! that change was made. A runner takes a job by a lease and renews it while it works; a job whose runner died is taken by
//! another. So a job may be run more than once, and must not mind.

mod entity;
mod job;
mod queue;
mod store;

pub use job::{Failure, Job};
pub use queue::{Jobs, Queued};
