//! Inserting spans and bringing the rows of their traces up to date.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike};

use super::traces::RECOMPUTE;
use super::{StoreError, TelemetryStore};
use crate::observability::rows::ObservationRow;

/// ClickHouse refuses a block that spans more than 100 monthly partitions.
const MONTHS_PER_BLOCK: usize = 90;
/// Traces recomputed by one statement: their ids must fit the largest query text.
const TRACES_PER_STATEMENT: usize = 4_000;

/// The traces that a block touched, by project.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Touched(BTreeMap<String, BTreeSet<String>>);

impl Touched {
    /// Adds the traces of `rows`.
    pub fn add(&mut self, rows: &[ObservationRow]) {
        for row in rows {
            if let Some(traces) = self.0.get_mut(&row.project_id) {
                if !traces.contains(&row.trace_id) {
                    traces.insert(row.trace_id.clone());
                }
            } else {
                self.0.insert(row.project_id.clone(), BTreeSet::from([row.trace_id.clone()]));
            }
        }
    }
}

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
        let mut insert = self
            .clickhouse
            .insert_client()
            .insert::<ObservationRow>("observations")
            .await?
            .with_setting("insert_deduplication_token", token);
        for row in rows {
            insert.write(*row).await?;
        }
        insert.end().await
    }

    /// Writes the rows of the touched traces anew from all their spans.
    ///
    /// The version is read from the store, in a statement of its own, after the spans were inserted: of two writers that touch the
    /// same trace the one with the later version has seen the spans of both.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], mostly.
    pub async fn recompute(&self, touched: &Touched) -> Result<(), StoreError> {
        let write = |error: clickhouse::error::Error| StoreError::of_write(&error);
        for (project, traces) in &touched.0 {
            let traces: Vec<&str> = traces.iter().map(String::as_str).collect();
            for ids in traces.chunks(TRACES_PER_STATEMENT) {
                let version: u64 =
                    self.clickhouse.client().query("SELECT toUInt64(toUnixTimestamp64Nano(now64(9)))").fetch_one().await.map_err(write)?;
                self.clickhouse
                    .insert_client()
                    .query(RECOMPUTE)
                    .bind(version)
                    .bind(project.as_str())
                    .bind(ids)
                    .with_setting("max_query_size", "1048576")
                    // A trace of many years has a deleted row in each of its months; there are few such traces.
                    .with_setting("max_partitions_per_insert_block", "0")
                    .execute()
                    .await
                    .map_err(write)?;
            }
        }
        Ok(())
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
