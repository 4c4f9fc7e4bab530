//! Strands Agents.
//!
//! Source: its tracer. It follows OpenTelemetry's conventions, with messages as events; its agent spans tell the sum of what its
//! model calls used.

use super::{Family, Field, Mark, Read, attribute};

pub(super) const FAMILY: Family = Family {
    name: "strands",
    marks: &[Mark::Scope("strands.telemetry.tracer"), Mark::Scope("strands-agents"), Mark::Scope("strands.")],
    rules: &[
        attribute(Field::Type, "event_loop.cycle_id").read(Read::Told("chain")).only_marked().late(),
        attribute(Field::SystemInstructions, "system_prompt").only_marked(),
        attribute(Field::FirstToken, "gen_ai.server.time_to_first_token").read(Read::Milliseconds).only_marked(),
    ],
};

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
    use opentelemetry_proto::tonic::trace::v1::span::Event;

    use crate::observability::convert::testing::{context, flagged, pairs, pricer, request, span, value};
    use crate::observability::rows::ObservationRow;

    fn scoped(attributes: &[(&str, AnyValue)], kind: i32, events: Vec<Event>) -> ObservationRow {
        let mut span = span(pairs(attributes));
        (span.kind, span.events) = (kind, events);
        let mut request = request(span, Vec::new());
        request.resource_spans[0].scope_spans[0].scope =
            Some(InstrumentationScope { name: "strands.telemetry.tracer".to_owned(), ..InstrumentationScope::default() });
        crate::observability::convert::convert(request, &context(), pricer()).remove(0)
    }

    #[test]
    fn a_model_call_counts_and_the_agent_above_it_does_not_count_again() {
        let usage = [
            ("gen_ai.system", value("strands-agents")),
            ("gen_ai.request.model", value("us.anthropic.claude-3-7-sonnet-20250219-v1:0")),
            ("gen_ai.usage.prompt_tokens", value(100)),
            ("gen_ai.usage.input_tokens", value(100)),
            ("gen_ai.usage.completion_tokens", value(50)),
            ("gen_ai.usage.output_tokens", value(50)),
            ("gen_ai.usage.total_tokens", value(150)),
            ("gen_ai.usage.cache_read_input_tokens", value(40)),
            ("gen_ai.usage.cache_write_input_tokens", value(20)),
        ];
        let events = vec![
            Event {
                name: "gen_ai.user.message".to_owned(),
                attributes: pairs(&[("content", value("[{\"text\":\"hi\"}]"))]),
                ..Event::default()
            },
            Event { name: "gen_ai.choice".to_owned(), attributes: pairs(&[("message", value("[{\"text\":\"yo\"}]"))]), ..Event::default() },
        ];
        let call = scoped(&[&usage[..], &[("gen_ai.operation.name", value("chat"))]].concat(), 1, events);
        assert_eq!(call.r#type, "generation");
        // Bedrock's own counts: what was cached is beside the input.
        let counts = [("input", 100), ("input_cache_read", 40), ("input_cache_write_5m", 20), ("output", 50), ("total", 210)];
        assert_eq!(call.usage_details, counts.map(|(kind, count)| (kind.to_owned(), count)));
        assert_eq!(call.input, r#"[{"role":"user","content":[{"text":"hi"}]}]"#);
        assert_eq!(call.output, r#"[{"role":"assistant","message":[{"text":"yo"}]}]"#);
        let agent = scoped(&[&usage[..], &[("gen_ai.operation.name", value("invoke_agent"))]].concat(), 1, Vec::new());
        assert_eq!((agent.r#type.as_str(), agent.total_tokens, flagged(&agent, "usage_rolled_up")), ("agent", 0, true));
        let remote = scoped(&[&usage[..], &[("gen_ai.operation.name", value("invoke_agent"))]].concat(), 3, Vec::new());
        assert_eq!((remote.r#type.as_str(), remote.total_tokens), ("agent", 210));
    }
}
