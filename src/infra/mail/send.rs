//! The job that sends a mail.

use serde::{Deserialize, Serialize};

use super::smtp::Refusal;
use super::{MailStatus, Smtp, store};
use crate::common::clock::SharedClock;
use crate::common::id::MailId;
use crate::error::chain;
use crate::infra::db::Database;
use crate::infra::jobs::{Failure, Job, Running};

/// What sending needs.
#[derive(Clone)]
pub struct Post {
    db: Database,
    clock: SharedClock,
    smtp: Option<Smtp>,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("smtp", &self.smtp).finish_non_exhaustive()
    }
}

impl Post {
    /// Sends what is in the outbox of `db`; without a mail server it stays there.
    pub fn new(db: Database, clock: SharedClock, smtp: Option<Smtp>) -> Self {
        Self { db, clock, smtp }
    }

    async fn note(&self, mail: MailId, status: MailStatus, error: Option<String>) -> Result<(), Failure> {
        store::update_status(self.db.writer(), mail, status, error, self.clock.now()).await.map_err(|error| Failure::retry(chain(&error)))
    }
}

/// Sends a mail of the outbox. Holds its id alone: the text has links in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendMail {
    pub mail: MailId,
}

impl Job for SendMail {
    const KIND: &'static str = "send_mail";
    /// Some five hours: a mail server may be away for a while.
    const ATTEMPTS: u32 = 16;
    /// Somebody waits for it.
    const PRIORITY: i32 = 10;
    type Context = Post;

    fn key(&self) -> Option<String> {
        Some(self.mail.to_string())
    }

    async fn run(&self, post: &Post, running: &Running) -> Result<(), Failure> {
        let found = store::find(post.db.conn(), self.mail).await.map_err(|error| Failure::retry(chain(&error)))?;
        let Some(mail) = found else { return Err(Failure::Fatal("the mail is not in the outbox any more".to_owned())) };
        if mail.status == MailStatus::Sent.name() {
            return Ok(());
        }
        let Some(smtp) = &post.smtp else {
            post.note(mail.id, MailStatus::Kept, None).await?;
            tracing::info!(mail = %mail.id, template = mail.template, "no mail server is set: a mail is kept in the outbox (`brokle mail show`)");
            return Ok(());
        };
        match smtp.send(&mail, post.clock.now()).await {
            Ok(()) => post.note(mail.id, MailStatus::Sent, None).await,
            Err(Refusal::Permanent(reason)) => {
                post.note(mail.id, MailStatus::Failed, Some(reason.clone())).await?;
                Err(Failure::Fatal(reason))
            }
            Err(Refusal::Temporary(reason)) => {
                let status = if running.is_last_attempt() { MailStatus::Failed } else { MailStatus::Queued };
                post.note(mail.id, status, Some(reason.clone())).await?;
                Err(Failure::retry(reason))
            }
        }
    }
}
