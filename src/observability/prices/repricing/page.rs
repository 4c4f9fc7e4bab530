//! One page of spans: what they cost today, and writing that.
//!
//! A span that is priced anew gets a row of one version more. So it takes the place of the row it was made from, and of any copy of
//! that which a queue delivers again; while whatever the client sends of the span later, or has sent and is still on its way, has a
//! later time of receipt and with it a larger version.

use std::collections::BTreeSet;

use super::totals::Totals;
use crate::observability::convert::{ListedCost, listed_cost, tier};
use crate::observability::prices::explain::tokens_of;
use crate::observability::pricing::{Pricer, Query};
use crate::observability::rows::{CLIENT_COST, COST_OVERFLOW, ObservationRow, Pairs, USAGE_ROLLED_UP};
use crate::observability::store::{PriceableRow, StoreError, TelemetryStore};

/// Whole rows that are in memory at once.
const ROWS_AT_ONCE: usize = 500;
/// About how many bytes of them.
const BYTES_AT_ONCE: u64 = 16 << 20;

/// What pricing looks at, of a narrow or a whole row.
struct Subject<'a> {
    provider: &'a str,
    model: &'a str,
    start_ns: i64,
    scope_name: &'a str,
    usage: &'a Pairs<u64>,
    attributes: &'a Pairs<String>,
    details: &'a Pairs<i64>,
    total: Option<i64>,
    source: &'a str,
    price_id: &'a str,
    flags: &'a [String],
}

macro_rules! subject {
    ($row:expr) => {
        Subject {
            provider: &$row.provider,
            model: &$row.model,
            start_ns: $row.start_time,
            scope_name: &$row.scope_name,
            usage: &$row.usage_details,
            attributes: &$row.attributes,
            details: &$row.cost_details,
            total: $row.total_cost,
            source: &$row.cost_source,
            price_id: &$row.price_id,
            flags: &$row.flags,
        }
    };
}

impl Subject<'_> {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    /// Whether a price list decides its cost.
    fn by_list(&self) -> bool {
        self.source != CLIENT_COST && !self.has(USAGE_ROLLED_UP) && !self.model.is_empty() && !self.usage.is_empty()
    }

    fn cost(&self, pricer: &Pricer) -> ListedCost {
        let tokens = tokens_of(self.usage);
        let tier = tier::of_stored(self.scope_name, self.attributes);
        listed_cost(pricer, &Query { provider: self.provider, model: self.model, start_ns: self.start_ns, tokens: &tokens, tier })
    }

    fn differs(&self, cost: &ListedCost) -> bool {
        // A map comes back from the store in the order of its pairs, which is the order of the kinds on both sides.
        (self.total, self.source, self.price_id) != (cost.total, cost.source, cost.price_id.as_str())
            || *self.details != cost.details
            || self.has(COST_OVERFLOW) != cost.overflow
    }
}

/// A page that was looked at.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Ids of trace and span, and about how many bytes, of what costs something else today.
    pub changed: Vec<(String, String, u64)>,
    pub totals: Totals,
}

/// Counts what a page costs today into `totals`.
pub(super) fn look(rows: &[PriceableRow], pricer: &Pricer, totals: &Totals) -> Looked {
    let mut looked = Looked { totals: totals.clone(), ..Looked::default() };
    for row in rows {
        let subject = subject!(row);
        let cost = subject.cost(pricer);
        let differs = subject.differs(&cost);
        looked.totals.add(&row.provider, &row.model, row.total_cost, cost.total, differs);
        if differs {
            looked.changed.push((row.trace_id.clone(), row.span_id.clone(), row.bytes));
        }
    }
    looked
}

/// The row with its cost of today; `None` where that is the cost it has, or no price list decides it. Everything else stays.
pub(super) fn repriced(mut row: ObservationRow, pricer: &Pricer) -> Option<ObservationRow> {
    let subject = subject!(row);
    if !subject.by_list() {
        return None;
    }
    let cost = subject.cost(pricer);
    if !subject.differs(&cost) {
        return None;
    }
    row.flags.retain(|flag| flag != COST_OVERFLOW);
    if cost.overflow {
        row.flags.push(COST_OVERFLOW.to_owned());
    }
    row.total_cost = cost.total;
    row.cost_details = cost.details;
    cost.source.clone_into(&mut row.cost_source);
    row.price_id = cost.price_id;
    row.row_version += 1;
    Some(row)
}

