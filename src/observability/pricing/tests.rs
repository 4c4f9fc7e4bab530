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

fn flat(amounts: &[(&str, &str)]) -> RatesFile {
    RatesFile { rates: amounts.iter().map(|(kind, amount)| ((*kind).to_owned(), (*amount).to_owned())).collect(), above: Vec::new() }
}

fn version(from: Option<&str>, amounts: &[(&str, &str)]) -> PriceFile {
    PriceFile { from: from.map(str::to_owned), seen: None, source: None, rates: flat(amounts), batch: None, flex: None, priority: None }
}

fn own(owner: Owner, provider: &str, model: &str, prices: Vec<PriceFile>) -> OwnPrice {
    OwnPrice { owner, id: format!("id-of-{model}"), provider: provider.to_owned(), model: model.to_owned(), prices }
}

#[test]
fn a_projects_price_comes_before_the_organisations_before_the_catalogues() {
    let input = |amount| vec![version(None, &[("input", amount)])];
    let own = OwnPrices::new(vec![
        own(Owner::Organization, "openai", "gpt-4o", input("9")),
        own(Owner::Organization, "", "team-*", input("8")),
        own(Owner::Project, "", "my-*", input("7")),
        own(Owner::Project, "", "my-big-*", input("6")),
        own(Owner::Project, "", "my-own", input("5")),
        own(Owner::Project, "openai", "gpt-4o", input("1")),
        own(Owner::Project, "vllm", "team-a", input("4")),
        own(Owner::Project, "groq", "llama-3.3-70b-versatile", vec![version(Some("2030-01-01"), &[("input", "3")])]),
    ]);
    let pricer = &pricer().with_own(own.unwrap());
    let million = tokens(&[(UsageKind::Input, 1_000_000)]);
    let found = |provider, model| {
        let priced = priced_at(pricer, provider, model, NOW, ServiceTier::Standard, &million)?;
        let rule = pricer.find(provider, model, NOW).unwrap().rule.name();
        Some((priced.total.unwrap() / (DOLLAR / 100), priced.source, rule))
    };
    for (provider, model, expected) in [
        ("openai", "gpt-4o", Some((100, "project", "exact"))),
        ("openai", "GPT-4o", Some((100, "project", "exact"))),
        ("openai", "gpt-4o-2024-08-06", Some((100, "project", "normalised"))),
        ("openrouter", "openai/gpt-4o", Some((100, "project", "normalised"))),
        // Another provider's model of the same name is not this one.
        ("ollama", "gpt-4o", None),
        ("vllm", "my-own", Some((500, "project", "exact"))),
        ("vllm", "my-llama", Some((700, "project", "pattern"))),
        ("vllm", "my-big-llama", Some((600, "project", "pattern"))),
        ("vllm", "team-a", Some((400, "project", "exact"))),
        ("ollama", "team-a", Some((800, "organization", "pattern"))),
        ("openai", "gpt-4.1", Some((200, "catalogue", "exact"))),
        // An own price that does not hold yet leaves the span to the lists behind it.
        ("groq", "llama-3.3-70b-versatile", Some((59, "catalogue", "exact"))),
        ("anthropic", "claude-3-5-sonnet-latest", Some((300, "catalogue", "normalised"))),
    ] {
        assert_eq!(found(provider, model), expected, "{provider} {model}");
    }
    let id = |provider, model, time| pricer.find(provider, model, time).unwrap().price_id.to_string();
    assert_eq!(id("openai", "gpt-4o", NOW), "project/id-of-gpt-4o");
    assert_eq!(id("groq", "llama-3.3-70b-versatile", i64::MAX), "project/id-of-llama-3.3-70b-versatile@2030-01-01");
    let wrong = |prices| OwnPrices::new(vec![super::tests::own(Owner::Project, "", "m", prices)]).is_err();
    assert!(wrong(vec![version(None, &[("input", "cheap")])]));
    assert!(wrong(vec![version(None, &[("thoughts", "1")])]));
    assert!(wrong(vec![version(Some("tomorrow"), &[("input", "1")])]));
}

