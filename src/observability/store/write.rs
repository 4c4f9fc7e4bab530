//! Inserting spans and bringing the rows of their traces up to date.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Datelike};

use super::fold::{Facts, Fold, NewTrace};
use super::{StoreError, TelemetryStore};
use crate::observability::rows::ObservationRow;

/// ClickHouse refuses a block that spans more than 100 monthly partitions.
const MONTHS_PER_BLOCK: usize = 90;
/// Traces recomputed at a time: their ids must fit the largest query text.
const TRACES_PER_STATEMENT: usize = 4_000;
/// So few spans are read back sooner than it takes to ask which traces are whole.
const FEW_SPANS: usize = 100;
/// Bytes of query text that so many ids need.
pub(super) const MAX_QUERY_SIZE: &str = "1048576";

/// Year and month.
type Month = (i32, u32);

fn month(row: &ObservationRow) -> Month {
    let date = DateTime::from_timestamp_nanos(row.start_time);
    (date.year(), date.month())
}

/// Splits rows so that no part spans more months than ClickHouse takes in one block.
fn blocks<'a>(rows: impl Iterator<Item = &'a ObservationRow>) -> Vec<Vec<&'a ObservationRow>> {
    let mut blocks: Vec<(BTreeSet<Month>, Vec<&ObservationRow>)> = Vec::new();
    for row in rows {
        let month = month(row);
        let fits = blocks.iter().position(|(months, _)| months.contains(&month) || months.len() < MONTHS_PER_BLOCK);
        let index = fits.unwrap_or_else(|| {
            blocks.push(Default::default());
            blocks.len() - 1
        });
        blocks[index].0.insert(month);
        blocks[index].1.push(row);
    }
    blocks.into_iter().map(|(_, rows)| rows).collect()
}

