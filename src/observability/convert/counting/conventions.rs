//! Each provider's convention against each thing that can be said in it: what is cached, written, reasoned and heard, twice, as
//! text, not at all, and wrongly.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::{Value as Json, json};

use crate::observability::convert::testing::{flagged, row, value};
use crate::observability::rows::ObservationRow;

/// How a convention spells its counts. `key#path` is a number within the JSON of an attribute.
#[derive(Clone, Copy, Default)]
struct Convention {
    name: &'static str,
    /// What makes the convention known.
    marks: &'static [(&'static str, &'static str)],
    /// Whether the input contains what is cached.
    inclusive: bool,
    /// Whether the output contains the reasoning, and both sides their audio.
    details_inside: bool,
    input: &'static str,
    output: &'static str,
    read: &'static str,
    write: &'static str,
    write_5m: &'static str,
    write_1h: &'static str,
    reasoning: &'static str,
    audio_in: &'static str,
    audio_out: &'static str,
    /// Other spellings of the same counts: of which, and how.
    also: &'static [(&'static str, &'static str)],
}

const GENAI: Convention = Convention {
    name: "",
    marks: &[],
    inclusive: true,
    details_inside: true,
    input: "gen_ai.usage.input_tokens",
    output: "gen_ai.usage.output_tokens",
    read: "gen_ai.usage.cache_read.input_tokens",
    write: "gen_ai.usage.cache_creation.input_tokens",
    write_5m: "",
    write_1h: "",
    reasoning: "gen_ai.usage.reasoning.output_tokens",
    audio_in: "gen_ai.usage.input_audio_tokens",
    audio_out: "gen_ai.usage.output_audio_tokens",
    also: &[
        ("input", "gen_ai.usage.prompt_tokens"),
        ("output", "gen_ai.usage.completion_tokens"),
        ("read", "gen_ai.usage.cache_read_input_tokens"),
        ("write", "gen_ai.usage.cache_creation_input_tokens"),
        ("reasoning", "gen_ai.usage.reasoning_tokens"),
    ],
};

const RAW: Convention = Convention {
    inclusive: false,
    read: "gen_ai.usage.cache_read_input_tokens",
    write: "gen_ai.usage.cache_creation_input_tokens",
    write_5m: "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
    write_1h: "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
    also: &[
        ("input", "gen_ai.usage.prompt_tokens"),
        ("output", "gen_ai.usage.completion_tokens"),
        ("read", "gen_ai.usage.details.cache_read_input_tokens"),
        ("write", "gen_ai.usage.details.cache_creation_input_tokens"),
    ],
    ..GENAI
};

const OPENINFERENCE: Convention = Convention {
    input: "llm.token_count.prompt",
    output: "llm.token_count.completion",
    read: "llm.token_count.prompt_details.cache_read",
    write: "llm.token_count.prompt_details.cache_write",
    reasoning: "llm.token_count.completion_details.reasoning",
    audio_in: "llm.token_count.prompt_details.audio",
    audio_out: "llm.token_count.completion_details.audio",
    also: &[
        ("input", "gen_ai.usage.input_tokens"),
        ("output", "gen_ai.usage.output_tokens"),
        ("read", "gen_ai.usage.cache_read_input_tokens"),
    ],
    ..GENAI
};

const VERCEL: Convention = Convention {
    input: "ai.usage.promptTokens",
    output: "ai.usage.completionTokens",
    read: "ai.usage.cachedInputTokens",
    write: "",
    reasoning: "ai.usage.reasoningTokens",
    audio_in: "",
    audio_out: "",
    also: &[("input", "gen_ai.usage.input_tokens"), ("output", "gen_ai.usage.output_tokens")],
    ..GENAI
};