/// Context, service tier and time decide together; amounts are exact to 12 places.
#[test]
fn own_prices_have_tiers_contexts_and_days() {
    let long = |limit, amount: &str| AboveFile { input_tokens: limit, rates: flat(&[("input", amount)]).rates };
    let first = version(Some("2025-01-01"), &[("input", "1.000001"), ("output", "0.000001")]);
    let second = PriceFile {
        rates: RatesFile { above: vec![long(1_000, "3"), long(2_000, "4")], ..flat(&[("input", "2"), ("output", "8")]) },
        batch: Some(flat(&[("input", "1")])),
        priority: Some(RatesFile { above: vec![long(1_000, "30")], ..flat(&[("input", "20"), ("output", "80")]) }),
        ..version(Some("2025-06-01"), &[])
    };
    let own = OwnPrices::new(vec![own(Owner::Project, "", "m", vec![second, first])]).unwrap();
    let pricer = &pricer().with_own(own);
    let day = |date: &str| price::day_ns(date).unwrap();
    let cost = |date: i64, tier, input, output| {
        let used = tokens(&[(UsageKind::Input, input), (UsageKind::Output, output)]);
        priced_at(pricer, "x", "m", date, tier, &used).map(|priced| priced.total.unwrap())
    };
    use ServiceTier::{Batch, Flex, Priority, Standard};
    let (early, late) = (day("2025-01-01"), day("2025-06-01"));
    for (date, tier, input, output, expected) in [
        (early - 1, Standard, 1, 0, None),
        (early, Standard, 1, 0, Some(1_000_001)),
        (early, Standard, 1, 1, Some(1_000_002)),
        (early, Batch, 1, 0, Some(1_000_001)),
        (late - 1, Standard, 1_000_000, 0, Some(1_000_001_000_000)),
        (late, Standard, 1_000, 1, Some(2_008_000_000)),
        (late, Standard, 1_001, 1, Some(3_011_000_000)),
        (late, Standard, 2_001, 0, Some(8_004_000_000)),
        // A tier without long contexts has its own price for all of them; without an output price it has the standard one.
        (late, Batch, 2_001, 1, Some(2_009_000_000)),
        (late, Flex, 1_000, 0, Some(2_000_000_000)),
        (late, Priority, 1_000, 1, Some(20_080_000_000)),
        (late, Priority, 1_001, 1, Some(30_110_000_000)),
    ] {
        assert_eq!(cost(date, tier, input, output), expected, "{date} {tier:?} {input} {output}");
    }
}

#[test]
fn a_quote_says_why() {
    let own = OwnPrices::new(vec![
        own(Owner::Project, "", "half", vec![version(None, &[("input", "1")])]),
        own(Owner::Project, "", "new", vec![version(Some("2030-01-01"), &[("input", "1")])]),
    ]);
    let pricer = &pricer().with_own(own.unwrap());
    let used = tokens(&[(UsageKind::Input, 10), (UsageKind::InputCacheRead, 4), (UsageKind::Output, 2)]);
    let quote = |provider, model| pricer.quote(&Query { provider, model, start_ns: NOW, tokens: &used, tier: ServiceTier::Batch });
    assert_eq!(quote("x", "unheard-of").unpriced, Some(Unpriced::UnknownModel));
    assert_eq!(quote("x", "new").unpriced, Some(Unpriced::BeforeFirstPrice));
    let half = quote("x", "half");
    assert_eq!(half.unpriced, Some(Unpriced::NoRate(vec![UsageKind::Output])));
    let rates: Vec<_> = half.lines.iter().map(|line| line.rate.map(|rate| (rate.kind, rate.tier))).collect();
    assert_eq!(rates, [Some((UsageKind::Input, ServiceTier::Standard)), Some((UsageKind::Input, ServiceTier::Standard)), None]);
    let whole = quote("openai", "gpt-4o");
    assert_eq!(whole.unpriced, None);
    let again = pricer
        .quote_by(&whole.found.unwrap().price_id, &Query { provider: "", model: "", start_ns: 0, tokens: &used, tier: ServiceTier::Batch });
    assert_eq!(again.unwrap(), whole.lines);
    assert_eq!(
        pricer
            .quote_by("openai/gpt-4o@1999-01-01", &Query { provider: "", model: "", start_ns: 0, tokens: &used, tier: ServiceTier::Batch }),
        None
    );
}

#[test]
fn every_price_of_the_catalogue_says_where_it_is_from_and_when_it_was_taken() {
    let mut prices = 0;
    for entry in pricer().catalogue() {
        for (id, price) in entry.prices() {
            prices += 1;
            assert!(price.source.as_deref().is_some_and(|source| source.len() > 5), "{id} has no source");
            assert!(price.seen.as_deref().is_some_and(is_day), "{id} has no date");
            assert!(price.from.as_deref().is_none_or(is_day), "{id}");
        }
    }
    assert!(prices > 700, "{prices}");
}
