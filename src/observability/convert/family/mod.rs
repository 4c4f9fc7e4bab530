//! The conventions, as tables.
//!
//! A family of SDKs is one file: a [`Family`] whose rules say which attribute fills which field, in order of preference. The
//! order of [`FAMILIES`] is the order of preference between families. To add one: write its file and its tests, and add a
//! line to [`FAMILIES`].

mod brokle;
mod genai;
mod genai_events;
mod openinference;
mod otel;

use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::indexed::Entry;

/// Every family, what an SDK says explicitly first, general resource conventions last.
pub(super) const FAMILIES: [&Family; 5] = [&brokle::FAMILY, &openinference::FAMILY, &genai::FAMILY, &genai_events::FAMILY, &otel::FAMILY];

/// One convention.
pub(super) struct Family {
    /// As it appears in `mapping`, before the colon.
    pub name: &'static str,
    /// What shows that a span was made by this family; only rules that are [`Rule::only_marked`] need it.
    pub marks: &'static [Mark],
    pub rules: &'static [Rule],
}

/// A sign of a family.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A span attribute whose key begins so.
    KeyPrefix(&'static str),
}

/// A field of a row, or a part of one, that rules fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Field {
    Type,
    /// The tool's name, which is the name of the observation of a tool call.
    ToolName,
    Level,
    StatusMessage,
    Environment,
    Release,
    Version,
    ServiceName,
    User,
    Session,
    Tags,
    ResponseModel,
    RequestModel,
    Provider,
    /// A JSON object with all model parameters.
    Parameters,
    PromptId,
    PromptName,
    PromptVersion,
    /// From the start to the first token.
    FirstToken,
    ServiceTier,
    Input,
    Output,
    /// Instructions that belong in front of the input's messages.
    SystemInstructions,
    InputTokens,
    CacheReadTokens,
    /// Cache writes of untold life, or of both lives together.
    CacheWriteTokens,
    CacheWrite5mTokens,
    CacheWrite1hTokens,
    InputAudioTokens,
    InputImageTokens,
    OutputTokens,
    ReasoningTokens,
    OutputAudioTokens,
    TotalTokens,
    TotalCost,
    InputCost,
    CacheReadCost,
    CacheWriteCost,
    OutputCost,
    ReasoningCost,
}

impl Field {
    /// How many fields there are: one more than the last.
    pub const COUNT: usize = Self::ReasoningCost as usize + 1;
}

/// Where a rule looks.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// A span attribute.
    Attribute(&'static str),
    /// A resource attribute.
    Resource(&'static str),
    /// Span attributes that begin so and spell a list or a tree; the builder makes JSON of them, or nothing.
    Indexed { prefix: &'static str, build: fn(&[Entry<'_>]) -> Option<String> },
    /// Span events; the builder makes JSON of them, or nothing.
    Events(fn(&[Event]) -> Option<String>),
}

/// What the value of a rule's attribute means.
#[derive(Clone, Copy)]
pub(super) enum Read {
    /// The field's own meaning.
    Plain,
    /// Names of this family, in lower case, and what they are called here. A name that is not listed says nothing.
    Words(&'static [(&'static str, &'static str)]),
    Seconds,
    Milliseconds,
    /// Token counts whose total includes all details, whoever the provider is.
    Inclusive,
    /// Token counts as the provider's own API gave them: some leave cached tokens out of the input.
    AsProvider,
}

/// One line of a family's table.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub field: Field,
    pub source: Source,
    pub read: Read,
    /// Whether the rule holds only for spans that bear a mark of the family, because others use the key in another sense.
    pub only_marked: bool,
}

/// A rule that takes a span attribute.
const fn attribute(field: Field, key: &'static str) -> Rule {
    Rule { field, source: Source::Attribute(key), read: Read::Plain, only_marked: false }
}

/// A rule that takes a resource attribute.
const fn resource(field: Field, key: &'static str) -> Rule {
    Rule { field, source: Source::Resource(key), read: Read::Plain, only_marked: false }
}

/// A rule that builds its value from span events.
const fn events(field: Field, build: fn(&[Event]) -> Option<String>) -> Rule {
    Rule { field, source: Source::Events(build), read: Read::Plain, only_marked: false }
}

/// A rule that builds its value from the attributes under a prefix.
const fn indexed(field: Field, prefix: &'static str, build: fn(&[Entry<'_>]) -> Option<String>) -> Rule {
    Rule { field, source: Source::Indexed { prefix, build }, read: Read::Plain, only_marked: false }
}

impl Rule {
    const fn read(mut self, read: Read) -> Self {
        self.read = read;
        self
    }

    const fn only_marked(mut self) -> Self {
        self.only_marked = true;
        self
    }
}

/// The types an observation can have.
pub(super) const TYPES: &[(&str, &str)] = &[
    ("generation", "generation"),
    ("span", "span"),
    ("event", "event"),
    ("tool", "tool"),
    ("agent", "agent"),
    ("chain", "chain"),
    ("retrieval", "retrieval"),
    ("embedding", "embedding"),
    ("evaluator", "evaluator"),
    ("guardrail", "guardrail"),
    ("rerank", "rerank"),
    ("workflow", "workflow"),
];