const CONVENTIONS: &[Convention] = &[
    Convention { name: "openai", marks: &[("gen_ai.provider.name", "openai")], ..GENAI },
    Convention {
        name: "openai, flat",
        marks: &[("gen_ai.system", "openai")],
        inclusive: true,
        write: "",
        write_5m: "",
        write_1h: "",
        ..RAW
    },
    Convention { name: "gemini", marks: &[("gen_ai.provider.name", "gcp.gemini")], write: "", ..GENAI },
    Convention { name: "anthropic, current names", marks: &[("gen_ai.provider.name", "anthropic")], ..GENAI },
    Convention { name: "anthropic, raw", marks: &[("gen_ai.system", "anthropic")], ..RAW },
    Convention { name: "bedrock, raw", marks: &[("gen_ai.provider.name", "aws.bedrock")], ..RAW },
    Convention { name: "openinference, openai", marks: &[("llm.provider", "openai")], ..OPENINFERENCE },
    Convention { name: "openinference, anthropic", marks: &[("llm.provider", "anthropic")], ..OPENINFERENCE },
    Convention { name: "vercel, openai", marks: &[("ai.model.provider", "openai.chat")], ..VERCEL },
    Convention {
        name: "vercel, anthropic's metadata",
        marks: &[("ai.model.provider", "anthropic.messages")],
        inclusive: false,
        write: "ai.response.providerMetadata#anthropic.cacheCreationInputTokens",
        write_5m: "ai.response.providerMetadata#anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
        write_1h: "ai.response.providerMetadata#anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        also: &[
            ("read", "ai.response.providerMetadata#anthropic.cacheReadInputTokens"),
            ("read", "ai.response.providerMetadata#anthropic.usage.cache_read_input_tokens"),
            ("write", "ai.response.providerMetadata#anthropic.usage.cache_creation_input_tokens"),
            ("input", "ai.usage.inputTokens"),
        ],
        ..VERCEL
    },
    Convention {
        name: "vercel, bedrock's metadata",
        marks: &[("ai.model.provider", "amazon-bedrock")],
        inclusive: false,
        read: "ai.response.providerMetadata#bedrock.usage.cacheReadInputTokens",
        write: "ai.response.providerMetadata#bedrock.usage.cacheWriteInputTokens",
        ..VERCEL
    },
    Convention {
        name: "vercel 6, anthropic",
        marks: &[("ai.model.provider", "anthropic.messages"), ("ai.usage.inputTokenDetails.noCacheTokens", "1")],
        input: "ai.usage.inputTokens",
        output: "ai.usage.outputTokens",
        read: "ai.usage.inputTokenDetails.cacheReadTokens",
        write: "ai.usage.inputTokenDetails.cacheWriteTokens",
        reasoning: "ai.usage.outputTokenDetails.reasoningTokens",
        also: &[("read", "ai.usage.cachedInputTokens"), ("input", "gen_ai.usage.input_tokens"), ("reasoning", "ai.usage.reasoningTokens")],
        ..VERCEL
    },
    Convention {
        name: "langfuse, its own keys",
        marks: &[("langfuse.observation.type", "generation")],
        inclusive: false,
        details_inside: false,
        input: "langfuse.observation.usage_details#input",
        output: "langfuse.observation.usage_details#output",
        read: "langfuse.observation.usage_details#cache_read_input_tokens",
        write: "langfuse.observation.usage_details#cache_creation_input_tokens",
        write_5m: "langfuse.observation.usage_details#input_cache_creation_5m",
        write_1h: "langfuse.observation.usage_details#input_cache_creation_1h",
        reasoning: "langfuse.observation.usage_details#output_reasoning_tokens",
        audio_in: "langfuse.observation.usage_details#input_audio_tokens",
        audio_out: "langfuse.observation.usage_details#output_audio_tokens",
        also: &[
            ("input", "langfuse.observation.usage_details#input_tokens"),
            ("read", "langfuse.observation.usage_details#input_cached_tokens"),
            ("output", "gen_ai.usage.output_tokens"),
        ],
    },
    Convention {
        name: "langfuse, openai's usage passed on",
        marks: &[("langfuse.observation.type", "generation")],
        input: "langfuse.observation.usage_details#prompt_tokens",
        output: "langfuse.observation.usage_details#completion_tokens",
        read: "langfuse.observation.usage_details#prompt_tokens_details.cached_tokens",
        write: "",
        reasoning: "langfuse.observation.usage_details#completion_tokens_details.reasoning_tokens",
        audio_in: "langfuse.observation.usage_details#prompt_tokens_details.audio_tokens",
        audio_out: "langfuse.observation.usage_details#completion_tokens_details.audio_tokens",
        also: &[("input", "gen_ai.usage.input_tokens"), ("output", "gen_ai.usage.output_tokens")],
        ..GENAI
    },
    Convention {
        name: "langfuse, usage of openai's responses passed on",
        marks: &[("langfuse.observation.type", "generation")],
        input: "langfuse.observation.usage_details#input_tokens",
        output: "langfuse.observation.usage_details#output_tokens",
        read: "langfuse.observation.usage_details#input_tokens_details.cached_tokens",
        write: "",
        reasoning: "langfuse.observation.usage_details#output_tokens_details.reasoning_tokens",
        audio_in: "",
        audio_out: "",
        also: &[],
        ..GENAI
    },
];

