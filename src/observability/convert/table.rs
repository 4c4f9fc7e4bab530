//! The families' tables, compiled once: which key belongs to which rule, and the rules of each field in order.
//!
//! Some SDKs pack what they count into one attribute that holds JSON. Such an attribute is unfolded, once and only when
//! a rule asks for a part of it, by `key#path.in.the.json`.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::family::{FAMILIES, Field, Mark, Read, SOMETHING, Source, Turn};
use super::indexed::Entry;
use super::unfold;
use super::value::{as_text, inner, is_blank};
use crate::observability::rows::Pairs;

/// A rule of one field, resolved.
pub(super) struct Candidate {
    /// Its family's name.
    pub family: &'static str,
    /// What `mapping` says of a field that this rule filled.
    pub label: String,
    pub read: Read,
    source: Place,
    /// The bit of the family when only a span that bears its mark is meant, else zero.
    needs: u32,
    /// Another key and the text it has to have.
    when: Option<(usize, &'static str)>,
}

enum Place {
    /// Index into [`Found::keys`].
    Key(usize),
    /// A part of an attribute that is unfolded.
    Part(Part),
    /// Index into [`Found::groups`].
    Group(usize, fn(&[Entry<'_>]) -> Option<String>),
    Resource(&'static str),
    Events(fn(&[Event]) -> Option<String>),
}

/// Where a part of an attribute is found.
#[derive(Clone, Copy)]
struct Part {
    /// Index of the attribute into [`Found::keys`].
    whole: usize,
    /// Index of the attribute into [`Found::unfolded`].
    cell: usize,
    /// Index into [`Table::parts`].
    path: usize,
}

pub(super) struct Table {
    keys: HashMap<&'static str, usize, BuildHasherDefault<KeyHasher>>,
    /// The known parts of attributes, by `key#path`.
    parts: HashMap<&'static str, usize, BuildHasherDefault<KeyHasher>>,
    /// Indices into [`Found::keys`] of the attributes that are unfolded.
    unfolds: Vec<usize>,
    prefixes: Vec<&'static str>,
    /// The prefixes and marks by their first byte, so that most keys are compared with few of them.
    starts: Vec<Vec<Start>>,
    scopes: Vec<(&'static str, u32)>,
    fields: Vec<Vec<Candidate>>,
}

/// What a key may begin with.
struct Start {
    text: &'static str,
    /// Index into [`Table::prefixes`].
    prefix: Option<usize>,
    /// The bit of a family that this is a mark of, else zero.
    mark: u32,
}

/// The compiled table of all families.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(Table::compile);

impl Table {
    fn compile() -> Self {
        let mut table = Self {
            keys: HashMap::default(),
            parts: HashMap::default(),
            unfolds: Vec::new(),
            prefixes: Vec::new(),
            starts: (0..=usize::from(u8::MAX)).map(|_| Vec::new()).collect(),
            scopes: Vec::new(),
            fields: (0..Field::COUNT).map(|_| Vec::new()).collect(),
        };
        for (position, family) in FAMILIES.iter().enumerate() {
            let bit = family_bit(position);
            for mark in family.marks {
                match *mark {
                    Mark::KeyPrefix(text) => table.add_start(Start { text, prefix: None, mark: bit }),
                    Mark::Scope(scope) => table.scopes.push((scope, bit)),
                }
            }
        }
        for turn in [Turn::First, Turn::Late, Turn::Last] {
            for (position, family) in FAMILIES.iter().enumerate() {
                for rule in family.rules.iter().filter(|rule| rule.turn == turn) {
                    let (source, what) = table.place(rule.source);
                    let when = rule.when.map(|(key, text)| (table.key(key), text));
                    table.fields[rule.field as usize].push(Candidate {
                        family: family.name,
                        label: format!("{}:{what}", family.name),
                        read: rule.read,
                        source,
                        needs: if rule.only_marked { family_bit(position) } else { 0 },
                        when,
                    });
                }
            }
        }
        table
    }

    /// Where the values of a source will be found, and what it is called.
    fn place(&mut self, source: Source) -> (Place, Cow<'static, str>) {
        match source {
            Source::Attribute(key) => (Place::Key(self.key(key)), Cow::Borrowed(key)),
            Source::Part(path) => {
                let whole = self.key(path.split_once('#').map_or(path, |(key, _)| key));
                let cell = self.unfolds.iter().position(|known| *known == whole).unwrap_or_else(|| {
                    self.unfolds.push(whole);
                    self.unfolds.len() - 1
                });
                let next = self.parts.len();
                let at = *self.parts.entry(path).or_insert(next);
                (Place::Part(Part { whole, cell, path: at }), Cow::Borrowed(path))
            }
            Source::Resource(key) => (Place::Resource(key), Cow::Owned(format!("resource {key}"))),
            Source::Indexed { prefix, build } => {
                let at = self.prefixes.iter().position(|known| *known == prefix).unwrap_or_else(|| {
                    self.prefixes.push(prefix);
                    self.add_start(Start { text: prefix, prefix: Some(self.prefixes.len() - 1), mark: 0 });
                    self.prefixes.len() - 1
                });
                (Place::Group(at, build), Cow::Owned(format!("{prefix}*")))
            }
            Source::Events(build) => (Place::Events(build), Cow::Borrowed("events")),
        }
    }

    /// Whether what the rules of this label give is put together, or instructions, which stay attributes: never an attribute as it was.
    pub(super) fn leaves_attributes(&self, label: &str) -> bool {
        let gives_instructions = self.fields[Field::SystemInstructions as usize].iter().any(|candidate| candidate.label == label);
        gives_instructions || self.is_of_events(label)
    }

    /// Whether rules of this label look at the events of a span.
    pub(super) fn is_of_events(&self, label: &str) -> bool {
        self.fields.iter().flatten().any(|candidate| matches!(candidate.source, Place::Events(_)) && candidate.label == label)
    }

    /// The attributes that the rules of a field look at.
    pub(super) fn attributes_of(&self, field: Field) -> Vec<&'static str> {
        let candidates = self.fields.get(field as usize).map_or(&[][..], Vec::as_slice);
        let places: Vec<usize> = candidates
            .iter()
            .filter_map(|candidate| match candidate.source {
                Place::Key(at) | Place::Part(Part { whole: at, .. }) => Some(at),
                Place::Group(..) | Place::Resource(_) | Place::Events(_) => None,
            })
            .collect();
        let mut keys: Vec<&'static str> = self.keys.iter().filter(|(_, at)| places.contains(at)).map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys
    }

    fn key(&mut self, key: &'static str) -> usize {
        let next = self.keys.len();
        *self.keys.entry(key).or_insert(next)
    }

    fn add_start(&mut self, start: Start) {
        if let Some(byte) = start.text.bytes().next() {
            self.starts[usize::from(byte)].push(start);
        }
    }
}

fn family_bit(position: usize) -> u32 {
    1_u32.checked_shl(u32::try_from(position).unwrap_or(u32::MAX)).unwrap_or(0)
}

/// What a span has of the known keys. Kept between spans so that its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// For each known key one more than the position of its attribute; zero where there is none.
    keys: Vec<u32>,
    /// For each prefix the positions of the attributes under it.
    groups: Vec<Vec<u32>>,
    /// For each attribute that is unfolded the parts that are known, once somebody asked.
    unfolded: Vec<OnceCell<Vec<(usize, Value)>>>,
    marks: u32,
    /// The marks of the spans' scope.
    scope_marks: u32,
}

impl Found {
    /// Notes the scope of the spans that follow.
    pub(super) fn enter_scope(&mut self, name: &str) {
        self.scope_marks = TABLE.scopes.iter().filter(|(scope, _)| is_scope(name, scope)).fold(0, |marks, (_, bit)| marks | bit);
    }

    /// Looks over the attributes of a span. Of a key that occurs twice the first holds, as it does in the stored map.
    pub(super) fn index(&mut self, attributes: &[KeyValue]) {
        let table = &*TABLE;
        self.keys.clear();
        self.keys.resize(table.keys.len(), 0);
        self.groups.resize_with(table.prefixes.len(), Vec::new);
        self.groups.iter_mut().for_each(Vec::clear);
        self.unfolded.clear();
        self.unfolded.resize_with(table.unfolds.len(), OnceCell::new);
        self.marks = self.scope_marks;
        for (position, attribute) in (0_u32..).zip(attributes) {
            let key = attribute.key.as_str();
            if let Some(place) = table.keys.get(key).and_then(|at| self.keys.get_mut(*at))
                && *place == 0
            {
                *place = position + 1;
            }
            let starts = key.bytes().next().and_then(|byte| table.starts.get(usize::from(byte))).map_or(&[][..], Vec::as_slice);
            for start in starts {
                if key.starts_with(start.text) {
                    self.marks |= start.mark;
                    if let Some(group) = start.prefix.and_then(|at| self.groups.get_mut(at)) {
                        group.push(position);
                    }
                }
            }
        }
    }
}

/// The known parts of an attribute; of one that comes twice the first holds.
fn unfolded(key: &str, value: &Value) -> Vec<(usize, Value)> {
    let mut parts = Vec::new();
    unfold::scalars(key, value, &mut |path, value| {
        if let Some(at) = TABLE.parts.get(path) {
            parts.push((*at, value));
        }
    });
    parts
}

/// Whether a scope is the named one; a name that ends with a dot means all that begin so.
fn is_scope(name: &str, scope: &str) -> bool {
    name == scope || (scope.ends_with('.') && name.starts_with(scope))
}

/// A span's attributes seen through the table.
pub(super) struct View<'a> {
    found: &'a Found,
    attributes: &'a [KeyValue],
    events: &'a [Event],
    resource: &'a Pairs<String>,
    /// For each attribute whether a rule has used it, where somebody wants to know.
    used: Option<&'a [Cell<bool>]>,
}

/// A value that a rule found.
pub(super) enum Hit<'a> {
    /// An attribute, by its position.
    Attribute(usize, &'a Value),
    /// A value from within an attribute.
    Part(&'a Value),
    /// Text of the resource.
    Resource(&'a str),
    /// JSON built from several attributes or from events.
    Built(String),
}

impl<'a> View<'a> {
    /// A view of what `found` has indexed.
    pub(super) fn new(found: &'a Found, attributes: &'a [KeyValue], events: &'a [Event], resource: &'a Pairs<String>) -> Self {
        Self { found, attributes, events, resource, used: None }
    }

    /// The same, noting which attributes the rules use.
    pub(super) fn noting(self, used: &'a [Cell<bool>]) -> Self {
        Self { used: Some(used), ..self }
    }

    fn note_used(&self, position: usize) {
        if let Some(place) = self.used.and_then(|used| used.get(position)) {
            place.set(true);
        }
    }

    /// What the rules of a field find, in their order; blank values are passed over.
    pub(super) fn hits(&self, field: Field) -> impl Iterator<Item = (&'static Candidate, Hit<'a>)> + '_ {
        let candidates: &'static [Candidate] = TABLE.fields.get(field as usize).map_or(&[], Vec::as_slice);
        candidates.iter().filter_map(|candidate| self.hit(candidate).map(|hit| (candidate, hit)))
    }

    fn hit(&self, candidate: &Candidate) -> Option<Hit<'a>> {
        if candidate.needs & self.found.marks != candidate.needs {
            return None;
        }
        if let Some((at, text)) = candidate.when {
            let (position, value) = self.attribute(at)?;
            let found = as_text(value);
            let holds = if text == SOMETHING { !matches!(&*found, "" | "0") } else { found.eq_ignore_ascii_case(text) };
            if !holds {
                return None;
            }
            self.note_used(position);
        }
        match candidate.source {
            Place::Key(at) => {
                let (position, value) = self.attribute(at)?;
                (!is_blank(value)).then(|| {
                    self.note_used(position);
                    Hit::Attribute(position, value)
                })
            }
            Place::Part(Part { whole, cell, path }) => {
                let (position, value) = self.attribute(whole)?;
                let key = &self.attributes.get(position)?.key;
                let parts = self.found.unfolded.get(cell)?.get_or_init(|| unfolded(key, value));
                let (_, value) = parts.iter().find(|(at, _)| *at == path)?;
                (!is_blank(value)).then(|| {
                    self.note_used(position);
                    Hit::Part(value)
                })
            }
            Place::Group(at, build) => {
                let positions = self.found.groups.get(at).filter(|positions| !positions.is_empty())?;
                let prefix = TABLE.prefixes.get(at)?;
                let entries: Vec<Entry<'_>> = positions
                    .iter()
                    .filter_map(|position| {
                        let attribute = self.attributes.get(*position as usize)?;
                        Some(Entry { path: attribute.key.strip_prefix(prefix)?, value: inner(attribute)? })
                    })
                    .collect();
                let built = build(&entries)?;
                for position in positions {
                    self.note_used(*position as usize);
                }
                Some(Hit::Built(built))
            }
            Place::Resource(key) => {
                let (_, text) = self.resource.iter().find(|(name, _)| name == key)?;
                (!text.trim_ascii().is_empty()).then_some(Hit::Resource(text))
            }
            Place::Events(build) => {
                if self.events.is_empty() {
                    return None;
                }
                build(self.events).map(Hit::Built)
            }
        }
    }

    /// The attribute of a known key, with its position.
    fn attribute(&self, at: usize) -> Option<(usize, &'a Value)> {
        let position = self.found.keys.get(at)?.checked_sub(1)? as usize;
        Some((position, inner(self.attributes.get(position)?)?))
    }

    /// The first value of a field as trimmed text.
    pub(super) fn text(&self, field: Field) -> Option<(Cow<'a, str>, &'static Candidate)> {
        self.hits(field).next().map(|(candidate, hit)| {
            let text = hit.into_text();
            let text = if matches!(candidate.read, Read::Quoted) { unquoted(text) } else { text };
            (text, candidate)
        })
    }

    /// The first value of a field that is one of its rule's words.
    pub(super) fn word(&self, field: Field) -> Option<(&'static str, &'static Candidate)> {
        self.hits(field).find_map(|(candidate, hit)| {
            if let Read::Told(word) = candidate.read {
                return Some((word, candidate));
            }
            let Read::Words(words) = candidate.read else { return None };
            let said = unquoted(hit.into_text());
            let (_, word) = words.iter().find(|(name, _)| name.eq_ignore_ascii_case(&said))?;
            Some((*word, candidate))
        })
    }
}

impl<'a> Hit<'a> {
    /// The value as it was sent, where it is one.
    pub(super) fn value(&self) -> Option<&'a Value> {
        match self {
            Self::Attribute(_, value) | Self::Part(value) => Some(value),
            Self::Resource(_) | Self::Built(_) => None,
        }
    }

    pub(super) fn into_text(self) -> Cow<'a, str> {
        let text = match self {
            Self::Attribute(_, value) | Self::Part(value) => as_text(value),
            Self::Resource(text) => Cow::Borrowed(text),
            Self::Built(text) => Cow::Owned(text),
        };
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            owned @ Cow::Owned(_) => owned,
        }
    }
}

/// A text that is a JSON string as what it says.
fn unquoted(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.starts_with('"') {
        return text;
    }
    serde_json::from_str::<String>(&text).map_or(text, Cow::Owned)
}

/// Eight bytes at a time, mixed by multiplying. The table's keys are fixed, so nobody can choose them to collide, and a
/// cryptographic hash would cost more than the rest of the look-up.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl KeyHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        // The high bits are the well-mixed ones, and the map picks its place by the low ones.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    fn write_u8(&mut self, _end_of_text: u8) {
        // The length is mixed in already.
    }
}
