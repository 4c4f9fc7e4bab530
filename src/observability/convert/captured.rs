//! What real SDKs sent, captured by `scripts/capture-fixtures.sh`, and what becomes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::testing::{context, fixture, pairs_of_request, pricer};
use super::tests::restored;
use super::{ConvertContext, convert};
use crate::observability::otlp::decode_traces;
use crate::observability::rows::ObservationRow;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp/captured")
}

/// The names of the captured requests, without their ending.
pub(super) fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "versions")
        .collect();
    names.sort();
    names
}

fn rows(name: &str) -> Vec<ObservationRow> {
    let request = decode_traces(&fixture(&format!("captured/{name}.json"))).unwrap();
    // A minute after the spans of all of them began.
    convert(request, &ConvertContext { received_at_us: 1_768_478_460_000_000, ..context() }, pricer())
}

/// An observation as people see it: everything but ids, and the attributes that are kept as they came.
#[derive(Serialize)]
struct Seen {
    name: String,
    r#type: String,
    under: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    facts: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    input: String,
    output: String,
    usage: String,
    cost: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    mapping: BTreeMap<String, String>,
}

fn usage(row: &ObservationRow) -> String {
    row.usage_details.iter().map(|(kind, tokens)| format!("{kind}={tokens}")).collect::<Vec<_>>().join(" ")
}

fn dollars(amount: i64) -> String {
    format!("{}.{:012}", amount / 1_000_000_000_000, amount % 1_000_000_000_000)
}

fn seen(row: &ObservationRow, all: &[ObservationRow]) -> Seen {
    let parent = all.iter().find(|other| other.span_id == row.parent_span_id).map(|parent| parent.name.clone());
    let mut facts = BTreeMap::new();
    for (name, text) in [
        ("level", row.level.clone()),
        ("status_message", row.status_message.clone()),
        ("environment", row.environment.clone()),
        ("release", row.release.clone()),
        ("version", row.version.clone()),
        ("service_name", row.service_name.clone()),
        ("user_id", row.user_id.clone()),
        ("session_id", row.session_id.clone()),
        ("model", row.model.clone()),
        ("provider", row.provider.clone()),
        ("model_parameters", row.model_parameters.clone()),
        ("first_token_after_ms", row.completion_start_time.map_or(String::new(), |time| ((time - row.start_time) / 1_000_000).to_string())),
        ("total_tokens", row.total_tokens.to_string()),
        ("client_total_tokens", row.client_total_tokens.map_or(String::new(), |total| total.to_string())),
        ("price", row.price_id.clone()),
        ("duration_ms", (row.duration_ns / 1_000_000).to_string()),
    ] {
        if !text.is_empty() {
            facts.insert(name, text);
        }
    }
    let costs = row.cost_details.iter().map(|(kind, amount)| format!("{kind}={}", dollars(*amount)));
    let total = row.total_cost.map(|total| format!("total={} by {}", dollars(total), row.cost_source));
    Seen {
        name: row.name.clone(),
        r#type: row.r#type.clone(),
        under: if row.is_root == 1 { "root".to_owned() } else { parent.unwrap_or_else(|| "orphan".to_owned()) },
        facts,
        tags: row.tags.clone(),
        input: row.input.clone(),
        output: row.output.clone(),
        usage: usage(row),
        cost: costs.chain(total).collect::<Vec<_>>().join(" "),
        flags: row.flags.clone(),
        mapping: row.mapping.iter().cloned().collect(),
    }
}

/// One snapshot for each SDK.
#[test]
fn what_each_sdk_sends_becomes_its_observations() {
    let mut sdks: BTreeMap<String, BTreeMap<String, Vec<Seen>>> = BTreeMap::new();
    let versions: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&std::fs::read(folder().join("versions.json")).unwrap()).unwrap();
    for name in names() {
        let sdk = versions.keys().filter(|sdk| name.starts_with(&format!("{sdk}-"))).max_by_key(|sdk| sdk.len()).unwrap().clone();
        let rows = rows(&name);
        let observations = rows.iter().map(|row| seen(row, &rows)).collect();
        sdks.entry(sdk).or_default().insert(name, observations);
    }
    for (sdk, cases) in sdks {
        insta::assert_yaml_snapshot!(format!("captured_{sdk}"), cases);
    }
}

#[test]
fn no_attribute_of_a_captured_span_is_lost() {
    for name in names() {
        let sent = pairs_of_request(decode_traces(&fixture(&format!("captured/{name}.json"))).unwrap());
        let rows = rows(&name);
        assert_eq!(rows.len(), sent.len(), "{name}");
        for (row, sent) in rows.iter().zip(sent) {
            assert_eq!(restored(row), sent, "{name}");
        }
    }
}

/// gpt-4o-mini: 0.15 dollars for a million of input, 0.075 cached, 0.60 of output; what the mock provider said it used.
const CHAT: (&str, i64) = ("input=56 input_cache_read=64 output=15 output_reasoning=10", 28_200_000);
/// The same from an SDK that does not pass on the details.
const UNTOLD: (&str, i64) = ("input=120 output=25", 33_000_000);
const TOOL_DONE_UNTOLD: (&str, i64) = ("input=110 output=12", 23_700_000);
const TOOL_CALL: (&str, i64) = ("input=80 output=18", 22_800_000);
const TOOL_DONE: (&str, i64) = ("input=46 input_cache_read=64 output=12", 18_900_000);
/// text-embedding-3-small: 0.02 dollars for a million.
const EMBEDDING: (&str, i64) = ("input=8", 160_000);
/// claude-sonnet-4-5: 3 dollars for a million of input, 0.30 read, 3.75 and 6 written, 15 of output.
const CLAUDE: (&str, i64) = ("input=40 input_cache_read=200 input_cache_write_5m=100 input_cache_write_1h=200 output=30", 2_205_000_000);
/// Where the lives of cache writes are not told.
const CLAUDE_5M: (&str, i64) = ("input=40 input_cache_read=200 input_cache_write_5m=300 output=30", 1_755_000_000);

