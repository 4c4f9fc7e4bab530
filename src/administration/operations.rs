//! Jobs, schedules and mail in the hands of those who run the installation.

use serde_json::json;

use super::Error;
use crate::audit::{Audit, By, Event};
use crate::common::id::{JobId, MailId};
use crate::infra::db::Database;
use crate::infra::jobs::{Change, Filter, Jobs, StoredJob, StoredSchedule, Summary};
use crate::infra::mail::{MailChange, MailStatus, Mailer, StoredMail, Template};

/// Looks at background work and steps in; a clone shares everything.
#[derive(Debug, Clone)]
pub struct Operations {
    db: Database,
    jobs: Jobs,
    mailer: Mailer,
    audit: Audit,
}

impl Operations {
    /// The operations on what `jobs` and `mailer` keep in `db`.
    pub fn new(db: Database, jobs: Jobs, mailer: Mailer, audit: Audit) -> Self {
        Self { db, jobs, mailer, audit }
    }

    /// Jobs, newest first, beginning below `before`.
    pub async fn jobs(&self, filter: &Filter, before: Option<JobId>, limit: u64) -> Result<Vec<StoredJob>, Error> {
        Ok(self.jobs.list(filter, before, limit).await?)
    }

    /// The queue at a glance.
    pub async fn summary(&self) -> Result<Summary, Error> {
        Ok(self.jobs.summary().await?)
    }

    /// A job.
    pub async fn job(&self, id: JobId) -> Result<StoredJob, Error> {
        self.jobs.find(id).await?.ok_or(Error::JobNotFound)
    }

    /// Tries a job again that ended badly, or tries one now that waits.
    pub async fn retry_job(&self, by: &By, id: JobId) -> Result<StoredJob, Error> {
        let txn = self.db.begin().await?;
        let before = match self.jobs.retry(&txn, id).await {
            Ok(Change::Made(before)) => before,
            Ok(Change::Missing) => return Err(Error::JobNotFound),
            Ok(Change::Refused(job)) => return Err(Error::NotRetried(job.status)),
            Err(error) if error.is_duplicate() => return Err(Error::SameKeyOpen),
            Err(error) => return Err(error.into()),
        };
        self.audit.record(&txn, by, about_job("job.retry", &before)).await?;
        txn.commit().await?;
        self.jobs.wake();
        self.job(id).await
    }

    /// Stops a job.
    pub async fn cancel_job(&self, by: &By, id: JobId) -> Result<StoredJob, Error> {
        let txn = self.db.begin().await?;
        let before = match self.jobs.cancel(&txn, id).await? {
            Change::Made(before) => before,
            Change::Missing => return Err(Error::JobNotFound),
            Change::Refused(job) => return Err(Error::NotCancelled(job.status)),
        };
        self.audit.record(&txn, by, about_job("job.cancel", &before)).await?;
        txn.commit().await?;
        self.jobs.tell_change(&id.to_string());
        self.job(id).await
    }

    /// What is done again and again.
    pub async fn schedules(&self) -> Result<Vec<StoredSchedule>, Error> {
        Ok(self.jobs.schedules().await?)
    }

    /// Lets a schedule tick now, beside its times.
    pub async fn run_schedule(&self, by: &By, name: &str) -> Result<StoredSchedule, Error> {
        let txn = self.db.begin().await?;
        if !self.jobs.run_schedule(&txn, name).await? {
            return Err(Error::ScheduleNotFound);
        }
        let schedule = self.jobs.schedule(&txn, name).await?.ok_or(Error::ScheduleNotFound)?;
        self.audit.record(&txn, by, Event::new("schedule.run", "schedule", name).named(name)).await?;
        txn.commit().await?;
        self.jobs.tell_change(name);
        Ok(schedule)
    }

    /// Mail, newest first, beginning below `before`.
    pub async fn mails(&self, status: Option<MailStatus>, before: Option<MailId>, limit: u64) -> Result<Vec<StoredMail>, Error> {
        Ok(self.mailer.list(status, before, limit).await?)
    }

    /// A mail with its text.
    pub async fn mail(&self, id: MailId) -> Result<StoredMail, Error> {
        self.mailer.find(id).await?.ok_or(Error::MailNotFound)
    }

    /// Somebody reads a mail. Where mail is delivered, a text with a link that only its recipient should use stays hidden: an
    /// administrator would be in their account with it.
    pub async fn read_mail(&self, by: &By, id: MailId) -> Result<StoredMail, Error> {
        let mut mail = self.mail(id).await?;
        if self.mailer.delivers() && Template::is_secret(&mail.template) {
            (mail.text, mail.html) = (String::new(), String::new());
        }
        let txn = self.db.begin().await?;
        self.audit.record(&txn, by, about_mail("mail.read", &mail)).await?;
        txn.commit().await?;
        Ok(mail)
    }

    /// Sends a mail again that failed or was kept.
    pub async fn retry_mail(&self, by: &By, id: MailId) -> Result<StoredMail, Error> {
        let txn = self.db.begin().await?;
        let before = match self.mailer.retry(&txn, id).await? {
            MailChange::Made(before) => before,
            MailChange::Missing => return Err(Error::MailNotFound),
            MailChange::Refused(mail) => return Err(Error::NotSentAgain(mail.status)),
        };
        if !self.mailer.delivers() {
            return Err(Error::NoMailServer);
        }
        self.audit.record(&txn, by, about_mail("mail.retry", &before)).await?;
        txn.commit().await?;
        self.mailer.wake();
        self.mail(id).await
    }
}

fn about_job(action: &'static str, job: &StoredJob) -> Event {
    let event = Event::new(action, "job", job.id).named(job.kind.clone()).change(json!({"status": job.status}), None);
    if let Some(organization) = job.organization_id { event.in_organization(organization) } else { event }
}

fn about_mail(action: &'static str, mail: &StoredMail) -> Event {
    Event::new(action, "mail", mail.id).named(mail.template.clone()).change(json!({"status": mail.status}), None)
}
