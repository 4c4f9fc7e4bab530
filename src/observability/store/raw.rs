//! Whole rows of a trace, to be given back as they came: in groups of equal resource and scope, never more at once than fits a bound.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::{StoreError, TelemetryStore};
use crate::observability::rows::ObservationRow;

/// Rows read at once.
const PAGE_ROWS: usize = 200;
/// Bytes of texts read at once, unless one row alone has more.
const PAGE_BYTES: u64 = 8 << 20;
/// Spans of one trace beyond these are not listed.
pub const MOST_SPANS: usize = 200_000;

/// Where a row is, and about how large its texts are.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub struct RowPlace {
    span_id: String,
    start_time: i64,
    bytes: u64,
}

/// The places of a trace's rows, of which so many were read already.
#[derive(Debug)]
pub struct RawTrace {
    project: String,
    trace_id: String,
    from: i64,
    places: std::vec::IntoIter<RowPlace>,
}

impl RawTrace {
    /// How many rows are still to be read.
    #[must_use]
    pub fn left(&self) -> usize {
        self.places.len()
    }
}

/// As many places as are read at once.
fn page(places: &mut std::vec::IntoIter<RowPlace>) -> Vec<RowPlace> {
    let mut page: Vec<RowPlace> = Vec::new();
    let mut bytes = 0_u64;
    while page.len() < PAGE_ROWS
        && let Some(next) = places.as_slice().first()
        && (page.is_empty() || bytes.saturating_add(next.bytes) <= PAGE_BYTES)
    {
        bytes = bytes.saturating_add(next.bytes);
        page.extend(places.next());
    }
    page
}

impl TelemetryStore {
    /// Where the rows of a trace are, neighbours of equal resource and scope together; `from` is the start of the trace.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn raw_trace(&self, project: &str, trace_id: &str, from: i64) -> Result<RawTrace, StoreError> {
        let sql = "SELECT span_id, start_time, \
             toUInt64(input_length) + output_length + byteSize(attributes) + byteSize(events.attributes) AS bytes \
             FROM observations FINAL \
             WHERE project_id = {project:String} AND trace_id = {trace:String} AND start_time >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') \
             ORDER BY cityHash64(toString(resource_attributes), toString(resource_attribute_types), resource_dropped_attributes_count, resource_schema_url), \
             cityHash64(scope_name, scope_version, toString(scope_attributes), toString(scope_attribute_types), scope_dropped_attributes_count, scope_schema_url), \
             start_time, span_id LIMIT {limit:UInt64}";
        let query = self
            .clickhouse
            .read_client()
            .query(sql)
            .param("project", project)
            .param("trace", trace_id)
            .param("from", from)
            .param("limit", MOST_SPANS);
        let places = self.clickhouse.within(query.fetch_all::<RowPlace>()).await.map_err(|error| StoreError::of_read(&error))?;
        Ok(RawTrace { project: project.to_owned(), trace_id: trace_id.to_owned(), from, places: places.into_iter() })
    }

    /// The next rows; none after the last. A row that was deleted meanwhile is passed over.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next_raw_rows(&self, trace: &mut RawTrace) -> Result<Vec<ObservationRow>, StoreError> {
        while trace.left() > 0 {
            let page = page(&mut trace.places);
            let ids: Vec<&str> = page.iter().map(|place| place.span_id.as_str()).collect();
            let sql = "SELECT ?fields FROM observations FINAL \
                 WHERE project_id = {project:String} AND trace_id = {trace:String} AND start_time >= fromUnixTimestamp64Nano({from:Int64}, 'UTC') \
                 AND span_id IN {ids:Array(String)}";
            let query = self
                .clickhouse
                .read_client()
                .query(sql)
                .param("project", &trace.project)
                .param("trace", &trace.trace_id)
                .param("from", trace.from)
                .param("ids", &ids);
            let found = self.clickhouse.within(query.fetch_all::<ObservationRow>()).await.map_err(|error| StoreError::of_read(&error))?;
            let mut found: HashMap<(i64, String), ObservationRow> =
                found.into_iter().map(|row| ((row.start_time, row.span_id.clone()), row)).collect();
            let rows: Vec<ObservationRow> = page.into_iter().filter_map(|place| found.remove(&(place.start_time, place.span_id))).collect();
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(sizes: &[u64]) -> Vec<usize> {
        let place = |bytes: &u64| RowPlace { span_id: String::new(), start_time: 0, bytes: *bytes };
        let mut places = sizes.iter().map(place).collect::<Vec<_>>().into_iter();
        std::iter::from_fn(|| Some(page(&mut places).len()).filter(|rows| *rows > 0)).collect()
    }

    #[test]
    fn a_page_is_bounded_in_rows_and_bytes_but_never_empty() {
        assert_eq!(pages(&[]), [0; 0]);
        assert_eq!(pages(&[1; 450]), [200, 200, 50]);
        assert_eq!(pages(&[u64::MAX, 1, PAGE_BYTES - 1, 1, PAGE_BYTES]), [1, 2, 1, 1]);
    }
}
