//! Asking for re-pricings, looking at them, cancelling them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::job::{RepriceSpans, Saved};
use super::{Mode, RepricingResult, State};
use crate::audit::{Audit, By, Event};
use crate::common::clock::SharedClock;
use crate::common::id::{JobId, OrganizationId, ProjectId, RepricingId};
use crate::common::time;
use crate::infra::db::{self, Database, stored};
use crate::infra::jobs::{Change, Jobs, Queued, Status};
use crate::observability::convert::provider::normalise_provider;
use crate::observability::prices::Error;
use crate::observability::prices::model::UpdatedBy;
use crate::observability::prices::store::{self as rows, repricings as store};
use crate::observability::store::Priceable;

/// Re-pricings that a list shows.
const LISTED: u64 = 50;

/// A model that is priced anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepricingModel {
    /// Left out: at any provider. Empty: of spans that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// As the spans name it.
    pub model: String,
}

/// How far a re-pricing is, in spans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RepricingProgress {
    pub done: i64,
    /// Null until it is known.
    pub total: Option<i64>,
}

/// A re-pricing of stored spans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Repricing {
    #[schema(value_type = String)]
    pub id: RepricingId,
    pub mode: Mode,
    pub state: State,
    /// RFC 3339, inclusive; null: since ever.
    pub start_time: Option<String>,
    /// RFC 3339, exclusive; null: for ever.
    pub end_time: Option<String>,
    /// Empty: all.
    pub models: Vec<RepricingModel>,
    pub progress: RepricingProgress,
    /// What was counted so far; null before the first page. Final when `state` is `done`.
    pub result: Option<RepricingResult>,
    /// Why it failed.
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    pub created_by: Option<UpdatedBy>,
}

/// A re-pricing to be made.
#[derive(Debug, Clone)]
pub struct NewRepricing {
    pub mode: Mode,
    /// Nanoseconds since the epoch.
    pub from: Option<i64>,
    pub to: Option<i64>,
    pub models: Vec<RepricingModel>,
}

/// The re-pricings of the installation; a clone shares everything.
#[derive(Clone)]
pub struct Repricings {
    db: Database,
    clock: SharedClock,
    audit: Audit,
    jobs: Jobs,
}

impl std::fmt::Debug for Repricings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repricings").finish_non_exhaustive()
    }
}

/// The spans that a row of `repricings` means.
pub(super) fn which(row: &store::RepricingRow) -> Result<Priceable, serde_json::Error> {
    let models: Vec<RepricingModel> = serde_json::from_str(&row.models)?;
    let models = models.into_iter().map(|of| (of.provider, of.model)).collect();
    Ok(Priceable { from: row.start_ns, to: row.end_ns, models })
}

impl Repricings {
    /// Re-pricings kept in `db` and done by `jobs`.
    pub fn new(db: Database, clock: SharedClock, audit: Audit, jobs: Jobs) -> Self {
        Self { db, clock, audit, jobs }
    }

    /// Asks for a re-pricing. One at a time changes the spans of a project.
    ///
    /// # Errors
    /// [`Error::RepricingRunning`].
    pub async fn create(&self, by: &By, organization: OrganizationId, project: ProjectId, new: NewRepricing) -> Result<Repricing, Error> {
        let (txn, now, id) = (self.db.begin().await?, stored(self.clock.now()), RepricingId::fresh());
        // Previews change nothing, so of them there may be several.
        let key = match new.mode {
            Mode::Apply => format!("apply:{project}"),
            Mode::Preview => format!("preview:{id}"),
        };
        let models: Vec<RepricingModel> = new
            .models
            .into_iter()
            .map(|of| RepricingModel { provider: of.provider.map(|name| normalise_provider(&name).into_owned()), model: of.model })
            .collect();
        let job = RepriceSpans { repricing: id, key };
        let queued = Queued { organization: Some(organization), ..Queued::default() };
        let Some(job_id) = self.jobs.enqueue(&txn, &job, queued).await? else {
            let running = store::find_last_apply(&txn, project).await?;
            return Err(Error::RepricingRunning(running.map(|row| row.id)));
        };
        let row = store::RepricingRow {
            id,
            organization_id: organization,
            project_id: project,
            job_id,
            mode: new.mode.name().to_owned(),
            state: State::Queued.name().to_owned(),
            start_ns: new.from.map(|time| time.max(0)),
            end_ns: new.to,
            models: serde_json::to_string(&models)?,
            cancel_requested: false,
            run: 0,
            progress_done: 0,
            progress_total: None,
            saved: None,
            error: None,
            created_by: by.user_id(),
            created_at: now,
            updated_at: now,
            finished_at: None,
        };
        store::insert(&txn, row.clone()).await?;
        let about = json!({
            "mode": new.mode, "start_time": row.start_ns.map(time::rfc3339), "end_time": row.end_ns.map(time::rfc3339), "models": models,
        });
        let event = Event::new("repricing.create", "repricing", id).in_project(organization, project).change(None, about);
        self.audit.record(&txn, by, event).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.jobs.wake();
        self.view(row).await
    }

