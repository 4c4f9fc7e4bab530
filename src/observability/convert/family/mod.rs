//! The conventions, as tables.
//!
//! A family of SDKs is one file: a [`Family`] whose rules say which attribute fills which field, in order of preference. The
//! order of [`FAMILIES`] is the order of preference between families. To add one: write its file and its tests, and add a
//! line to [`FAMILIES`].

mod brokle;
mod genai;
mod genai_deprecated;
mod genai_events;
mod genkit;
mod google_adk;
mod langfuse;
mod langsmith;
mod litellm;
mod livekit;
mod logfire;
mod mlflow;
mod openinference;
mod openlit;
mod otel;
mod pydantic_ai;
mod semantic_kernel;
mod spring_ai;
mod strands;
mod traceloop;
mod vercel;

use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::indexed::Entry;

/// Every family, what an SDK says explicitly first, general resource conventions last.
pub(super) const FAMILIES: [&Family; 21] = [
    &brokle::FAMILY,
    &langfuse::FAMILY,
    &openinference::FAMILY,
    &vercel::FAMILY,
    &pydantic_ai::FAMILY,
    &logfire::FAMILY,
    &google_adk::FAMILY,
    &livekit::FAMILY,
    &mlflow::FAMILY,
    &genkit::FAMILY,
    &litellm::FAMILY,
    &langsmith::FAMILY,
    &spring_ai::FAMILY,
    &strands::FAMILY,
    &genai::FAMILY,
    &semantic_kernel::FAMILY,
    &genai_deprecated::FAMILY,
    &traceloop::FAMILY,
    &openlit::FAMILY,
    &genai_events::FAMILY,
    &otel::FAMILY,
];

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
    /// The name of the instrumentation scope, or what it begins with where this ends with a dot.
    Scope(&'static str),
}

/// A field of a row, or a part of one, that rules fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Field {
    Type,
    /// What the observation is called, where that is not the name of its span.
    Name,
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
    /// When the first token came, or how long after the start.
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
    /// Says of a span that its usage is the sum of what its children report too.
    RolledUp,
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
    /// A number or text within a span attribute that holds an object: `key#path.to.it`.
    Part(&'static str),
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
    /// That the attribute is there says this word, whatever its value.
    Told(&'static str),
    /// Text that may be written as a JSON string.
    Quoted,
    Seconds,
    Milliseconds,
    /// A time as RFC 3339 has it.
    Time,
    /// An amount of which zero says nothing: it is what some send that do not know a price.
    NotZero,
    /// Token counts or costs whose total includes all details, whoever the provider is.
    Inclusive,
    /// Token counts or costs that are beside each other: no detail is part of a total.
    Exclusive,
    /// Token counts as the provider's own API gave them: some leave cached tokens out of the input.
    AsProvider,
}

/// When a rule is asked, before its family's place among the others counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    /// After the first rules of all families.
    Late,
    /// After the late ones.
    Last,
}

/// One line of a family's table.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub field: Field,
    pub source: Source,
    pub read: Read,
    /// Whether the rule holds only for spans that bear a mark of the family, because others use the key in another sense.
    pub only_marked: bool,
    pub turn: Turn,
    /// Another attribute and the text it has to have, or [`SOMETHING`], for this rule to hold.
    pub when: Option<(&'static str, &'static str)>,
}

/// Any text but an empty one and zero.
pub(super) const SOMETHING: &str = "*";

/// A rule for a source.
const fn rule(field: Field, source: Source) -> Rule {
    Rule { field, source, read: Read::Plain, only_marked: false, turn: Turn::First, when: None }
}

/// A rule that takes a span attribute.
const fn attribute(field: Field, key: &'static str) -> Rule {
    rule(field, Source::Attribute(key))
}

/// A rule that takes a part of a span attribute, `key#path`.
const fn part(field: Field, path: &'static str) -> Rule {
    rule(field, Source::Part(path))
}

/// A rule that takes a resource attribute.
const fn resource(field: Field, key: &'static str) -> Rule {
    rule(field, Source::Resource(key))
}

/// A rule that builds its value from span events.
const fn events(field: Field, build: fn(&[Event]) -> Option<String>) -> Rule {
    rule(field, Source::Events(build))
}

/// A rule that builds its value from the attributes under a prefix.
const fn indexed(field: Field, prefix: &'static str, build: fn(&[Entry<'_>]) -> Option<String>) -> Rule {
    rule(field, Source::Indexed { prefix, build })
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

    const fn late(mut self) -> Self {
        self.turn = Turn::Late;
        self
    }

    const fn last(mut self) -> Self {
        self.turn = Turn::Last;
        self
    }

    const fn when(mut self, key: &'static str, text: &'static str) -> Self {
        self.when = Some((key, text));
        self
    }

    const fn inclusive(self) -> Self {
        self.read(Read::Inclusive)
    }

    const fn exclusive(self) -> Self {
        self.read(Read::Exclusive)
    }

    const fn as_provider(self) -> Self {
        self.read(Read::AsProvider)
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
