use super::*;
use crate::observability::convert::testing::pricer;
use crate::observability::usage::UsageKind;

/// 2025-10-09T08:53:20Z.
const NOW: i64 = 1_760_000_000_000_000_000;
const DOLLAR: Money = 1_000_000_000_000;

fn tokens(counts: &[(UsageKind, u64)]) -> Tokens {
    let mut tokens = Tokens::default();
    for (kind, count) in counts {
        tokens.set(*kind, *count);
    }
    tokens
}

fn priced_at(pricer: &Pricer, provider: &str, model: &str, start_ns: i64, tier: ServiceTier, tokens: &Tokens) -> Option<Priced> {
    pricer.price(&Query { provider, model, start_ns, tokens, tier })
}

/// What a million input tokens cost, in millionths of a dollar.
fn input_price(provider: &str, model: &str) -> Option<i64> {
    let million = tokens(&[(UsageKind::Input, 100_000)]);
    let priced = priced_at(pricer(), provider, model, NOW, ServiceTier::Standard, &million)?;
    priced.total.map(|total| total / 100_000)
}

#[test]
fn the_built_in_catalogue_reads_whole() {
    let pricer = pricer();
    assert!(pricer.catalogue.len() > 100);
}

#[test]
fn names_are_found_in_all_their_wrappings() {
    for (provider, model, millionths) in [
        ("openai", "gpt-4o", 2_500_000),
        ("openai", "gpt-4o-2024-08-06", 2_500_000),
        ("openai", "gpt-4o-2024-05-13", 5_000_000),
        ("openai", "GPT-4o", 2_500_000),
        ("azure_openai", "gpt-4o", 2_500_000),
        ("", "openai/gpt-4o", 2_500_000),
        ("", "gpt-4o-mini", 150_000),
        ("openrouter", "openai/gpt-4o", 2_500_000),
        ("openrouter", "anthropic/claude-3.5-sonnet", 3_000_000),
        ("anthropic", "claude-3-5-sonnet-20241022", 3_000_000),
        ("anthropic", "claude-3-5-sonnet-latest", 3_000_000),
        ("bedrock", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", 3_000_000),
        ("vertex_ai", "claude-3-5-sonnet@20241022", 3_000_000),
        ("google", "models/gemini-1.5-pro", 1_250_000),
        ("google", "gemini-1.5-pro-002", 1_250_000),
        ("vertex_ai", "gemini-2.5-pro", 1_250_000),
        ("groq", "llama-3.3-70b-versatile", 590_000),
        ("groq", "openai/gpt-oss-120b", 150_000),
        ("openai", "text-embedding-3-small", 20_000),
        ("openai", "gpt-4-0613", 30_000_000),
        ("openai", "gpt-3.5-turbo-0125", 500_000),
    ] {
        assert_eq!(input_price(provider, model), Some(millionths), "{provider} {model}");
    }
}

#[test]
fn what_is_not_known_has_no_price() {
    assert_eq!(input_price("openai", "my-model"), None);
    assert_eq!(input_price("ollama", "gpt-4o"), None);
    assert_eq!(input_price("groq", "gpt-4o"), None);
    assert_eq!(input_price("openai", ""), None);
    assert_eq!(input_price("openai", &"x".repeat(10_000_000)), None);
    // A longer name is another model, not a version of the shorter one.
    assert_eq!(input_price("openai", "gpt-4o-ultra"), None);
}

#[test]
fn costs_are_exact_to_twelve_places() {
    let pricer = pricer();
    let used = tokens(&[(UsageKind::Input, 97), (UsageKind::InputCacheRead, 3), (UsageKind::Output, 52), (UsageKind::OutputReasoning, 1)]);
    let priced = priced_at(pricer, "openai", "gpt-4o-mini", NOW, ServiceTier::Standard, &used).unwrap();
    // 97 at 0.15, 3 at 0.075, 52 and 1 at 0.60 dollars for a million.
    let expected = [("input", 14_550_000), ("input_cache_read", 225_000), ("output", 31_200_000), ("output_reasoning", 600_000)];
    assert_eq!(priced.details, expected.map(|(kind, cost)| (kind.to_owned(), cost)));
    assert_eq!(priced.total, Some(46_575_000));
    assert_eq!((priced.source, &*priced.price_id), ("catalogue", "openai/gpt-4o-mini@2026-11-22"));
}

#[test]
fn the_price_is_that_of_the_day_of_the_span() {
    let pricer = pricer();
    let million = tokens(&[(UsageKind::Input, 1_000_000)]);
    let on = |date: &str| {
        let start = chrono::DateTime::parse_from_rfc3339(date).unwrap().timestamp_nanos_opt().unwrap();
        let priced = priced_at(pricer, "openai", "o3", start, ServiceTier::Standard, &million).unwrap();
        (priced.total.unwrap() / DOLLAR, priced.price_id.to_string())
    };
    assert_eq!(on("2025-06-09T23:59:59Z"), (10, "openai/o3@2026-11-22".to_owned()));
    assert_eq!(on("2025-06-10T00:00:00Z"), (2, "openai/o3@2025-06-10".to_owned()));
}

#[test]
fn tiers_and_long_contexts_have_their_rates() {
    let pricer = pricer();
    let cost = |provider, model, tier, input| {
        priced_at(pricer, provider, model, NOW, tier, &tokens(&[(UsageKind::Input, input)])).unwrap().total.unwrap()
    };
    assert_eq!(cost("openai", "gpt-4o", ServiceTier::Batch, 1_000_000), 1_250_000_000_000);
    assert_eq!(cost("openai", "gpt-4o", ServiceTier::Priority, 1_000_000), 4_250_000_000_000);
    // No flex price: the standard one holds.
    assert_eq!(cost("openai", "gpt-4o", ServiceTier::Flex, 1_000_000), 2_500_000_000_000);
    assert_eq!(cost("google", "gemini-2.5-pro", ServiceTier::Standard, 200_000), 250_000_000_000);
    assert_eq!(cost("google", "gemini-2.5-pro", ServiceTier::Standard, 200_001), 500_002_500_000);
}

#[test]
fn kinds_without_a_rate_take_the_nearest() {
    let json = br#"{"models":[{"provider":"x","name":"m","prices":[{"rates":{"input":"1","output":"2","input_cache_write_5m":"3"}}]},
        {"provider":"x","name":"e","prices":[{"rates":{"input":"1"}}]}]}"#;
    let pricer = &Pricer::from_json(json).unwrap();
    let cost = |model, kind| {
        let priced = priced_at(pricer, "x", model, NOW, ServiceTier::Standard, &tokens(&[(kind, 1_000_000)]));
        priced.map(|priced| priced.total.unwrap() / DOLLAR)
    };
    assert_eq!(cost("m", UsageKind::InputCacheRead), Some(1));
    assert_eq!(cost("m", UsageKind::InputCacheWrite1h), Some(3));
    assert_eq!(cost("m", UsageKind::OutputReasoning), Some(2));
    assert_eq!(cost("m", UsageKind::OutputAudio), Some(2));
    // A model without an output price prices no output, but a zero needs no price.
    assert_eq!(cost("e", UsageKind::Output), None);
    let none = priced_at(pricer, "x", "e", NOW, ServiceTier::Standard, &tokens(&[(UsageKind::Input, 1_000_000), (UsageKind::Output, 0)]));
    assert_eq!(none.unwrap().total, Some(DOLLAR));
}

