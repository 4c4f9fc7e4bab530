//! The one durable queue of the product.
//!
//! A job is a row of the relational database, put there in the transaction of the change that needs it: it is run if and only if
//! that change was made. A runner takes a job by a lease and renews it while it works; a job whose runner died is taken by
//! another. So a job may be run more than once, and must not mind.

mod entity;
mod inspect;
mod job;
mod prune;
mod queue;
mod registry;
mod runner;
mod running;
mod store;
#[cfg(test)]
mod tests;

pub use inspect::{Change, Count, Filter, Summary};
pub use job::{Failure, Job, Status};
pub use prune::PruneJobs;
pub use queue::{Jobs, Queued};
pub use registry::{BadCron, Registry};
pub use runner::{Dispatcher, Runner, Settings, Slot};
pub use running::Running;

pub use entity::job_schedules::Model as StoredSchedule;
pub use entity::jobs::Model as StoredJob;