impl Convention {
    fn key(&self, count: &str) -> &'static str {
        match count {
            "input" => self.input,
            "output" => self.output,
            "read" => self.read,
            "write" => self.write,
            "write_5m" => self.write_5m,
            "write_1h" => self.write_1h,
            "reasoning" => self.reasoning,
            "audio_in" => self.audio_in,
            "audio_out" => self.audio_out,
            other => panic!("{other}"),
        }
    }

    /// Whether it can say all of these.
    fn has(&self, counts: &[(&str, Json)]) -> bool {
        counts.iter().all(|(count, _)| !self.key(count).is_empty())
    }

    fn row(&self, counts: &[(&str, Json)], twice: bool) -> ObservationRow {
        let mut flat: Vec<(&'static str, Json)> = counts.iter().map(|(count, number)| (self.key(count), number.clone())).collect();
        if twice {
            for (count, key) in self.also {
                flat.extend(counts.iter().filter(|(name, _)| name == count).map(|(_, number)| (*key, number.clone())));
            }
        }
        let mut objects: BTreeMap<&str, Json> = BTreeMap::new();
        let mut attributes: Vec<(&str, AnyValue)> = self.marks.iter().map(|(key, text)| (*key, value(*text))).collect();
        for (key, number) in &flat {
            let Some((whole, path)) = key.split_once('#') else {
                attributes.push((key, plain(number)));
                continue;
            };
            let mut place = objects.entry(whole).or_insert_with(|| json!({}));
            for name in path.split('.') {
                place = place.as_object_mut().unwrap().entry(name).or_insert_with(|| json!({}));
            }
            *place = number.clone();
        }
        let texts: Vec<(&str, String)> = objects.iter().map(|(key, object)| (*key, object.to_string())).collect();
        attributes.extend(texts.iter().map(|(key, text)| (*key, value(text.as_str()))));
        row(&attributes)
    }
}

fn plain(number: &Json) -> AnyValue {
    match number {
        Json::String(text) => value(text.as_str()),
        Json::Number(number) => number.as_i64().map_or_else(|| value(number.as_f64().unwrap()), value),
        other => panic!("{other}"),
    }
}

fn usage(row: &ObservationRow) -> String {
    let kinds = row.usage_details.iter().filter(|(kind, _)| kind != "total");
    kinds.map(|(kind, tokens)| format!("{kind}={tokens}")).collect::<Vec<_>>().join(" ")
}

/// What is said, what it means where details are part of the totals, and what where they are beside them.
type Said<'a> = (&'a str, &'a [(&'a str, i64)], &'a str, &'a str);

const SAID: &[Said<'_>] = &[
    ("plain", &[("input", 1000), ("output", 500)], "input=1000 output=500", "input=1000 output=500"),
    ("zero", &[("input", 0), ("output", 0), ("read", 0), ("reasoning", 0)], "input=0 output=0", "input=0 output=0"),
    (
        "cached",
        &[("input", 1000), ("output", 500), ("read", 400)],
        "input=600 input_cache_read=400 output=500",
        "input=1000 input_cache_read=400 output=500",
    ),
    (
        "written",
        &[("input", 1000), ("output", 500), ("write", 300)],
        "input=700 input_cache_write_5m=300 output=500",
        "input=1000 input_cache_write_5m=300 output=500",
    ),
    (
        "written for both lives",
        &[("input", 1000), ("output", 500), ("read", 400), ("write", 300), ("write_5m", 100), ("write_1h", 200)],
        "input=300 input_cache_read=400 input_cache_write_5m=100 input_cache_write_1h=200 output=500",
        "input=1000 input_cache_read=400 input_cache_write_5m=100 input_cache_write_1h=200 output=500",
    ),
    (
        "written for an hour",
        &[("input", 1000), ("write", 300), ("write_1h", 300)],
        "input=700 input_cache_write_1h=300",
        "input=1000 input_cache_write_1h=300",
    ),
];

const DETAILS: &[Said<'_>] = &[
    (
        "reasoned",
        &[("input", 1000), ("output", 500), ("reasoning", 200)],
        "input=1000 output=300 output_reasoning=200",
        "input=1000 output=500 output_reasoning=200",
    ),
    (
        "heard and spoken",
        &[("input", 1000), ("output", 500), ("audio_in", 50), ("audio_out", 20)],
        "input=950 input_audio=50 output=480 output_audio=20",
        "input=1000 input_audio=50 output=500 output_audio=20",
    ),
];

