//! Putting mail into the outbox.

use sea_orm::ConnectionTrait;

use super::entity::mail_outbox::Model;
use super::{Template, store};
use crate::common::clock::SharedClock;
use crate::common::id::MailId;
use crate::error::{Code, Coded};
use crate::infra::db::{self, stored};
use crate::infra::jobs::Jobs;

/// A mail that could not be put into the outbox.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a mail cannot be written: {0}")]
    Render(String),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Render(_) => Code::Internal,
            Self::Database(error) => error.code(),
        }
    }
}

/// Writes mail; a clone shares everything.
#[derive(Clone)]
pub struct Mailer {
    jobs: Jobs,
    clock: SharedClock,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

impl Mailer {
    /// Mail is sent by a job of `jobs`.
    pub fn new(jobs: Jobs, clock: SharedClock) -> Self {
        Self { jobs, clock }
    }

    /// Writes a mail as part of the caller's transaction; it leaves once that is committed. Call [`Mailer::wake`] then.
    ///
    /// # Errors
    /// When its text cannot be made, or the database fails.
    pub async fn send(&self, txn: &impl ConnectionTrait, to: &str, template: &Template) -> Result<MailId, Error> {
        let now = stored(self.clock.now());
        let row = Model {
            id: MailId::fresh(),
            recipient: to.to_owned(),
            template: template.name().to_owned(),
            subject: template.name().to_owned(),
            text: serde_json::to_string(template).map_err(|error| Error::Render(error.to_string()))?,
            html: String::new(),
            status: "queued".to_owned(),
            last_error: None,
            created_at: now,
            updated_at: now,
            sent_at: None,
        };
        let id = row.id;
        store::insert(txn, row).await?;
        Ok(id)
    }

    /// Whether mail leaves the installation.
    pub fn delivers(&self) -> bool {
        false
    }

    /// Tells the runners that there is mail to send.
    pub fn wake(&self) {
        self.jobs.wake();
    }
}
