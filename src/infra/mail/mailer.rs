//! Putting mail into the outbox.

use sea_orm::ConnectionTrait;

use super::entity::mail_outbox::Model;
use super::{MailStatus, SendMail, Template, render, store};
use crate::common::clock::SharedClock;
use crate::common::id::MailId;
use crate::error::{Code, Coded};
use crate::infra::db::{self, stored};
use crate::infra::jobs::{Jobs, Queued};

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

    fn retry_after(&self) -> Option<u32> {
        if let Self::Database(error) = self { error.retry_after() } else { None }
    }
}

/// Writes mail; a clone shares everything.
#[derive(Clone)]
pub struct Mailer {
    jobs: Jobs,
    clock: SharedClock,
    delivers: bool,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("delivers", &self.delivers).finish_non_exhaustive()
    }
}

impl Mailer {
    /// Mail is sent by a job of `jobs`.
    pub fn new(jobs: Jobs, clock: SharedClock) -> Self {
        Self { jobs, clock, delivers: false }
    }

    /// Whether there is a mail server.
    #[must_use]
    pub fn delivering(self, delivers: bool) -> Self {
        Self { delivers, ..self }
    }

    /// Whether mail reaches people; without a mail server it stays in the outbox, for operators to read.
    #[must_use]
    pub fn delivers(&self) -> bool {
        self.delivers
    }

    /// Writes a mail as part of the caller's transaction; it leaves once that is committed. Call [`Mailer::wake`] then.
    ///
    /// # Errors
    /// When its text cannot be made, or the database fails.
    pub async fn send(&self, txn: &impl ConnectionTrait, to: &str, template: &Template) -> Result<MailId, Error> {
        let text = render::render(template).map_err(|error| Error::Render(format!("{error:#}")))?;
        let now = stored(self.clock.now());
        let row = Model {
            id: MailId::fresh(),
            recipient: to.to_owned(),
            template: template.name().to_owned(),
            subject: text.subject,
            text: text.plain,
            html: text.html,
            status: MailStatus::Queued.name().to_owned(),
            last_error: None,
            created_at: now,
            updated_at: now,
            sent_at: None,
        };
        let id = row.id;
        store::insert(txn, row).await?;
        self.jobs.enqueue(txn, &SendMail { mail: id }, Queued::default()).await?;
        Ok(id)
    }

    /// Tells the runners that there is mail to send.
    pub fn wake(&self) {
        self.jobs.wake();
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    pub(super) fn clock(&self) -> &SharedClock {
        &self.clock
    }
}
