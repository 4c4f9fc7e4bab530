//! What happens in the traces of the demo: one function for each kind of run.

mod agents;
mod chats;
mod jobs;
mod rag;
mod trips;

use opentelemetry_proto::tonic::trace::v1::Span;

use super::random::Random;
use super::tracer::{Draft, Service};

const SUPPORT: Service = Service {
    name: "support-assistant",
    release: "2026.11.3",
    environment: "production",
    language: "python",
    scope: ("opentelemetry.instrumentation.openai_v2", "2.3b0"),
};
const SUPPORT_STAGING: Service = Service { release: "2026.12.0-rc.1", environment: "staging", ..SUPPORT };
const LEGAL: Service = Service {
    name: "clause-search",
    release: "1.18.2",
    environment: "production",
    language: "python",
    scope: ("openinference.instrumentation.llama_index", "4.3.5"),
};
const CODING: Service = Service {
    name: "code-assistant",
    release: "0.42.0",
    environment: "production",
    language: "nodejs",
    scope: ("opentelemetry.instrumentation.anthropic", "0.47.5"),
};
const CODING_DEV: Service = Service { release: "0.43.0-dev", environment: "development", ..CODING };
const TRAVEL: Service =
    Service { name: "trip-planner", release: "3.4.1", environment: "production", language: "python", scope: ("brokle", "0.4.0") };
const TRAVEL_STAGING: Service = Service { release: "3.5.0-beta", environment: "staging", ..TRAVEL };
const BAKING: Service =
    Service { name: "baking-teacher", release: "1.2.0", environment: "production", language: "python", scope: ("brokle", "0.4.0") };
const NIGHTLY: Service = Service { name: "nightly-jobs", ..LEGAL };

/// A kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A question and an answer, without tools.
    Chat,
    /// The same, token by token.
    Streaming,
    /// Answered by a model that no price list has.
    InHouse,
    /// Turned away before a model saw it.
    Blocked,
    /// Support with tools.
    Ticket,
    /// Search in documents.
    Search,
    /// An agent on code, many rounds.
    Coding,
    /// Agents that hand work to each other.
    Trip,
    /// A run that ends in an error.
    Failed,
    /// A run that has not ended.
    Running,
    /// Documents embedded in batches.
    Embedding,
    /// A judge looks at earlier traces.
    Evaluation,
    /// A turn of the long conversation.
    Turn(usize),
}

/// One of each special kind, then the mix of every day. Read from the start for as many traces as are wanted.
const SPECIAL: [Kind; 12] = [
    Kind::Trip,
    Kind::Coding,
    Kind::Search,
    Kind::Streaming,
    Kind::Ticket,
    Kind::Running,
    Kind::Failed,
    Kind::InHouse,
    Kind::Blocked,
    Kind::Evaluation,
    Kind::Embedding,
    Kind::Chat,
];
const EVERYDAY: [Kind; 12] = [
    Kind::Coding,
    Kind::Search,
    Kind::Trip,
    Kind::Ticket,
    Kind::Trip,
    Kind::Coding,
    Kind::Streaming,
    Kind::Search,
    Kind::Trip,
    Kind::Coding,
    Kind::Ticket,
    Kind::Trip,
];

/// Turns of the long conversation in a demo of `traces` traces: all 25 from 50 traces on.
pub(super) fn turns(traces: usize) -> usize {
    if traces < 12 { 0 } else { (traces / 2).min(super::content::conversation::TURNS.len()) }
}

/// The kinds of `count` runs beside the conversation.
pub(super) fn kinds(count: usize) -> Vec<Kind> {
    SPECIAL.into_iter().chain(EVERYDAY.into_iter().cycle()).take(count).collect()
}

/// What a run may know of the rest of the demo.
pub(super) struct Setting<'a> {
    /// Ids only: differs from run to run.
    pub ids: Random,
    /// Everything else: the same for the same seed.
    pub random: Random,
    /// How many runs of this kind came before.
    pub ordinal: usize,
    /// Roots of traces made before, for runs that point to others.
    pub earlier: &'a [Span],
    /// The session of the long conversation.
    pub conversation: &'a str,
}

/// Writes one run down.
pub(super) fn write(kind: Kind, setting: Setting<'_>) -> Draft {
    match kind {
        Kind::Chat => chats::chat(setting),
        Kind::Streaming => chats::streaming(setting),
        Kind::InHouse => chats::in_house(setting),
        Kind::Blocked => chats::blocked(setting),
        Kind::Turn(turn) => chats::turn(setting, turn),
        Kind::Ticket => agents::ticket(setting),
        Kind::Coding => agents::coding(setting),
        Kind::Failed => agents::failed(setting),
        Kind::Running => agents::running(setting),
        Kind::Search => rag::search(setting),
        Kind::Trip => trips::plan(setting),
        Kind::Embedding => jobs::embedding(setting),
        Kind::Evaluation => jobs::evaluation(setting),
    }
}

const CUSTOMERS: [&str; 9] = [
    "customer-7712",
    "customer-5120",
    "customer-3098",
    "customer-8841",
    "customer-1207",
    "customer-6650",
    "customer-4419",
    "customer-2930",
    "customer-9075",
];
const LAWYERS: [&str; 4] = ["s.okafor", "m.lindqvist", "j.baptiste", "h.tanaka"];
const DEVELOPERS: [&str; 5] = ["nadia", "tomasz", "priya", "wei", "jonas"];

/// A session's id: the service's word and a few characters.
fn session(random: &mut Random, word: &str) -> String {
    format!("{word}-{}", random.token(10).to_lowercase())
}
