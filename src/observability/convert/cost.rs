//! What a span cost: as its client worked it out, or by a price list.

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::family::{Field, Read};
use super::table::View;
use crate::observability::otlp::text::double_text;
use crate::observability::pricing::{Money, Pricer, Query, parse_money};
use crate::observability::rows::Pairs;
use crate::observability::usage::{Tokens, UsageKind};

/// What a span costs by a price list, in the form in which its row holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedCost {
    pub details: Pairs<i64>,
    /// None where no price is known.
    pub total: Option<i64>,
    /// `project`, `organization` or `catalogue`; empty without a price.
    pub source: &'static str,
    pub price_id: String,
    /// It costs more than can be stored, and has no total for that.
    pub overflow: bool,
}

/// Prices a span; a model without a name has no price.
#[must_use]
pub fn listed_cost(pricer: &Pricer, query: &Query<'_>) -> ListedCost {
    if query.model.is_empty() {
        return ListedCost::default();
    }
    match pricer.price(query) {
        None => ListedCost::default(),
        Some(priced) if priced.total.is_none() => ListedCost { overflow: true, ..ListedCost::default() },
        Some(priced) => ListedCost {
            details: priced.details,
            total: priced.total,
            source: priced.source,
            price_id: priced.price_id.to_string(),
            overflow: false,
        },
    }
}

/// What a client said a span cost, in 10^-12 US dollars.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientCost {
    pub details: Pairs<i64>,
    pub total: Option<i64>,
    /// Some value was no amount from 0 to below a million dollars.
    pub refused: bool,
    pub label: Option<&'static str>,
}

/// Reads the client's costs. Where only parts were given, their sum is the total as far as each side that has tokens has its cost:
/// half a cost is no total.
pub(super) fn client_cost(view: &View<'_>, tokens: &Tokens) -> ClientCost {
    let mut cost = ClientCost::default();
    let mut exclusive = false;
    let mut read = |field| {
        let mut first = None;
        for (candidate, hit) in view.hits(field) {
            let Some(value) = hit.value() else { continue };
            match amount(value) {
                Some(0) if matches!(candidate.read, Read::NotZero) => {}
                Some(amount) => {
                    exclusive |= matches!(candidate.read, Read::Exclusive);
                    first = Some((amount, candidate.label.as_str()));
                    break;
                }
                None => cost.refused = true,
            }
        }
        first
    };
    let total = read(Field::TotalCost);
    let parts = [
        (UsageKind::Input, read(Field::InputCost)),
        (UsageKind::InputCacheRead, read(Field::CacheReadCost)),
        (UsageKind::InputCacheWrite5m, read(Field::CacheWriteCost)),
        (UsageKind::Output, read(Field::OutputCost)),
        (UsageKind::OutputReasoning, read(Field::ReasoningCost)),
    ];
    let [(_, input), (_, cache_read), (_, cache_write), (_, output), (_, reasoning)] = parts;
    // Both sides are given whole, their details beside them: the details are taken out, so that the parts add up. Where the
    // parts are beside each other already, there is nothing to take out.
    let less = |whole: Option<(Money, &'static str)>, details: [Option<(Money, &'static str)>; 2]| {
        let details = if exclusive { [None; 2] } else { details };
        whole.map(|(whole, label)| (details.iter().flatten().fold(whole, |left, (detail, _)| left.saturating_sub(*detail)).max(0), label))
    };
    let parts = [
        (UsageKind::Input, less(input, [cache_read, cache_write])),
        (UsageKind::InputCacheRead, cache_read),
        (UsageKind::InputCacheWrite5m, cache_write),
        (UsageKind::Output, less(output, [reasoning, None])),
        (UsageKind::OutputReasoning, reasoning),
    ];
    for (kind, part) in parts {
        if let Some((amount, _)) = part {
            cost.details.push((kind.name().to_owned(), amount));
        }
    }
    let sum = cost.details.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
    cost.label = total.or(input).or(output).map(|(_, label)| label);
    let whole = (input.is_some() || tokens.input() == 0) && (output.is_some() || tokens.output() == 0);
    let sided = input.is_some() || output.is_some();
    cost.total = total.map(|(amount, _)| amount).or_else(|| (whole && sided).then_some(sum));
    cost
}

