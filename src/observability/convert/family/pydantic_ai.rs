//! Pydantic AI.
//!
//! Source: its instrumentation. Model requests follow OpenTelemetry's conventions; agent runs and older tool calls have keys of
//! their own. An agent run tells the sum of what its requests used.

use super::{Family, Field, Mark, Read, attribute};

pub(super) const FAMILY: Family = Family {
    name: "pydantic-ai",
    marks: &[Mark::Scope("pydantic-ai")],
    rules: &[
        attribute(Field::Type, "gen_ai.tool.name").read(Read::Told("tool")).only_marked().late(),
        attribute(Field::Type, "tool_arguments").read(Read::Told("tool")).only_marked().late(),
        attribute(Field::Type, "agent_name").read(Read::Told("agent")).only_marked().late(),
        attribute(Field::RequestModel, "model_name").only_marked(),
        attribute(Field::Input, "pydantic_ai.all_messages"),
        attribute(Field::Input, "all_messages_events").only_marked(),
        attribute(Field::Input, "tool_arguments").only_marked(),
        attribute(Field::Input, "events").only_marked().late(),
        attribute(Field::Output, "final_result").only_marked(),
        attribute(Field::Output, "tool_response").only_marked(),
        attribute(Field::TotalCost, "operation.cost").only_marked(),
    ],
};

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};

    use crate::observability::convert::testing::{context, fixture_rows, flagged, mapped, pairs, pricer, request, row, span, value};
    use crate::observability::rows::ObservationRow;

    fn scoped(attributes: &[(&str, AnyValue)]) -> ObservationRow {
        let mut request = request(span(pairs(attributes)), Vec::new());
        request.resource_spans[0].scope_spans[0].scope =
            Some(InstrumentationScope { name: "pydantic-ai".to_owned(), ..InstrumentationScope::default() });
        crate::observability::convert::convert(request, &context(), pricer()).remove(0)
    }

    #[test]
    fn an_agent_run_has_all_messages_and_its_result() {
        let row = fixture_rows("pydantic-ai-agent-root.json").remove(0);
        assert_eq!((row.r#type.as_str(), row.name.as_str(), row.model.as_str()), ("agent", "roulette_agent run", "gpt-4o"));
        assert!(row.input.starts_with(r#"[{"role":"system","parts":[{"type":"text","content":"Use the `roulette_wheel` function"#));
        assert_eq!(row.output, "Congratulations! You've won by placing your bet on square eighteen. 🎉");
        assert_eq!(mapped(&row, "input"), Some("pydantic-ai:pydantic_ai.all_messages"));
        assert_eq!(mapped(&row, "output"), Some("pydantic-ai:final_result"));
        // What its requests used is counted there; the run keeps the sum.
        assert_eq!(row.usage_details, [("input", 174), ("output", 31), ("total", 205)].map(|(kind, count)| (kind.to_owned(), count)));
        assert_eq!((row.total_tokens, row.total_cost), (0, None));
        assert!(flagged(&row, "usage_rolled_up"));
    }

    #[test]
    fn a_tool_call_has_its_arguments_and_its_response() {
        let row = scoped(&[
            ("gen_ai.tool.name", value("roulette_wheel")),
            ("logfire.msg", value("running tool: roulette_wheel")),
            ("tool_arguments", value("{\"square\":18}")),
            ("tool_response", value("winner")),
        ]);
        assert_eq!((row.r#type.as_str(), row.name.as_str()), ("tool", "roulette_wheel"));
        assert_eq!((row.input.as_str(), row.output.as_str()), ("{\"square\":18}", "winner"));
    }

    #[test]
    fn elsewhere_its_plain_words_mean_nothing() {
        let row = row(&[("agent_name", value("a")), ("model_name", value("m")), ("final_result", value("r")), ("events", value("[]"))]);
        assert_eq!((row.r#type.as_str(), row.model.as_str(), row.output.as_str(), row.input.as_str()), ("span", "", "", ""));
    }

    #[test]
    fn the_input_of_a_request_contains_the_cached_part_whoever_the_provider_is() {
        let row = scoped(&[
            ("gen_ai.operation.name", value("chat")),
            ("gen_ai.provider.name", value("anthropic")),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.details.cache_read_input_tokens", value(40)),
        ]);
        assert_eq!(row.usage_details[..2], [("input".to_owned(), 60), ("input_cache_read".to_owned(), 40)]);
    }
}
