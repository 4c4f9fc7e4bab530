//! Reads for pricing: models without a price, and the spans whose cost a price list decides.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{StoreError, TelemetryStore};
use crate::observability::convert::tier;
use crate::observability::rows::{ObservationRow, Pairs};

/// A model without a price among the spans of some time.
#[derive(Debug, Clone, Row, Deserialize)]
pub struct UnpricedRow {
    pub provider: String,
    pub model: String,
    pub spans: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Tokens by kind; also their `total`.
    pub usage: Pairs<u64>,
    pub first_seen: i64,
    pub last_seen: i64,
}

/// What pricing takes from a span. Columns and units as in [`crate::observability::rows`].
#[derive(Debug, Clone, PartialEq, Row, Deserialize)]
pub struct PriceableRow {
    pub trace_id: String,
    pub span_id: String,
    pub start_time: i64,
    pub scope_name: String,
    pub provider: String,
    pub model: String,
    pub usage_details: Pairs<u64>,
    pub cost_details: Pairs<i64>,
    pub total_cost: Option<i64>,
    pub cost_source: String,
    pub price_id: String,
    pub flags: Vec<String>,
    /// Those that may tell the service tier.
    pub attributes: Pairs<String>,
    /// About how many bytes the whole row has.
    pub bytes: u64,
}

/// Which spans are priced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Priceable {
    /// Nanoseconds since the epoch, inclusive; none: since ever.
    pub from: Option<i64>,
    /// Exclusive; none: for ever.
    pub to: Option<i64>,
    /// Pairs of provider (none: any) and model; empty: all.
    pub models: Vec<(Option<String>, String)>,
}

/// Spans of one hour, after one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceableCursor {
    /// Start of the hour, nanoseconds since the epoch.
    pub hour: i64,
    /// The last span that was read of it; empty: none.
    pub trace: String,
    pub span: String,
}

const HOUR_NS: i64 = 3_600_000_000_000;

/// Spans whose cost a price list decides: not those of the client, and not those that only add up what others report.
const BY_LIST: &str = "notEmpty(usage_details) AND model != '' AND cost_source != 'client' AND NOT has(flags, 'usage_rolled_up')";

/// Spans with tokens and without a cost.
const WITHOUT_PRICE: &str =
    "total_cost IS NULL AND total_tokens > 0 AND NOT has(flags, 'usage_rolled_up') AND NOT has(flags, 'cost_overflow')";

fn read(error: clickhouse::error::Error) -> StoreError {
    StoreError::of_read(&error)
}

impl Priceable {
    /// The part of an hour that is meant.
    fn within(&self, hour: i64) -> (i64, i64) {
        let (from, to) = (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX));
        (hour.max(from), hour.saturating_add(HOUR_NS).min(to))
    }

    /// A condition on provider and model, with a `?` for each text that [`Priceable::texts`] gives.
    fn condition(&self) -> String {
        if self.models.is_empty() {
            return "1".to_owned();
        }
        let one = |(provider, _): &(Option<String>, String)| if provider.is_some() { "(provider = ? AND model = ?)" } else { "model = ?" };
        format!("({})", self.models.iter().map(one).collect::<Vec<_>>().join(" OR "))
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.models.iter().flat_map(|(provider, model)| provider.as_deref().into_iter().chain([model.as_str()]))
    }
}

impl TelemetryStore {
    /// Models without a price among the spans that started in `[from, to)`, those of most spans first.
    ///
    /// # Errors
    /// When the store does not answer, or not within the limits of a reader.
    pub async fn list_unpriced(&self, project: &str, from: i64, to: i64, most: u32) -> Result<Vec<UnpricedRow>, StoreError> {
        let sql = format!(
            "SELECT provider, model, count() AS spans, sum(o.input_tokens) AS input_tokens, sum(o.output_tokens) AS output_tokens, \
             sumMap(usage_details) AS usage, min(start_time) AS first_seen, max(start_time) AS last_seen FROM observations AS o FINAL \
             WHERE project_id = ? AND start_time >= fromUnixTimestamp64Nano(toInt64(?), 'UTC') AND start_time < fromUnixTimestamp64Nano(toInt64(?), 'UTC') \
             AND {WITHOUT_PRICE} GROUP BY provider, model ORDER BY spans DESC, provider, model LIMIT ?"
        );
        let query = self.clickhouse.read_client().query(&sql).bind(project).bind(from).bind(to).bind(most);
        self.clickhouse.within(query.fetch_all::<UnpricedRow>()).await.map_err(read)
    }

