//! The job that prices stored spans anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::page::{self, Looked};
use super::service::which;
use super::totals::Totals;
use super::{Mode, State};
use crate::common::clock::SharedClock;
use crate::common::id::RepricingId;
use crate::error::chain;
use crate::infra::db::Database;
use crate::infra::jobs::{Failure, Job, Running};
use crate::observability::prices::PriceBook;
use crate::observability::prices::store::repricings::{self as store, Progress, RepricingRow};
use crate::observability::pricing::Pricer;
use crate::observability::store::{Priceable, PriceableCursor, PriceableRow, TelemetryStore};
use crate::organization::Directory;

/// Spans that are looked at together.
const PAGE: u32 = 1_000;

/// What pricing anew needs.
#[derive(Clone)]
pub struct Repricer {
    db: Database,
    clock: SharedClock,
    directory: Directory,
    book: PriceBook,
    telemetry: TelemetryStore,
    page: u32,
}

impl std::fmt::Debug for Repricer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repricer").field("page", &self.page).finish_non_exhaustive()
    }
}

impl Repricer {
    /// Prices the spans of `telemetry` by `book`.
    #[must_use]
    pub fn new(db: Database, clock: SharedClock, directory: Directory, book: PriceBook, telemetry: TelemetryStore) -> Self {
        Self { db, clock, directory, book, telemetry, page: PAGE }
    }
}

/// Does what a row of `repricings` says.
#[derive(Debug, Serialize, Deserialize)]
pub struct RepriceSpans {
    pub repricing: RepricingId,
    /// Of two open ones with the same key there is one.
    pub key: String,
}

/// What is noted between pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Where the next page begins; none: at the beginning.
    next: Option<PriceableCursor>,
    pub totals: Totals,
    /// A page that is being written: until where, and what is counted when it is.
    writing: Option<Box<Writing>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Writing {
    /// The last span of the page.
    trace: String,
    span: String,
    totals: Totals,
}

fn retry(error: impl std::error::Error) -> Failure {
    Failure::retry(chain(&error))
}

impl Job for RepriceSpans {
    const KIND: &'static str = "reprice_spans";
    /// Some ten hours: a store may be away for a while.
    const ATTEMPTS: u32 = 20;
    type Context = Repricer;

    fn key(&self) -> Option<String> {
        Some(self.key.clone())
    }

    async fn run(&self, repricer: &Repricer, running: &Running) -> Result<(), Failure> {
        let found = store::find_any(repricer.db.conn(), self.repricing).await.map_err(retry)?;
        let Some(row) = found else { return Err(Failure::Fatal("what is to be priced anew is not known any more".to_owned())) };
        if !State::of(&row.state).is_open() {
            return Ok(());
        }
        if !store::update_begun(repricer.db.writer(), row.id, row.run, repricer.clock.now()).await.map_err(retry)? {
            return Err(Failure::retry("another run has begun"));
        }
        let row = RepricingRow { run: row.run + 1, ..row };
        let project = repricer.directory.find_project(repricer.db.conn(), row.project_id).await.map_err(retry)?;
        let ended = if project.is_some() {
            Run::of(repricer, &row, running)?.all().await
        } else {
            Err(Failure::Fatal("the project was deleted".to_owned()))
        };
        let (state, error) = match &ended {
            Ok(()) => (State::Done, None),
            Err(Failure::Cancelled) => (State::Cancelled, None),
            Err(Failure::Retry { .. }) if !running.is_last_attempt() => return ended,
            Err(Failure::Retry { reason, .. } | Failure::Fatal(reason)) => (State::Failed, Some(reason.chars().take(500).collect())),
        };
        store::update_ended(repricer.db.writer(), row.id, row.run, state, error, repricer.clock.now()).await.map_err(retry)?;
        ended
    }
}

/// A run of one re-pricing.
struct Run<'a> {
    repricer: &'a Repricer,
    row: &'a RepricingRow,
    running: &'a Running,
    project: String,
    which: Priceable,
    mode: Mode,
    saved: Saved,
    done: i64,
    total: i64,
}

impl<'a> Run<'a> {
    fn of(repricer: &'a Repricer, row: &'a RepricingRow, running: &'a Running) -> Result<Self, Failure> {
        let unreadable = |error: serde_json::Error| Failure::Fatal(format!("what was stored of it cannot be read: {error}"));
        let saved = row.saved.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?;
        Ok(Self {
            repricer,
            row,
            running,
            project: row.project_id.to_string(),
            which: which(row).map_err(unreadable)?,
            mode: Mode::of(&row.mode),
            saved: saved.unwrap_or_default(),
            done: row.progress_done,
            total: 0,
        })
    }

    async fn all(mut self) -> Result<(), Failure> {
        let hours = self.repricer.telemetry.list_priceable_hours(&self.project, &self.which).await.map_err(retry)?;
        self.total = hours.iter().map(|(_, spans)| i64::try_from(*spans).unwrap_or(i64::MAX)).fold(0, i64::saturating_add);
        // One and the same list for all spans, whatever is changed meanwhile.
        let (organization, project) = (self.row.organization_id, self.row.project_id);
        let pricer = self.repricer.book.of(organization, project).await.map_err(retry)?;
        if self.mode == Mode::Apply && self.row.run == 1 {
            self.mend_earlier().await?;
        }
        self.finish_page(&pricer).await?;
        for (hour, _) in hours {
            let begun = self.saved.next.clone().filter(|next| next.hour >= hour);
            // Hours before the one that was begun are done.
            let mut next = match begun {
                Some(next) if next.hour > hour => continue,
                Some(next) => next,
                None => PriceableCursor { hour, trace: String::new(), span: String::new() },
            };
            loop {
                self.stop_if_cancelled().await?;
                let rows = self.read(&self.which, &next).await?;
                let Some(last) = rows.last() else { break };
                let after = PriceableCursor { hour, trace: last.trace_id.clone(), span: last.span_id.clone() };
                let full = rows.len() >= self.repricer.page as usize;
                self.page(&next, &after, &rows, &pricer).await?;
                next = after;
                if !full {
                    break;
                }
            }
        }
        // Rows that newer ones had replaced were counted in the total.
        self.done = self.total.max(self.done);
        self.total = self.done;
        self.save().await
    }

