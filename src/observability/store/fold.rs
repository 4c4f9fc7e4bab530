//! The row of a trace, from its spans in any order.

use std::collections::{BTreeMap, BTreeSet};

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::observability::rows::{ObservationRow, Pairs};

const HOUR_NS: i64 = 3_600_000_000_000;

/// What a trace takes from each of its spans. The columns of `observations`, by name; units as in [`crate::observability::rows`].
#[derive(Debug, Clone, Row, Serialize, Deserialize)]
pub(super) struct Facts<'a> {
    pub trace_id: &'a str,
    pub span_id: &'a str,
    pub start_time: i64,
    pub end_time: i64,
    pub is_root: u8,
    pub name: &'a str,
    pub status_code: u8,
    pub environment: &'a str,
    pub release: &'a str,
    pub version: &'a str,
    pub service_name: &'a str,
    pub user_id: &'a str,
    pub session_id: &'a str,
    #[serde(borrow)]
    pub tags: Vec<&'a str>,
    pub model: &'a str,
    pub provider: &'a str,
    #[serde(borrow)]
    pub usage_details: Vec<(&'a str, u64)>,
    #[serde(borrow)]
    pub cost_details: Vec<(&'a str, i64)>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    pub total_cost: Option<i64>,
    pub input_preview: &'a str,
    pub output_preview: &'a str,
    pub retention_days: u16,
    pub ingested_at: i64,
}

impl<'a> From<&'a ObservationRow> for Facts<'a> {
    fn from(row: &'a ObservationRow) -> Self {
        Self {
            trace_id: &row.trace_id,
            span_id: &row.span_id,
            start_time: row.start_time,
            end_time: row.end_time,
            is_root: row.is_root,
            name: &row.name,
            status_code: row.status_code,
            environment: &row.environment,
            release: &row.release,
            version: &row.version,
            service_name: &row.service_name,
            user_id: &row.user_id,
            session_id: &row.session_id,
            tags: row.tags.iter().map(String::as_str).collect(),
            model: &row.model,
            provider: &row.provider,
            usage_details: row.usage_details.iter().map(|(kind, tokens)| (kind.as_str(), *tokens)).collect(),
            cost_details: row.cost_details.iter().map(|(kind, amount)| (kind.as_str(), *amount)).collect(),
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            total_tokens: row.total_tokens,
            total_cost: row.total_cost,
            input_preview: &row.input_preview,
            output_preview: &row.output_preview,
            retention_days: row.retention_days,
            ingested_at: row.ingested_at,
        }
    }
}

/// One row of `traces` as it is written. What is not here keeps the table's default.
#[derive(Debug, Clone, Default, PartialEq, Row, Serialize, Deserialize)]
pub(super) struct NewTrace {
    pub project_id: String,
    pub trace_id: String,
    pub root_span_id: String,
    pub start_time: i64,
    /// Zero while the root is running.
    pub end_time: i64,
    pub duration_ns: u64,
    pub name: String,
    pub has_root: u8,
    pub status_code: u8,
    pub environment: String,
    pub release: String,
    pub version: String,
    pub service_name: String,
    pub user_id: String,
    pub session_id: String,
    pub tags: Vec<String>,
    pub models: Vec<String>,
    pub providers: Vec<String>,
    pub span_count: u32,
    pub error_count: u32,
    pub unpriced_count: u32,
    pub usage_details: Pairs<u64>,
    pub cost_details: Pairs<i128>,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub total_tokens: u64,
    pub total_cost: Option<i128>,
    pub input_preview: String,
    pub output_preview: String,
    pub retention_days: u16,
    pub ingested_at: i64,
    pub row_version: u64,
    pub is_deleted: u8,
}