/// The tokens and the cost that are summed up over a trace, by generation and embedding, in their order.
#[test]
fn every_token_and_cent_is_what_the_provider_used() {
    let cases: &[(&str, &[(&str, i64)])] = &[
        ("brokle-agent", &[UNTOLD]),
        ("brokle-chat", &[UNTOLD]),
        ("brokle-limited", &[]),
        ("brokle-stream", &[UNTOLD]),
        ("brokle-tools", &[TOOL_CALL, TOOL_DONE_UNTOLD]),
        ("genai-chat", &[UNTOLD]),
        ("genai-embeddings", &[EMBEDDING]),
        ("genai-limited", &[]),
        ("genai-stream", &[UNTOLD]),
        ("genai-tools", &[TOOL_CALL, TOOL_DONE_UNTOLD]),
        ("langfuse-agent", &[CHAT]),
        ("langfuse-anthropic", &[CLAUDE_5M]),
        ("langfuse-chat", &[CHAT]),
        ("langfuse-embeddings", &[EMBEDDING]),
        ("langfuse-limited", &[]),
        ("langfuse-stream", &[CHAT]),
        ("langfuse-tools", &[TOOL_CALL, TOOL_DONE]),
        ("litellm-anthropic", &[CLAUDE]),
        ("litellm-chat", &[CHAT]),
        ("litellm-embeddings", &[("input=8 output=0", 160_000)]),
        ("litellm-limited", &[]),
        ("litellm-stream", &[CHAT]),
        ("litellm-tools", &[TOOL_CALL]),
        // It keeps reasoning to itself.
        ("logfire-chat", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("logfire-embeddings", &[EMBEDDING]),
        ("logfire-limited", &[]),
        ("logfire-stream", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("logfire-tools", &[TOOL_CALL, TOOL_DONE]),
        // Anthropic's own SDK makes a span too.
        ("openinference-anthropic", &[CLAUDE, CLAUDE]),
        ("openinference-anthropic-stream", &[CLAUDE, CLAUDE]),
        ("openinference-bad", &[]),
        ("openinference-chat", &[CHAT]),
        ("openinference-embeddings", &[EMBEDDING]),
        ("openinference-js-chat", &[CHAT]),
        // These two tell no usage, although the provider did.
        ("openinference-js-embeddings", &[]),
        ("openinference-js-stream", &[]),
        ("openinference-js-tools", &[TOOL_CALL]),
        ("openinference-langchain-agent", &[TOOL_CALL, TOOL_DONE]),
        ("openinference-langchain-retrieval", &[CHAT]),
        ("openinference-limited", &[]),
        ("openinference-stream", &[CHAT]),
        ("openinference-tools", &[TOOL_CALL, TOOL_DONE]),
        // It knows no price for these and sends zero.
        ("openlit-anthropic", &[CLAUDE_5M]),
        ("openlit-chat", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("openlit-embeddings", &[EMBEDDING]),
        ("openlit-limited", &[]),
        ("openlit-stream", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("openlit-tools", &[TOOL_CALL, TOOL_DONE]),
        ("pydantic-ai-chat", &[CHAT]),
        ("pydantic-ai-limited", &[]),
        ("pydantic-ai-stream", &[CHAT]),
        ("pydantic-ai-tools", &[TOOL_CALL, TOOL_DONE]),
        ("traceloop-anthropic", &[CLAUDE, CLAUDE_5M]),
        // It adds up the output of the first and the last event of a stream, 1 and 30, though the last says it all.
        ("traceloop-anthropic-stream", &[CLAUDE, ("input=40 input_cache_read=200 input_cache_write_5m=300 output=31", 1_770_000_000)]),
        ("traceloop-chat", &[CHAT]),
        ("traceloop-embeddings", &[EMBEDDING]),
        ("traceloop-langchain-agent", &[TOOL_CALL, TOOL_DONE]),
        ("traceloop-langchain-retrieval", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("traceloop-limited", &[]),
        ("traceloop-stream", &[("input=56 input_cache_read=64 output=25", 28_200_000)]),
        ("traceloop-tools", &[TOOL_CALL, TOOL_DONE]),
        ("vercel-anthropic", &[CLAUDE]),
        ("vercel-chat", &[CHAT]),
        ("vercel-embed", &[EMBEDDING]),
        ("vercel-embed-many", &[EMBEDDING]),
        ("vercel-limited", &[]),
        ("vercel-object", &[UNTOLD]),
        ("vercel-stream", &[CHAT]),
        ("vercel-tools", &[TOOL_CALL, TOOL_DONE]),
    ];
    assert_eq!(cases.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>(), names());
    let mut wrong = Vec::new();
    for (name, expected) in cases {
        let found: Vec<(String, i64)> = rows(name)
            .iter()
            .filter(|row| row.total_tokens > 0)
            .map(|row| (usage(row).rsplit_once(" total=").unwrap().0.to_owned(), row.total_cost.unwrap_or(-1)))
            .collect();
        let found: Vec<(&str, i64)> = found.iter().map(|(usage, cost)| (usage.as_str(), *cost)).collect();
        if found != *expected {
            wrong.push(format!("{name}: {found:?} is not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
