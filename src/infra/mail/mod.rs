//! Mail: written to the outbox in the transaction of the change that sends it, and sent by a job.
//!
//! Texts hold links that work once, so they stand in the outbox and nowhere else: no job, no log, no audit line.

mod entity;
mod mailer;
mod outbox;
mod prune;
mod render;
mod send;
mod smtp;
mod store;
mod template;
#[cfg(test)]
mod tests;

pub use entity::mail_outbox::Model as StoredMail;
pub use mailer::{Error, Mailer};
pub use outbox::{MailChange, MailStatus, UnknownMailStatus};
pub use prune::PruneMail;
pub use send::{Post, SendMail};
pub use smtp::Smtp;
pub use template::Template;