    /// The newest of a project.
    pub async fn list(&self, project: ProjectId) -> Result<Vec<Repricing>, Error> {
        self.views(store::list(self.db.conn(), project, LISTED).await?).await
    }

    /// One of a project.
    ///
    /// # Errors
    /// [`Error::RepricingNotFound`].
    pub async fn get(&self, project: ProjectId, id: RepricingId) -> Result<Repricing, Error> {
        let row = store::find(self.db.writer(), project, id).await?.ok_or(Error::RepricingNotFound)?;
        self.view(row).await
    }

    /// Stops one: what was priced anew stays, the rest is left as it is. One that has begun ends after its page.
    ///
    /// # Errors
    /// [`Error::RepricingNotFound`], [`Error::RepricingEnded`].
    pub async fn cancel(&self, by: &By, organization: OrganizationId, project: ProjectId, id: RepricingId) -> Result<Repricing, Error> {
        let txn = self.db.begin().await?;
        let row = store::find(&txn, project, id).await?.ok_or(Error::RepricingNotFound)?;
        if !store::update_cancel_requested(&txn, id, self.clock.now()).await? {
            return Err(Error::RepricingEnded);
        }
        if row.run > 0 {
            // One that has begun is not ended from outside: it finishes its page, so that traces agree with their spans. Where it
            // waits for its next attempt, that is now.
            let job = self.jobs.find(row.job_id).await?;
            if job.is_some_and(|job| job.status == Status::Queued.name()) {
                self.jobs.retry(&txn, row.job_id).await?;
            }
        } else if let Change::Made(job) = self.jobs.cancel(&txn, row.job_id).await?
            && job.status == Status::Queued.name()
        {
            store::update_ended(&txn, id, row.run, State::Cancelled, None, self.clock.now()).await?;
        }
        let event = Event::new("repricing.cancel", "repricing", id).in_project(organization, project);
        self.audit.record(&txn, by, event).await?;
        txn.commit().await.map_err(db::Error::from)?;
        self.jobs.wake();
        self.get(project, id).await
    }

    async fn view(&self, row: store::RepricingRow) -> Result<Repricing, Error> {
        self.views(vec![row]).await?.pop().ok_or(Error::RepricingNotFound)
    }

    async fn views(&self, list: Vec<store::RepricingRow>) -> Result<Vec<Repricing>, Error> {
        let mut people: Vec<_> = list.iter().filter_map(|row| row.created_by).collect();
        people.sort_unstable();
        people.dedup();
        let emails = rows::list_emails(self.db.conn(), &people).await?;
        let mut views = Vec::with_capacity(list.len());
        for row in list {
            let (state, error) = self.state(&row).await?;
            let saved: Option<Saved> = row.saved.as_deref().map(serde_json::from_str).transpose()?;
            views.push(Repricing {
                id: row.id,
                mode: Mode::of(&row.mode),
                state,
                start_time: row.start_ns.map(time::rfc3339),
                end_time: row.end_ns.map(time::rfc3339),
                models: serde_json::from_str(&row.models)?,
                progress: RepricingProgress { done: row.progress_done, total: row.progress_total },
                result: saved.map(|saved| saved.totals.into()),
                error,
                created_at: row.created_at,
                finished_at: row.finished_at,
                created_by: row.created_by.map(|id| UpdatedBy { id, email: emails.get(&id).cloned() }),
            });
        }
        Ok(views)
    }

    /// Where it stands. A job that ended without a word, stopped by an operator or given up, has ended the re-pricing too.
    async fn state(&self, row: &store::RepricingRow) -> Result<(State, Option<String>), Error> {
        let state = State::of(&row.state);
        if !state.is_open() {
            return Ok((state, row.error.clone()));
        }
        let gone = |job: JobId| format!("its job {job} is not there any more");
        // Only what is committed by now: the job of a row that was just made is.
        Ok(match self.jobs.find(row.job_id).await? {
            None => (State::Failed, Some(gone(row.job_id))),
            Some(job) => match job.status.parse() {
                Ok(Status::Dead) => (State::Failed, job.last_error),
                Ok(Status::Cancelled) => (State::Cancelled, None),
                _ => (state, None),
            },
        })
    }
}