#[test]
fn nothing_used_costs_nothing_and_too_much_is_no_number() {
    let pricer = pricer();
    assert_eq!(priced_at(pricer, "openai", "gpt-4o", NOW, ServiceTier::Standard, &Tokens::default()), None);
    let absurd = tokens(&[(UsageKind::Input, u64::MAX), (UsageKind::Output, u64::MAX)]);
    assert_eq!(priced_at(pricer, "openai", "gpt-4o", NOW, ServiceTier::Standard, &absurd).unwrap().total, None);
}

#[test]
fn a_project_price_comes_first() {
    let price = |amount: &str| PriceFile {
        from: None,
        seen: None,
        rates: RatesFile { rates: [("input".to_owned(), amount.to_owned())].into(), above: Vec::new() },
        batch: None,
        flex: None,
        priority: None,
    };
    let own = |provider: &str, model: &str, amount: &str| Override {
        provider: provider.to_owned(),
        model: model.to_owned(),
        prices: vec![price(amount)],
    };
    let overrides = Overrides::new(&[own("openai", "gpt-4o", "1"), own("", "my-*", "7"), own("", "my-own", "5")]).unwrap();
    let pricer = &pricer().with_overrides(overrides);
    let million = tokens(&[(UsageKind::Input, 1_000_000)]);
    let priced = |provider, model| {
        let priced = priced_at(pricer, provider, model, NOW, ServiceTier::Standard, &million).unwrap();
        (priced.total.unwrap() / DOLLAR, priced.source)
    };
    assert_eq!(priced("openai", "gpt-4o-2024-08-06"), (1, "project"));
    assert_eq!(priced("vllm", "my-own"), (5, "project"));
    assert_eq!(priced("vllm", "my-llama"), (7, "project"));
    assert_eq!(priced("openai", "gpt-4.1"), (2, "catalogue"));
    assert!(Overrides::new(&[own("", "m", "cheap")]).is_err());
}