/// An amount of US dollars as a number or as text.
fn amount(value: &Value) -> Option<Money> {
    match value {
        Value::IntValue(value) => parse_money(&value.to_string()),
        // The shortest form of a double is the decimal that the client meant.
        Value::DoubleValue(value) => parse_money(&double_text(*value)),
        Value::StringValue(text) => parse_money(text.trim_ascii()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::AnyValue;

    use crate::observability::convert::testing::{flagged, mapped, row, value};

    #[test]
    fn a_client_total_wins_over_the_catalogue_to_twelve_places() {
        let row = row(&[
            ("gen_ai.provider.name", value("openai")),
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.usage.input_tokens", value(1000)),
            ("gen_ai.usage.cost", value("0.123456789012")),
        ]);
        assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(123_456_789_012), "client"));
        assert_eq!(mapped(&row, "cost"), Some("genai:gen_ai.usage.cost"));
    }

    #[test]
    fn a_client_cost_needs_no_usage() {
        let row = row(&[("gen_ai.usage.cost", value(1.5e-5))]);
        assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(15_000_000), "client"));
    }

    #[test]
    fn zero_under_the_general_name_is_no_cost() {
        let tokens = [
            ("gen_ai.provider.name", value("openai")),
            ("gen_ai.request.model", value("gpt-4o")),
            ("gen_ai.usage.input_tokens", value(1000)),
        ];
        for zero in [value(0), value(0.0), value("0")] {
            let row = row(&[&tokens[..], &[("gen_ai.usage.cost", zero)]].concat());
            assert_eq!((row.total_cost, row.cost_source.as_str(), row.flags.len()), (Some(2_500_000_000), "catalogue", 0));
        }
        // What an SDK gives as the cost is the cost, also when it is nothing.
        let free = row(&[&tokens[..], &[("langfuse.observation.cost_details", value("{\"total\":0}"))]].concat());
        assert_eq!((free.total_cost, free.cost_source.as_str()), (Some(0), "client"));
    }

    #[test]
    fn what_is_no_amount_is_refused_and_the_catalogue_prices() {
        for odd in [value("NaN"), value(-0.5), value(1e7), value("free"), value(f64::INFINITY)] {
            let row = row(&[
                ("gen_ai.provider.name", value("openai")),
                ("gen_ai.request.model", value("gpt-4o")),
                ("gen_ai.usage.input_tokens", value(1000)),
                ("gen_ai.usage.cost", odd),
            ]);
            assert!(flagged(&row, "cost_refused"));
            assert_eq!(row.cost_source, "catalogue");
        }
    }

    #[test]
    fn details_are_part_of_their_side() {
        let row = row(&[
            ("llm.cost.prompt", value(0.003)),
            ("llm.cost.prompt_details.cache_read", value(0.001)),
            ("llm.cost.completion", value(0.002)),
        ]);
        let expected = [("input", 2_000_000_000), ("input_cache_read", 1_000_000_000), ("output", 2_000_000_000)];
        assert_eq!(row.cost_details, expected.map(|(kind, amount)| (kind.to_owned(), amount)));
        assert_eq!(row.total_cost, Some(5_000_000_000));
    }

    #[test]
    fn one_side_is_no_total_while_the_other_has_tokens() {
        let tokens = [("gen_ai.usage.input_tokens", value(1000)), ("gen_ai.usage.output_tokens", value(100))];
        let model = [("gen_ai.provider.name", value("openai")), ("gen_ai.request.model", value("gpt-4o"))];
        let with = |more: &[(&str, AnyValue)], tokens: &[(&str, AnyValue)]| row(&[&model[..], tokens, more].concat());
        for one_side in [
            ("gen_ai.usage.input_cost", value(0.5)),
            ("gen_ai.usage.output_cost", value(0.5)),
            ("llm.cost.prompt_details.cache_read", value(0.5)),
            ("llm.cost.completion_details.reasoning", value(0.5)),
        ] {
            let row = with(std::slice::from_ref(&one_side), &tokens);
            assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(3_500_000_000), "catalogue"), "{}", one_side.0);
        }
        // A call without output has one side only, and its cost is whole.
        let row = with(&[("gen_ai.usage.input_cost", value(0.5))], &tokens[..1]);
        assert_eq!((row.total_cost, row.cost_source.as_str()), (Some(500_000_000_000), "client"));
        let both = [("gen_ai.usage.input_cost", value(0.5)), ("gen_ai.usage.output_cost", value(0.25))];
        assert_eq!(with(&both, &tokens).total_cost, Some(750_000_000_000));
    }
}