impl TelemetryStore {
    /// Inserts spans. `token` names the block: the same token within the store's window is taken once.
    ///
    /// # Errors
    /// [`StoreError::Data`] when the rows are refused, else [`StoreError::Unavailable`].
    pub async fn insert_observations<'a>(&self, rows: impl Iterator<Item = &'a ObservationRow>, token: &str) -> Result<(), StoreError> {
        for (index, block) in blocks(rows).into_iter().enumerate() {
            self.insert_block(&block, &format!("{token}-{index}")).await.map_err(|error| StoreError::of_write(&error))?;
        }
        Ok(())
    }

    async fn insert_block(&self, rows: &[&ObservationRow], token: &str) -> Result<(), clickhouse::error::Error> {
        self.clickhouse.insert("observations", rows.iter().copied(), &[("insert_deduplication_token", token)]).await
    }

    /// Writes the rows of the traces of `rows`, which were just inserted, anew from all their spans.
    ///
    /// The version is read from the store, in a statement of its own, after the spans were inserted: of two writers that touch the
    /// same trace the one with the later version has seen the spans of both.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], mostly.
    pub async fn recompute<'a>(&self, rows: impl Iterator<Item = &'a ObservationRow>) -> Result<(), StoreError> {
        let mut projects: BTreeMap<&str, BTreeMap<&str, Vec<&ObservationRow>>> = BTreeMap::new();
        for row in rows {
            projects.entry(&row.project_id).or_default().entry(&row.trace_id).or_default().push(row);
        }
        for (project, traces) in projects {
            let traces: Vec<(&str, Vec<&ObservationRow>)> = traces.into_iter().collect();
            for traces in traces.chunks(TRACES_PER_STATEMENT) {
                self.recompute_traces(project, traces).await.map_err(|error| StoreError::of_write(&error))?;
            }
        }
        Ok(())
    }

    /// Writes the rows of these traces anew from all their stored spans, as [`TelemetryStore::recompute`] does.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], mostly.
    pub async fn recompute_stored(&self, project: &str, traces: &[&str]) -> Result<(), StoreError> {
        for traces in traces.chunks(TRACES_PER_STATEMENT) {
            let traces: Vec<(&str, Vec<&ObservationRow>)> = traces.iter().map(|trace| (*trace, Vec::new())).collect();
            self.recompute_traces(project, &traces).await.map_err(|error| StoreError::of_write(&error))?;
        }
        Ok(())
    }

    async fn recompute_traces(&self, project: &str, traces: &[(&str, Vec<&ObservationRow>)]) -> Result<(), clickhouse::error::Error> {
        let store = &self.clickhouse;
        let version = store.client().query("SELECT toUInt64(toUnixTimestamp64Nano(now64(9)))").fetch_one::<u64>();
        let version = store.within(version).await?;
        // Of a trace that came whole in this block, which most do, nothing needs to be read back. It has its root here, then,
        // and the store holds as many rows of it as these. A newer row may have taken the place of one of these by now, even while
        // they were inserted; it has a larger version, and then the sum of the versions is another.
        let candidates = || traces.iter().filter(|(_, rows)| rows.iter().any(|row| row.is_root == 1));
        let spans: usize = candidates().map(|(_, rows)| rows.len()).sum();
        let stored = if spans > FEW_SPANS {
            self.count_rows(project, candidates().map(|(trace, _)| *trace).collect()).await?
        } else {
            HashMap::new()
        };
        let mut folds: BTreeMap<&str, Fold> = BTreeMap::new();
        let mut others = Vec::new();
        for (trace, rows) in traces {
            let spans: HashSet<&str> = rows.iter().map(|row| row.span_id.as_str()).collect();
            let versions: i128 = rows.iter().map(|row| i128::from(row.row_version)).sum();
            if spans.len() == rows.len() && stored.get(*trace) == Some(&(rows.len() as u64, versions)) {
                let fold = folds.entry(trace).or_default();
                for row in rows {
                    fold.add(&(*row).into());
                }
            } else {
                others.push(*trace);
            }
        }
        self.fold_stored(project, &others, &mut folds).await?;

        let rows: Vec<NewTrace> = folds.into_iter().flat_map(|(trace, fold)| fold.into_rows(project, trace, version)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        // A trace of many years has a deleted row in each of its months; there are few such traces.
        store.insert("traces", rows.iter(), &[("max_partitions_per_insert_block", "0")]).await
    }

    /// How many rows the store holds of each trace, those that newer ones will replace included, and the sum of their versions.
    async fn count_rows(&self, project: &str, traces: Vec<&str>) -> Result<HashMap<String, (u64, i128)>, clickhouse::error::Error> {
        let counts = self
            .clickhouse
            .client()
            .query(
                "SELECT trace_id, count(), sum(toInt128(row_version)) FROM observations WHERE project_id = ? AND trace_id IN ? \
                 GROUP BY trace_id",
            )
            .bind(project)
            .bind(traces)
            .with_setting("max_query_size", MAX_QUERY_SIZE)
            .fetch_all::<(String, u64, i128)>();
        Ok(self.clickhouse.within(counts).await?.into_iter().map(|(trace, rows, versions)| (trace, (rows, versions))).collect())
    }

    /// Adds all stored spans of `traces` to their folds.
    async fn fold_stored<'a>(
        &self,
        project: &str,
        traces: &[&'a str],
        folds: &mut BTreeMap<&'a str, Fold>,
    ) -> Result<(), clickhouse::error::Error> {
        if traces.is_empty() {
            return Ok(());
        }
        let known: HashMap<&str, &'a str> = traces.iter().map(|trace| (*trace, *trace)).collect();
        let mut cursor = self
            .clickhouse
            .client()
            .query("SELECT ?fields FROM observations FINAL WHERE project_id = ? AND trace_id IN ?")
            .bind(project)
            .bind(traces)
            .with_setting("max_query_size", MAX_QUERY_SIZE)
            .fetch::<Facts<'_>>()?;
        self.clickhouse
            .within(async {
                while let Some(facts) = cursor.next().await? {
                    if let Some(trace) = known.get(facts.trace_id) {
                        folds.entry(trace).or_default().add(&facts);
                    }
                }
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(start_time: i64) -> ObservationRow {
        ObservationRow { start_time, ..ObservationRow::default() }
    }

    #[test]
    fn a_block_never_spans_too_many_months() {
        let month_ns = 31 * 86_400 * 1_000_000_000_i64;
        let rows: Vec<_> = (0..400).map(|index| row(946_684_800_000_000_000 + (index % 101) * month_ns)).collect();
        let blocks = blocks(rows.iter());
        assert_eq!(blocks.iter().map(Vec::len).sum::<usize>(), 400);
        assert_eq!(blocks.len(), 2);
        for block in blocks {
            assert!(block.iter().map(|row| month(row)).collect::<BTreeSet<_>>().len() <= MONTHS_PER_BLOCK);
        }
    }

    #[test]
    fn ordinary_rows_stay_one_block() {
        let rows: Vec<_> = (0..5_000).map(|index| row(1_700_000_000_000_000_000 + index)).collect();
        assert_eq!(blocks(rows.iter()).len(), 1);
    }
}