    /// The hours in which spans may have to be priced, with how many there are at most, oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_priceable_hours(&self, project: &str, which: &Priceable) -> Result<Vec<(i64, u64)>, StoreError> {
        // Without FINAL, which would read every hour whole: rows that newer ones replace make the count too large, and nothing worse.
        let sql = format!(
            "SELECT toInt64(toUnixTimestamp(toStartOfHour(start_time))) * 1000000000 AS hour, count() FROM observations WHERE project_id = ? \
             AND start_time >= fromUnixTimestamp64Nano(toInt64(?), 'UTC') AND start_time < fromUnixTimestamp64Nano(toInt64(?), 'UTC') \
             AND {BY_LIST} AND {} GROUP BY hour ORDER BY hour",
            which.condition()
        );
        let mut query = self.clickhouse.client().query(&sql).bind(project);
        query = query.bind(which.from.unwrap_or(0)).bind(which.to.unwrap_or(i64::MAX));
        for text in which.texts() {
            query = query.bind(text);
        }
        self.clickhouse.within(query.fetch_all::<(i64, u64)>()).await.map_err(read)
    }

    /// The next spans of an hour in the order of their ids, `limit` at most.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_priceable(
        &self,
        project: &str,
        which: &Priceable,
        after: &PriceableCursor,
        limit: u32,
    ) -> Result<Vec<PriceableRow>, StoreError> {
        // Not ordered by the whole key, which is the same order within an hour: the store then reads in the order of the key, and
        // that takes two to three times as long (measured with 200,000 spans of an hour).
        let sql = format!(
            "SELECT trace_id, span_id, start_time, scope_name, provider, model, usage_details, cost_details, total_cost, cost_source, \
             price_id, flags, mapFilter((k, v) -> has(?, k), o.attributes) AS attributes, \
             toUInt64(input_length) + output_length + byteSize(o.attributes) AS bytes FROM observations AS o FINAL WHERE project_id = ? \
             AND start_time >= fromUnixTimestamp64Nano(toInt64(?), 'UTC') AND start_time < fromUnixTimestamp64Nano(toInt64(?), 'UTC') \
             AND (trace_id, span_id) > (?, ?) AND {BY_LIST} AND {} ORDER BY trace_id, span_id LIMIT ?",
            which.condition()
        );
        let (from, to) = which.within(after.hour);
        let mut query = self.clickhouse.client().query(&sql).bind(tier::attributes()).bind(project).bind(from).bind(to);
        query = query.bind(&after.trace).bind(&after.span);
        for text in which.texts() {
            query = query.bind(text);
        }
        self.clickhouse.within(query.bind(limit).fetch_all::<PriceableRow>()).await.map_err(read)
    }

    /// These spans of an hour, whole.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list_whole_spans(&self, project: &str, hour: i64, spans: &[(&str, &str)]) -> Result<Vec<ObservationRow>, StoreError> {
        let query = self
            .clickhouse
            .client()
            .query(
                "SELECT ?fields FROM observations FINAL WHERE project_id = ? AND start_time >= fromUnixTimestamp64Nano(toInt64(?), 'UTC') \
                 AND start_time < fromUnixTimestamp64Nano(toInt64(?), 'UTC') AND (trace_id, span_id) IN ?",
            )
            .bind(project)
            .bind(hour)
            .bind(hour.saturating_add(HOUR_NS))
            .bind(spans)
            .with_setting("max_query_size", super::write::MAX_QUERY_SIZE);
        self.clickhouse.within(query.fetch_all::<ObservationRow>()).await.map_err(read)
    }
}
