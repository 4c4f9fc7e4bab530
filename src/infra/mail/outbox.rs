//! What operators see of the outbox and change in it.

use std::str::FromStr;

use sea_orm::ConnectionTrait;

use super::{Mailer, SendMail, StoredMail, store};
use crate::common::id::MailId;
use crate::infra::db::Error;
use crate::infra::jobs::Queued;

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStatus {
    /// Waits to be sent, or to be sent again.
    Queued,
    /// The mail server has taken it.
    Sent,
    /// There is no mail server: it stays here to be read.
    Kept,
    /// The mail server refused it, or never took it.
    Failed,
}

impl MailStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sent, Self::Kept, Self::Failed];

    /// As stored in `mail_outbox.status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Kept => "kept",
            Self::Failed => "failed",
        }
    }
}

/// A status that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the status of a mail is queued, sent, kept or failed")]
pub struct UnknownMailStatus;

impl FromStr for MailStatus {
    type Err = UnknownMailStatus;

    fn from_str(text: &str) -> Result<Self, UnknownMailStatus> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(UnknownMailStatus)
    }
}

/// What became of the wish to send a mail again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailChange {
    /// Done; the mail before.
    Made(StoredMail),
    /// There is no such mail.
    Missing,
    /// Its status does not allow it.
    Refused(StoredMail),
}

impl Mailer {
    /// Mail, newest first, beginning below `before`.
    pub async fn list(&self, status: Option<MailStatus>, before: Option<MailId>, limit: u64) -> Result<Vec<StoredMail>, Error> {
        store::list(self.jobs().database().conn(), status, before, limit).await
    }

    /// A mail with its text.
    pub async fn find(&self, id: MailId) -> Result<Option<StoredMail>, Error> {
        store::find(self.jobs().database().conn(), id).await
    }

    /// How many mails have this status.
    pub async fn count(&self, status: MailStatus) -> Result<u64, Error> {
        store::count(self.jobs().database().conn(), status).await
    }

    /// Sends a mail again that failed or was kept. Call [`Mailer::wake`] after the commit.
    pub async fn retry(&self, txn: &impl ConnectionTrait, id: MailId) -> Result<MailChange, Error> {
        let Some(mail) = store::find(txn, id).await? else { return Ok(MailChange::Missing) };
        let open = [MailStatus::Failed, MailStatus::Kept, MailStatus::Queued].map(MailStatus::name);
        if !open.contains(&mail.status.as_str()) || mail.text.is_empty() {
            return Ok(MailChange::Refused(mail));
        }
        store::update_status(txn, id, MailStatus::Queued, None, self.clock().now()).await?;
        self.jobs().enqueue(txn, &SendMail { mail: id }, Queued::default()).await?;
        Ok(MailChange::Made(mail))
    }
}