/// Writes the costs of today for spans of an hour; the ids of their traces.
pub(super) async fn write(
    store: &TelemetryStore,
    project: &str,
    hour: i64,
    spans: &[(String, String, u64)],
    pricer: &Pricer,
) -> Result<BTreeSet<String>, StoreError> {
    let mut traces = BTreeSet::new();
    let mut rest = spans;
    while !rest.is_empty() {
        let mut bytes = 0_u64;
        let fits = rest.iter().take(ROWS_AT_ONCE).take_while(|(.., size)| {
            let first = bytes == 0;
            bytes = bytes.saturating_add((*size).max(1));
            first || bytes <= BYTES_AT_ONCE
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        rest = later;
        let keys: Vec<(&str, &str)> = now.iter().map(|(trace, span, _)| (trace.as_str(), span.as_str())).collect();
        // Looked at once more: what was changed meanwhile is priced as it is now.
        let whole = store.list_whole_spans(project, hour, &keys).await?;
        let rows: Vec<ObservationRow> = whole.into_iter().filter_map(|row| repriced(row, pricer)).collect();
        if rows.is_empty() {
            continue;
        }
        // A fresh name: what is written again after a crash must not pass for what was written before.
        store.insert_observations(rows.iter(), &format!("reprice/{}", crate::common::id::fresh())).await?;
        traces.extend(rows.into_iter().map(|row| row.trace_id));
    }
    Ok(traces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{pricer, row, value};
    use crate::observability::pricing::{OwnPrice, OwnPrices, Owner};
    use crate::observability::rows::ENDED_VERSION_BIT;

    fn with_price(amounts: &str) -> Pricer {
        let prices = serde_json::from_str(&format!("[{{\"rates\":{amounts}}}]")).unwrap();
        let own = OwnPrice { owner: Owner::Project, id: "own".to_owned(), provider: String::new(), model: "*".to_owned(), prices };
        pricer().with_own(OwnPrices::new(vec![own]).unwrap())
    }

    fn span(more: &[(&str, opentelemetry_proto::tonic::common::v1::AnyValue)]) -> ObservationRow {
        let mut row = row(&[
            &[
                ("gen_ai.provider.name", value("openai")),
                ("gen_ai.request.model", value("gpt-4o")),
                ("gen_ai.usage.input_tokens", value(1_000)),
                ("gen_ai.usage.output_tokens", value(10)),
                ("input.value", value("what")),
            ],
            more,
        ]
        .concat());
        row.row_version = 7 | ENDED_VERSION_BIT;
        row
    }

    #[test]
    fn only_the_cost_is_another_and_the_version_is_the_next() {
        let before = span(&[("openai.response.service_tier", value("batch"))]);
        assert_eq!(repriced(before.clone(), pricer()), None, "the same prices change nothing");
        let own = with_price("{\"input\":\"1\",\"output\":\"2\"}");
        let after = repriced(before.clone(), &own).unwrap();
        assert_eq!(
            (after.total_cost, after.cost_source.as_str(), after.price_id.as_str()),
            (Some(1_020_000_000), "project", "project/own")
        );
        let expected = ObservationRow {
            cost_details: vec![("input".to_owned(), 1_000_000_000), ("output".to_owned(), 20_000_000)],
            total_cost: Some(1_020_000_000),
            cost_source: "project".to_owned(),
            price_id: "project/own".to_owned(),
            row_version: before.row_version + 1,
            ..before.clone()
        };
        assert_eq!(after, expected);
        assert_eq!(repriced(after.clone(), &own), None, "a second time changes nothing");
        // And back: the service tier is still known.
        let back = repriced(after, pricer()).unwrap();
        assert_eq!(ObservationRow { row_version: before.row_version, ..back }, before);
    }

    #[test]
    fn what_no_list_decides_is_left_alone() {
        let own = with_price("{\"input\":\"1\",\"output\":\"2\"}");
        let client = span(&[("gen_ai.usage.cost", value(0.5))]);
        assert_eq!(client.cost_source, "client");
        assert_eq!(repriced(client, &own), None);
        let mut rolled_up = span(&[]);
        rolled_up.flags.push(USAGE_ROLLED_UP.to_owned());
        assert_eq!(repriced(rolled_up, &own), None);
        let without_usage = row(&[("gen_ai.request.model", value("gpt-4o"))]);
        assert_eq!(repriced(without_usage, &own), None);
        let without_model = row(&[("gen_ai.usage.input_tokens", value(5))]);
        assert_eq!(repriced(without_model, &own), None);
    }

    #[test]
    fn a_price_that_is_gone_takes_its_cost_along_and_an_overflow_is_flagged() {
        let before = span(&[]);
        let gone = repriced(before.clone(), &with_price("{\"input\":\"1\"}")).unwrap();
        assert_eq!((gone.total_cost, gone.cost_source.as_str(), gone.price_id.as_str(), gone.cost_details.len()), (None, "", "", 0));
        let mut huge = before;
        huge.usage_details[0].1 = u64::MAX;
        let huge = repriced(huge, &with_price("{\"input\":\"1\",\"output\":\"2\"}")).unwrap();
        assert_eq!((huge.total_cost, huge.flags.as_slice()), (None, &[COST_OVERFLOW.to_owned()][..]));
    }
}
