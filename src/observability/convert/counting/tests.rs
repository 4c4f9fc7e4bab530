use opentelemetry_proto::tonic::common::v1::AnyValue;

use crate::observability::convert::testing::{context, convert_with, flagged, pairs, pricer, request, row, span, value};
use crate::observability::rows::ObservationRow;

/// The usage as one line, without the total.
fn usage(row: &ObservationRow) -> String {
    let kinds = row.usage_details.iter().filter(|(kind, _)| kind != "total");
    kinds.map(|(kind, tokens)| format!("{kind}={tokens}")).collect::<Vec<_>>().join(" ")
}

const IN: &str = "gen_ai.usage.input_tokens";
const OUT: &str = "gen_ai.usage.output_tokens";
const READ: &str = "gen_ai.usage.cache_read.input_tokens";
const WRITE: &str = "gen_ai.usage.cache_creation.input_tokens";
const FLAT_READ: &str = "gen_ai.usage.cache_read_input_tokens";
const FLAT_WRITE: &str = "gen_ai.usage.cache_creation_input_tokens";
const PROMPT: &str = "llm.token_count.prompt";
const COMPLETION: &str = "llm.token_count.completion";

#[test]
fn each_convention_is_counted_once() {
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, i64)], &'a str);
    let cases: &[Case<'_>] = &[
        // Inclusive: what is cached and reasoned is part of the totals.
        (
            "openai, current",
            "openai",
            &[(IN, 100), (OUT, 50), (READ, 40), ("gen_ai.usage.reasoning.output_tokens", 20)],
            "input=60 input_cache_read=40 output=30 output_reasoning=20",
        ),
        ("openai, flat", "openai", &[(IN, 100), (OUT, 50), (FLAT_READ, 40)], "input=60 input_cache_read=40 output=50"),
        (
            "openai, deprecated",
            "openai",
            &[("gen_ai.usage.prompt_tokens", 14), ("gen_ai.usage.completion_tokens", 173)],
            "input=14 output=173",
        ),
        (
            "gemini",
            "gcp.gemini",
            &[(IN, 100), (OUT, 50), (READ, 10), ("gen_ai.usage.reasoning_tokens", 5)],
            "input=90 input_cache_read=10 output=45 output_reasoning=5",
        ),
        (
            "anthropic, current names",
            "anthropic",
            &[(IN, 100), (OUT, 50), (READ, 40), (WRITE, 20)],
            "input=40 input_cache_read=40 input_cache_write_5m=20 output=50",
        ),
        (
            "openinference",
            "anthropic",
            &[
                (PROMPT, 100),
                (COMPLETION, 50),
                ("llm.token_count.prompt_details.cache_read", 40),
                ("llm.token_count.prompt_details.cache_write", 10),
                ("llm.token_count.completion_details.reasoning", 30),
            ],
            "input=50 input_cache_read=40 input_cache_write_5m=10 output=20 output_reasoning=30",
        ),
        (
            "openinference, audio",
            "openai",
            &[
                (PROMPT, 100),
                (COMPLETION, 50),
                ("llm.token_count.prompt_details.audio", 30),
                ("llm.token_count.completion_details.audio", 20),
            ],
            "input=70 input_audio=30 output=30 output_audio=20",
        ),
        // Exclusive: Anthropic's and Bedrock's own counts, under names that pass them on.
        (
            "anthropic, raw",
            "anthropic",
            &[(IN, 100), (OUT, 50), (FLAT_READ, 40), (FLAT_WRITE, 20)],
            "input=100 input_cache_read=40 input_cache_write_5m=20 output=50",
        ),
        ("bedrock, raw", "aws.bedrock", &[(IN, 100), (OUT, 50), (FLAT_READ, 40)], "input=100 input_cache_read=40 output=50"),
        (
            "anthropic, both lives",
            "anthropic",
            &[(IN, 10), (OUT, 5), (FLAT_WRITE, 30), ("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", 20)],
            "input=10 input_cache_write_5m=10 input_cache_write_1h=20 output=5",
        ),
        (
            "anthropic, two lives given",
            "anthropic",
            &[
                (IN, 10),
                (FLAT_WRITE, 30),
                ("gen_ai.usage.cache_creation.ephemeral_5m_input_tokens", 12),
                ("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens", 18),
            ],
            "input=10 input_cache_write_5m=12 input_cache_write_1h=18",
        ),
        (
            "anthropic, current names but more cached than input",
            "anthropic",
            &[(IN, 10), (OUT, 5), (READ, 4000)],
            "input=10 input_cache_read=4000 output=5",
        ),
        (
            "anthropic, the client's total says so",
            "anthropic",
            &[(IN, 100), (OUT, 50), (READ, 40), ("gen_ai.usage.total_tokens", 190)],
            "input=100 input_cache_read=40 output=50",
        ),
        // Both spellings of one detail: subtracted once.
        ("both spellings", "openai", &[(IN, 100), (OUT, 50), (READ, 40), (FLAT_READ, 40)], "input=60 input_cache_read=40 output=50"),
        ("both spellings, anthropic", "anthropic", &[(IN, 100), (READ, 40), (FLAT_READ, 40)], "input=60 input_cache_read=40"),
        ("both totals", "openai", &[(IN, 100), ("gen_ai.usage.prompt_tokens", 100)], "input=100"),
        (
            "two families",
            "openai",
            &[(PROMPT, 100), (IN, 100), (COMPLETION, 7), (OUT, 7), (READ, 40)],
            "input=60 input_cache_read=40 output=7",
        ),
        // Zero is not missing.
        ("zeros", "openai", &[(IN, 0), (OUT, 0), (READ, 0)], "input=0 output=0"),
        ("only output", "openai", &[(OUT, 5)], "output=5"),
        ("nothing", "openai", &[], ""),
    ];
    for (name, provider, counts, expected) in cases {
        let mut attributes: Vec<(&str, AnyValue)> = counts.iter().map(|(key, count)| (*key, value(*count))).collect();
        attributes.push(("gen_ai.provider.name", value(*provider)));
        let row = row(&attributes);
        assert_eq!(usage(&row), *expected, "{name}");
        let sum = |input: bool| -> u64 {
            let parts = row.usage_details.iter().filter(|(kind, _)| kind != "total" && kind.starts_with("input") == input);
            parts.map(|(_, tokens)| tokens).sum()
        };
        assert_eq!((row.input_tokens, row.output_tokens), (sum(true), sum(false)), "{name}");
        assert_eq!(row.total_tokens, row.input_tokens + row.output_tokens, "{name}");
        let total = row.usage_details.iter().find(|(kind, _)| kind == "total").map(|(_, tokens)| *tokens);
        assert_eq!(total, (!counts.is_empty()).then_some(row.total_tokens), "{name}");
        assert!(!flagged(&row, "usage_clamped"), "{name}");
    }
}