/// A value of the span with the smallest place. Places are start and span id, so that spans of one moment have an order too.
#[derive(Debug, Clone)]
struct First<T>(Option<((i64, String), T)>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> First<T> {
    fn offer(&mut self, facts: &Facts<'_>, value: impl FnOnce() -> T) {
        let earlier = match &self.0 {
            None => true,
            Some(((start, span), _)) => (facts.start_time, facts.span_id) < (*start, span.as_str()),
        };
        if earlier {
            self.0 = Some(((facts.start_time, facts.span_id.to_owned()), value()));
        }
    }

    fn into_value(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

impl First<String> {
    fn offer_text(&mut self, facts: &Facts<'_>, text: &str) {
        if !text.is_empty() {
            self.offer(facts, || text.to_owned());
        }
    }
}

/// What the root of a trace, or for want of one its first span, says of the whole.
#[derive(Debug, Clone)]
struct Head {
    span_id: String,
    name: String,
    service_name: String,
    status_code: u8,
    input_preview: String,
    output_preview: String,
}

impl From<&Facts<'_>> for Head {
    fn from(facts: &Facts<'_>) -> Self {
        Self {
            span_id: facts.span_id.to_owned(),
            name: facts.name.to_owned(),
            service_name: facts.service_name.to_owned(),
            status_code: facts.status_code,
            input_preview: facts.input_preview.to_owned(),
            output_preview: facts.output_preview.to_owned(),
        }
    }
}

/// The spans of one trace, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Fold {
    root: First<Head>,
    first: First<Head>,
    /// Whether a root has not ended.
    running: bool,
    begin: Option<i64>,
    end: i64,
    hours: BTreeSet<i64>,
    worst_status: u8,
    environment: First<String>,
    release: First<String>,
    version: First<String>,
    user_id: First<String>,
    session_id: First<String>,
    tags: BTreeSet<String>,
    models: BTreeSet<String>,
    providers: BTreeSet<String>,
    span_count: u32,
    error_count: u32,
    unpriced_count: u32,
    usage: BTreeMap<String, u64>,
    cost: BTreeMap<String, i128>,
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    total_cost: Option<i128>,
    input_preview: First<String>,
    /// Start, span id and text of the last span that says anything.
    output_preview: Option<(i64, String, String)>,
    retention_days: u16,
    ingested_at: Option<i64>,
}

fn put(set: &mut BTreeSet<String>, text: &str) {
    if !text.is_empty() && !set.contains(text) {
        set.insert(text.to_owned());
    }
}

fn add<T: Copy + Default + std::ops::AddAssign>(sums: &mut BTreeMap<String, T>, key: &str, amount: T) {
    match sums.get_mut(key) {
        Some(sum) => *sum += amount,
        None => {
            sums.insert(key.to_owned(), amount);
        }
    }
}

impl Fold {
    /// Adds a span. Each span of the trace comes once, in its newest version.
    pub(super) fn add(&mut self, facts: &Facts<'_>) {
        if facts.is_root == 1 {
            self.root.offer(facts, || facts.into());
            self.running |= facts.end_time == 0;
        } else if self.root.0.is_none() {
            self.first.offer(facts, || facts.into());
        }
        self.begin = Some(self.begin.map_or(facts.start_time, |begin| begin.min(facts.start_time)));
        self.end = self.end.max(facts.end_time.max(facts.start_time));
        self.hours.insert(facts.start_time.div_euclid(HOUR_NS));
        self.worst_status = self.worst_status.max(facts.status_code);
        if facts.environment != "default" {
            self.environment.offer_text(facts, facts.environment);
        }
        self.release.offer_text(facts, facts.release);
        self.version.offer_text(facts, facts.version);
        self.user_id.offer_text(facts, facts.user_id);
        self.session_id.offer_text(facts, facts.session_id);
        facts.tags.iter().for_each(|tag| put(&mut self.tags, tag));
        put(&mut self.models, facts.model);
        put(&mut self.providers, facts.provider);
        self.span_count += 1;
        self.error_count += u32::from(facts.status_code == 2);
        self.unpriced_count += u32::from(facts.total_tokens > 0 && facts.total_cost.is_none());
        facts.usage_details.iter().for_each(|(kind, tokens)| add(&mut self.usage, kind, *tokens));
        facts.cost_details.iter().for_each(|(kind, amount)| add(&mut self.cost, kind, i128::from(*amount)));
        self.input_tokens += facts.input_tokens;
        self.output_tokens += facts.output_tokens;
        self.total_tokens += facts.total_tokens;
        if let Some(cost) = facts.total_cost {
            *self.total_cost.get_or_insert(0) += i128::from(cost);
        }
        self.input_preview.offer_text(facts, facts.input_preview);
        let later = |(start, span, _): &(i64, String, String)| (facts.start_time, facts.span_id) > (*start, span.as_str());
        if !facts.output_preview.is_empty() && self.output_preview.as_ref().is_none_or(later) {
            self.output_preview = Some((facts.start_time, facts.span_id.to_owned(), facts.output_preview.to_owned()));
        }
        self.retention_days = self.retention_days.max(facts.retention_days);
        self.ingested_at = Some(self.ingested_at.map_or(facts.ingested_at, |earliest| earliest.min(facts.ingested_at)));
    }

    /// The trace's rows: the live one at its first hour, and a deleted one of the same version at every other hour in which one of
    /// its spans starts. A span that moves the start of a trace to an earlier hour would otherwise leave the old row behind, as
    /// the hour is part of the key.
    pub(super) fn into_rows(self, project_id: &str, trace_id: &str, row_version: u64) -> Vec<NewTrace> {
        let Some(begin) = self.begin else { return Vec::new() };
        let (head, has_root) = match self.root.into_value() {
            Some(root) => (Some(root), true),
            None => (self.first.into_value(), false),
        };
        let end_time = if self.running { 0 } else { self.end };
        let (input, output) = head
            .as_ref()
            .filter(|_| has_root)
            .map_or((String::new(), String::new()), |root| (root.input_preview.clone(), root.output_preview.clone()));
        let or_else = |text: String, other: Option<String>| if text.is_empty() { other.unwrap_or_default() } else { text };
        let live = NewTrace {
            project_id: project_id.to_owned(),
            trace_id: trace_id.to_owned(),
            root_span_id: head.as_ref().filter(|_| has_root).map(|root| root.span_id.clone()).unwrap_or_default(),
            start_time: begin,
            end_time,
            duration_ns: if self.running { 0 } else { u64::try_from(self.end - begin).unwrap_or(0) },
            name: head.as_ref().map(|head| head.name.clone()).unwrap_or_default(),
            has_root: u8::from(has_root),
            status_code: head.as_ref().filter(|_| has_root).map_or(self.worst_status, |root| root.status_code),
            environment: self.environment.into_value().unwrap_or_else(|| "default".to_owned()),
            release: self.release.into_value().unwrap_or_default(),
            version: self.version.into_value().unwrap_or_default(),
            service_name: head.map(|head| head.service_name).unwrap_or_default(),
            user_id: self.user_id.into_value().unwrap_or_default(),
            session_id: self.session_id.into_value().unwrap_or_default(),
            tags: self.tags.into_iter().collect(),
            models: self.models.into_iter().collect(),
            providers: self.providers.into_iter().collect(),
            span_count: self.span_count,
            error_count: self.error_count,
            unpriced_count: self.unpriced_count,
            usage_details: self.usage.into_iter().filter(|(_, tokens)| *tokens > 0).collect(),
            cost_details: self.cost.into_iter().filter(|(_, amount)| *amount != 0).collect(),
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            total_tokens: self.total_tokens,
            total_cost: self.total_cost,
            input_preview: or_else(input, self.input_preview.into_value()),
            output_preview: or_else(output, self.output_preview.map(|(.., text)| text)),
            retention_days: self.retention_days,
            ingested_at: self.ingested_at.unwrap_or_default(),
            row_version,
            is_deleted: 0,
        };
        let first_hour = begin.div_euclid(HOUR_NS);
        let moved = self.hours.into_iter().filter(|hour| *hour != first_hour).map(|hour| NewTrace {
            project_id: project_id.to_owned(),
            trace_id: trace_id.to_owned(),
            start_time: hour * HOUR_NS,
            retention_days: live.retention_days,
            ingested_at: live.ingested_at,
            row_version,
            is_deleted: 1,
            ..NewTrace::default()
        });
        let mut rows: Vec<NewTrace> = moved.collect();
        rows.insert(0, live);
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, start_time: i64) -> ObservationRow {
        ObservationRow {
            trace_id: "t".into(),
            span_id: id.into(),
            name: id.into(),
            start_time,
            end_time: start_time + 10,
            retention_days: 30,
            ingested_at: start_time + 100,
            environment: "default".into(),
            ..ObservationRow::default()
        }
    }

    fn fold(rows: &[ObservationRow]) -> Vec<NewTrace> {
        let mut fold = Fold::default();
        for row in rows {
            fold.add(&row.into());
        }
        fold.into_rows("p", "t", 7)
    }

    /// The same whatever the order of the spans.
    fn fold_any_order(rows: &[ObservationRow]) -> Vec<NewTrace> {
        let folded = fold(rows);
        let mut reversed = rows.to_vec();
        reversed.reverse();
        assert_eq!(fold(&reversed), folded);
        folded
    }

    #[test]
    fn the_root_names_the_trace_and_the_earliest_span_with_a_value_gives_it() {
        let root =
            ObservationRow { is_root: 1, status_code: 1, service_name: "shop".into(), output_preview: "bye".into(), ..span("root", 50) };
        let early = ObservationRow {
            status_code: 2,
            user_id: "ada".into(),
            environment: "production".into(),
            model: "m2".into(),
            tags: vec!["b".into(), "a".into()],
            input_preview: "hello".into(),
            total_tokens: 5,
            usage_details: vec![("input".into(), 5), ("cached".into(), 0)],
            ..span("early", 20)
        };
        let late = ObservationRow {
            user_id: "bob".into(),
            model: "m1".into(),
            tags: vec!["a".into()],
            total_tokens: 3,
            total_cost: Some(40),
            usage_details: vec![("input".into(), 1), ("output".into(), 2)],
            cost_details: vec![("input".into(), 40)],
            output_preview: "later".into(),
            ..span("late", 60)
        };
        let rows = fold_any_order(&[root, early, late]);
        assert_eq!(rows.len(), 1);
        let trace = &rows[0];
        assert_eq!((trace.name.as_str(), trace.root_span_id.as_str(), trace.status_code), ("root", "root", 1));
        assert_eq!((trace.start_time, trace.end_time, trace.duration_ns), (20, 70, 50));
        assert_eq!((trace.user_id.as_str(), trace.environment.as_str(), trace.service_name.as_str()), ("ada", "production", "shop"));
        assert_eq!((trace.span_count, trace.error_count, trace.unpriced_count), (3, 1, 1));
        assert_eq!(trace.tags, ["a", "b"]);
        assert_eq!(trace.models, ["m1", "m2"]);
        assert_eq!(trace.usage_details, [("input".to_owned(), 6), ("output".to_owned(), 2)]);
        assert_eq!((trace.total_tokens, trace.total_cost), (8, Some(40)));
        assert_eq!((trace.input_preview.as_str(), trace.output_preview.as_str()), ("hello", "bye"));
    }

    #[test]
    fn without_a_root_the_first_span_names_the_trace_and_the_worst_status_counts() {
        let rows = fold_any_order(&[ObservationRow { status_code: 2, ..span("b", 10) }, span("a", 10), span("c", 5)]);
        assert_eq!((rows[0].name.as_str(), rows[0].root_span_id.as_str(), rows[0].has_root, rows[0].status_code), ("c", "", 0, 2));
        assert_eq!((rows[0].total_cost, rows[0].environment.as_str()), (None, "default"));
    }

    #[test]
    fn a_trace_runs_while_its_root_does() {
        let running = ObservationRow { is_root: 1, end_time: 0, ..span("root", 10) };
        let rows = fold_any_order(&[running, span("child", 20)]);
        assert_eq!((rows[0].end_time, rows[0].duration_ns), (0, 0));
        let child = ObservationRow { end_time: 0, ..span("child", 20) };
        let rows = fold_any_order(&[ObservationRow { is_root: 1, ..span("root", 10) }, child]);
        assert_eq!((rows[0].end_time, rows[0].duration_ns), (20, 10), "a child that runs on does not keep its trace open");
    }

    #[test]
    fn other_hours_get_deleted_rows_of_the_same_version() {
        let rows = fold_any_order(&[span("late", 2 * HOUR_NS + 5), span("early", 5), span("same", 6)]);
        let places: Vec<_> = rows.iter().map(|row| (row.start_time, row.is_deleted, row.row_version)).collect();
        assert_eq!(places, [(5, 0, 7), (2 * HOUR_NS, 1, 7)]);
        assert_eq!((rows[1].retention_days, rows[1].ingested_at), (rows[0].retention_days, rows[0].ingested_at));
    }
}