    async fn read(&self, which: &Priceable, after: &PriceableCursor) -> Result<Vec<PriceableRow>, Failure> {
        self.repricer.telemetry.list_priceable(&self.project, which, after, self.repricer.page).await.map_err(retry)
    }

    /// Works out the traces of a page that an earlier re-pricing was writing when it was given up or ended from outside: to this one
    /// its spans may look as if nothing had to be done.
    async fn mend_earlier(&self) -> Result<(), Failure> {
        let db = self.repricer.db.conn();
        let Some(earlier) = store::find_apply_before(db, self.row.project_id, self.row.id).await.map_err(retry)? else { return Ok(()) };
        // What cannot be read cannot be mended either.
        let saved = earlier.saved.as_deref().and_then(|text| serde_json::from_str::<Saved>(text).ok()).unwrap_or_default();
        let (Some(from), Some(writing), Ok(which)) = (saved.next, saved.writing, which(&earlier)) else { return Ok(()) };
        let rows = self.page_being_written(&which, &from, &writing).await?;
        self.recompute(&rows.into_iter().map(|row| row.trace_id).collect()).await
    }

    async fn page_being_written(&self, which: &Priceable, from: &PriceableCursor, writing: &Writing) -> Result<Vec<PriceableRow>, Failure> {
        let last = (writing.trace.as_str(), writing.span.as_str());
        let mut rows = self.read(which, from).await?;
        rows.retain(|row| (row.trace_id.as_str(), row.span_id.as_str()) <= last);
        Ok(rows)
    }

    async fn page(
        &mut self,
        from: &PriceableCursor,
        after: &PriceableCursor,
        rows: &[PriceableRow],
        pricer: &Arc<Pricer>,
    ) -> Result<(), Failure> {
        let Looked { changed, totals } = page::look(rows, pricer, &self.saved.totals);
        if self.mode == Mode::Apply && !changed.is_empty() {
            self.saved.next = Some(from.clone());
            let (trace, span) = (after.trace.clone(), after.span.clone());
            self.saved.writing = Some(Box::new(Writing { trace, span, totals: totals.clone() }));
            self.save().await?;
            let traces = page::write(&self.repricer.telemetry, &self.project, after.hour, &changed, pricer).await.map_err(retry)?;
            self.recompute(&traces).await?;
        }
        self.saved = Saved { next: Some(after.clone()), totals, writing: None };
        self.done = self.done.saturating_add(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        self.save().await
    }

    /// Finishes a page that an earlier run had begun to write: some of its spans may have their new cost already, and their traces
    /// not. It counts as what that run counted.
    async fn finish_page(&mut self, pricer: &Arc<Pricer>) -> Result<(), Failure> {
        let Some(writing) = self.saved.writing.take() else { return Ok(()) };
        let Some(from) = self.saved.next.clone() else { return Ok(()) };
        let rows = self.page_being_written(&self.which, &from, &writing).await?;
        let changed = page::look(&rows, pricer, &Totals::default()).changed;
        page::write(&self.repricer.telemetry, &self.project, from.hour, &changed, pricer).await.map_err(retry)?;
        self.recompute(&rows.iter().map(|row| row.trace_id.clone()).collect()).await?;
        let next = PriceableCursor { hour: from.hour, trace: writing.trace.clone(), span: writing.span.clone() };
        self.saved = Saved { next: Some(next), totals: writing.totals, writing: None };
        self.done = self.done.saturating_add(i64::try_from(rows.len()).unwrap_or(i64::MAX));
        self.save().await
    }

    async fn recompute(&self, traces: &BTreeSet<String>) -> Result<(), Failure> {
        let traces: Vec<&str> = traces.iter().map(String::as_str).collect();
        self.repricer.telemetry.recompute_stored(&self.project, &traces).await.map_err(retry)
    }

    async fn stop_if_cancelled(&self) -> Result<(), Failure> {
        let row = store::find_any(self.repricer.db.conn(), self.row.id).await.map_err(retry)?;
        if self.running.is_cancelled() || row.is_none_or(|row| row.cancel_requested) { Err(Failure::Cancelled) } else { Ok(()) }
    }

    async fn save(&self) -> Result<(), Failure> {
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        self.running.progress(number(self.done), Some(number(self.total)), self.mode.name());
        let saved = serde_json::to_string(&self.saved).map_err(retry)?;
        let progress = Progress { done: self.done, total: Some(self.total.max(self.done)), saved };
        let repricer = self.repricer;
        match store::update_progress(repricer.db.writer(), self.row.id, self.row.run, progress, repricer.clock.now()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::retry("another run has begun")),
            Err(error) => Err(retry(error)),
        }
    }
}