#[test]
fn each_convention_says_each_thing_once() {
    for convention in CONVENTIONS {
        let all = SAID.iter().map(|said| (said, convention.inclusive)).chain(DETAILS.iter().map(|said| (said, convention.details_inside)));
        for ((name, counts, inside, beside), inclusive) in all {
            let numbers: Vec<(&str, Json)> = counts.iter().map(|(count, number)| (*count, json!(number))).collect();
            let texts: Vec<(&str, Json)> = counts.iter().map(|(count, number)| (*count, json!(number.to_string()))).collect();
            let doubles: Vec<(&str, Json)> = counts.iter().map(|(count, number)| (*count, json!(format!("{number}.0")))).collect();
            if !convention.has(&numbers) {
                continue;
            }
            let expected = if inclusive { *inside } else { *beside };
            for (form, counts, twice) in [
                ("numbers", &numbers, false),
                ("both spellings", &numbers, true),
                ("text", &texts, false),
                ("text with a point", &doubles, false),
            ] {
                let row = convention.row(counts, twice);
                assert_eq!(usage(&row), expected, "{}, {name}, {form}", convention.name);
                assert_eq!(row.flags, Vec::<String>::new(), "{}, {name}, {form}", convention.name);
                assert_eq!(row.total_tokens, row.input_tokens + row.output_tokens, "{}, {name}", convention.name);
            }
        }
    }
}

#[test]
fn what_is_no_count_is_refused_and_the_rest_counts() {
    for convention in CONVENTIONS {
        for odd in [json!("NaN"), json!(-1), json!("-1"), json!(5_000_000_000_i64), json!(0.5), json!("many"), json!("Infinity")] {
            let row = convention.row(&[("input", json!(1000)), ("output", json!(500)), ("read", odd.clone())], false);
            assert_eq!(usage(&row), "input=1000 output=500", "{}, {odd}", convention.name);
            assert!(flagged(&row, "usage_refused"), "{}, {odd}", convention.name);
            let row = convention.row(&[("input", odd.clone()), ("output", json!(500))], false);
            assert_eq!(usage(&row), "output=500", "{}, {odd}", convention.name);
        }
    }
}

#[test]
fn a_detail_alone_is_no_usage() {
    for convention in CONVENTIONS {
        for detail in ["read", "reasoning"] {
            let row = convention.row(&[(detail, json!(40))], false);
            assert_eq!((usage(&row).as_str(), row.total_tokens), ("", 0), "{}, {detail}", convention.name);
            assert!(flagged(&row, "usage_detail_without_total"), "{}, {detail}", convention.name);
        }
    }
}

#[test]
fn more_details_than_their_total_leave_nothing_and_are_flagged() {
    for convention in CONVENTIONS.iter().filter(|convention| convention.details_inside && !convention.name.contains("gemini")) {
        let row = convention.row(&[("input", json!(10)), ("output", json!(5)), ("reasoning", json!(9))], false);
        assert_eq!(usage(&row), "input=10 output=0 output_reasoning=9", "{}", convention.name);
        assert!(flagged(&row, "usage_clamped"), "{}", convention.name);
    }
    // Where the provider's own API leaves the cached part out, more of it than input says which of both was meant.
    let raw = |convention: &Convention| convention.marks.iter().any(|(_, text)| text.contains("anthropic") || text.contains("bedrock"));
    let strict = |convention: &Convention| convention.name.starts_with("openinference") || convention.name.starts_with("vercel 6");
    for convention in CONVENTIONS.iter().filter(|one| one.inclusive && (strict(one) || !raw(one))) {
        let row = convention.row(&[("input", json!(10)), ("output", json!(5)), ("read", json!(50))], false);
        assert_eq!(usage(&row), "input=0 input_cache_read=50 output=5", "{}", convention.name);
        assert!(flagged(&row, "usage_clamped"), "{}", convention.name);
    }
}

#[test]
fn thoughts_that_google_counts_beside_the_candidates_are_seen() {
    let google = [("ai.model.provider", value("google.generative-ai")), ("ai.usage.inputTokens", value(100))];
    let row_of = |more: &[(&str, AnyValue)]| row(&[&google[..], more].concat());
    let by_total =
        row_of(&[("ai.usage.outputTokens", value(50)), ("ai.usage.reasoningTokens", value(30)), ("ai.usage.totalTokens", value(180))]);
    assert_eq!(usage(&by_total), "input=100 output=50 output_reasoning=30");
    let by_size = row_of(&[("ai.usage.outputTokens", value(10)), ("ai.usage.reasoningTokens", value(30))]);
    assert_eq!(usage(&by_size), "input=100 output=10 output_reasoning=30");
    let inside =
        row_of(&[("ai.usage.outputTokens", value(50)), ("ai.usage.reasoningTokens", value(30)), ("ai.usage.totalTokens", value(150))]);
    assert_eq!(usage(&inside), "input=100 output=20 output_reasoning=30");
}
