//! Mail: written to the outbox in the transaction of the change that sends it, and sent by a job.

mod entity;
mod mailer;
mod store;
mod template;

pub use mailer::{Error, Mailer};
pub use template::Template;