fn usage_in_scope(scope: &str, attributes: &[(&str, AnyValue)]) -> String {
    let mut request = request(span(pairs(attributes)), Vec::new());
    request.resource_spans[0].scope_spans[0].scope =
        Some(opentelemetry_proto::tonic::common::v1::InstrumentationScope { name: scope.to_owned(), ..Default::default() });
    usage(&crate::observability::convert::convert(request, &context(), pricer()).remove(0))
}

#[test]
fn an_instrumentation_that_adds_the_cache_itself_is_inclusive() {
    let attributes = [("gen_ai.system", value("Anthropic")), (IN, value(100)), (FLAT_READ, value(40))];
    assert_eq!(usage_in_scope("opentelemetry.instrumentation.anthropic", &attributes), "input=60 input_cache_read=40");
}

#[test]
fn an_instrumentation_that_adds_nothing_is_exclusive_whatever_the_names() {
    let attributes = [("gen_ai.provider.name", value("anthropic")), (IN, value(100)), (READ, value(40))];
    assert_eq!(usage_in_scope("openlit.instrumentation.anthropic", &attributes), "input=100 input_cache_read=40");
    assert_eq!(usage_in_scope("anything", &attributes), "input=60 input_cache_read=40");
    let openai = [("gen_ai.provider.name", value("openai")), (IN, value(100)), (READ, value(40))];
    assert_eq!(usage_in_scope("openlit.instrumentation.openai", &openai), "input=60 input_cache_read=40");
}

#[test]
fn details_beyond_their_total_clamp_at_zero() {
    let row = row(&[
        ("gen_ai.provider.name", value("openai")),
        (IN, value(10)),
        (READ, value(50)),
        (OUT, value(5)),
        ("gen_ai.usage.reasoning_tokens", value(9)),
    ]);
    assert_eq!(usage(&row), "input=0 input_cache_read=50 output=0 output_reasoning=9");
    assert!(flagged(&row, "usage_clamped"));
}

#[test]
fn a_detail_without_its_total_invents_none() {
    let row = row(&[(READ, value(50)), ("gen_ai.usage.reasoning_tokens", value(9))]);
    assert_eq!((usage(&row).as_str(), row.total_tokens), ("", 0));
    assert!(flagged(&row, "usage_detail_without_total"));
    assert_eq!(row.flags.len(), 1);
}

#[test]
fn text_is_parsed_and_what_is_no_count_is_refused() {
    let good = row(&[(IN, value("174")), (OUT, value(31.0))]);
    assert_eq!((usage(&good).as_str(), flagged(&good, "usage_refused")), ("input=174 output=31", false));
    for odd in [value("NaN"), value(f64::NAN), value(-5), value(2_000_000_000), value(i64::MAX), value(0.5), value("lots"), value(true)] {
        let row = row(&[(IN, odd), (OUT, value(3))]);
        assert_eq!(usage(&row), "output=3");
        assert!(flagged(&row, "usage_refused"));
    }
    let second = row(&[(IN, value("NaN")), ("gen_ai.usage.prompt_tokens", value(7))]);
    assert_eq!((usage(&second).as_str(), flagged(&second, "usage_refused")), ("input=7", true));
}

#[test]
fn a_total_of_the_client_is_kept_beside_ours() {
    let row = row(&[(IN, value(10)), (OUT, value(5)), ("gen_ai.usage.total_tokens", value(99))]);
    assert_eq!((row.total_tokens, row.client_total_tokens), (15, Some(99)));
    let alone = convert_with(&[("llm.token_count.total", value(8))], &[], &context());
    assert_eq!((alone.total_tokens, alone.client_total_tokens, alone.usage_details.len()), (0, Some(8), 0));
}
