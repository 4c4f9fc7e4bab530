//! The families' tables, compiled once: which key belongs to which rule, and the rules of each field in order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::family::{FAMILIES, Field, Mark, Read, Source};
use super::indexed::Entry;
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
}

enum Place {
    /// Index into [`Found::keys`].
    Key(usize),
    /// Index into [`Found::groups`].
    Group(usize, fn(&[Entry<'_>]) -> Option<String>),
    Resource(&'static str),
    Events(fn(&[Event]) -> Option<String>),
}

pub(super) struct Table {
    keys: HashMap<&'static str, usize, BuildHasherDefault<KeyHasher>>,
    prefixes: Vec<&'static str>,
    /// First bytes of the prefixes and marks, to pass most keys by without comparing.
    first_bytes: [bool; 256],
    marks: Vec<(&'static str, u32)>,
    fields: Vec<Vec<Candidate>>,
}

/// The compiled table of all families.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(Table::compile);

impl Table {
    fn compile() -> Self {
        let mut table = Self {
            keys: HashMap::default(),
            prefixes: Vec::new(),
            first_bytes: [false; 256],
            marks: Vec::new(),
            fields: (0..Field::COUNT).map(|_| Vec::new()).collect(),
        };
        for (position, family) in FAMILIES.iter().enumerate() {
            let bit = 1_u32.checked_shl(u32::try_from(position).unwrap_or(u32::MAX)).unwrap_or(0);
            for Mark::KeyPrefix(prefix) in family.marks {
                table.marks.push((prefix, bit));
                table.note_first_byte(prefix);
            }
            for rule in family.rules {
                let (source, what) = match rule.source {
                    Source::Attribute(key) => {
                        let next = table.keys.len();
                        (Place::Key(*table.keys.entry(key).or_insert(next)), Cow::Borrowed(key))
                    }
                    Source::Resource(key) => (Place::Resource(key), Cow::Owned(format!("resource {key}"))),
                    Source::Indexed { prefix, build } => {
                        let at = table.prefixes.iter().position(|known| *known == prefix).unwrap_or_else(|| {
                            table.prefixes.push(prefix);
                            table.prefixes.len() - 1
                        });
                        table.note_first_byte(prefix);
                        (Place::Group(at, build), Cow::Owned(format!("{prefix}*")))
                    }
                    Source::Events(build) => (Place::Events(build), Cow::Borrowed("events")),
                };
                table.fields[rule.field as usize].push(Candidate {
                    family: family.name,
                    label: format!("{}:{what}", family.name),
                    read: rule.read,
                    source,
                    needs: if rule.only_marked { bit } else { 0 },
                });
            }
        }
        table
    }

    fn note_first_byte(&mut self, text: &str) {
        if let Some(byte) = text.bytes().next() {
            self.first_bytes[usize::from(byte)] = true;
        }
    }
}

/// What a span has of the known keys. Kept between spans so that its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// For each known key one more than the position of its attribute; zero where there is none.
    keys: Vec<u32>,
    /// For each prefix the positions of the attributes under it.
    groups: Vec<Vec<u32>>,
    marks: u32,
}

impl Found {
    /// Looks over the attributes of a span. Of a key that occurs twice the first holds, as it does in the stored map.
    pub(super) fn index(&mut self, attributes: &[KeyValue]) {
        let table = &*TABLE;
        self.keys.clear();
        self.keys.resize(table.keys.len(), 0);
        self.groups.resize_with(table.prefixes.len(), Vec::new);
        self.groups.iter_mut().for_each(Vec::clear);
        self.marks = 0;
        for (position, attribute) in (0_u32..).zip(attributes) {
            let key = attribute.key.as_str();
            if let Some(place) = table.keys.get(key).and_then(|at| self.keys.get_mut(*at))
                && *place == 0
            {
                *place = position + 1;
            }
            if key.bytes().next().is_some_and(|byte| table.first_bytes[usize::from(byte)]) {
                for (prefix, bit) in &table.marks {
                    if key.starts_with(prefix) {
                        self.marks |= bit;
                    }
                }
                for (prefix, group) in table.prefixes.iter().zip(&mut self.groups) {
                    if key.starts_with(prefix) {
                        group.push(position);
                    }
                }
            }
        }
    }
}

/// A span's attributes seen through the table.
pub(super) struct View<'a> {
    pub found: &'a Found,
    pub attributes: &'a [KeyValue],
    pub events: &'a [Event],
    pub resource: &'a Pairs<String>,
}

/// A value that a rule found.
pub(super) enum Hit<'a> {
    /// An attribute, by its position.
    Attribute(usize, &'a Value),
    /// Text of the resource.
    Resource(&'a str),
    /// JSON built from several attributes or from events.
    Built(String),
}

impl<'a> View<'a> {
    /// What the rules of a field find, in their order; blank values are passed over.
    pub(super) fn hits(&self, field: Field) -> impl Iterator<Item = (&'static Candidate, Hit<'a>)> + '_ {
        let candidates: &'static [Candidate] = TABLE.fields.get(field as usize).map_or(&[], Vec::as_slice);
        candidates.iter().filter_map(|candidate| self.hit(candidate).map(|hit| (candidate, hit)))
    }

    fn hit(&self, candidate: &Candidate) -> Option<Hit<'a>> {
        if candidate.needs & self.found.marks != candidate.needs {
            return None;
        }
        match candidate.source {
            Place::Key(at) => {
                let position = self.found.keys.get(at)?.checked_sub(1)? as usize;
                let value = inner(self.attributes.get(position)?)?;
                (!is_blank(value)).then_some(Hit::Attribute(position, value))
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
                build(&entries).map(Hit::Built)
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

    /// The first value of a field as trimmed text.
    pub(super) fn text(&self, field: Field) -> Option<(Cow<'a, str>, &'static Candidate)> {
        self.hits(field).next().map(|(candidate, hit)| (hit.into_text(), candidate))
    }

    /// The first value of a field that is one of its rule's words.
    pub(super) fn word(&self, field: Field) -> Option<(&'static str, &'static Candidate)> {
        self.hits(field).find_map(|(candidate, hit)| {
            let Read::Words(words) = candidate.read else { return None };
            let said = hit.into_text();
            let (_, word) = words.iter().find(|(name, _)| name.eq_ignore_ascii_case(&said))?;
            Some((*word, candidate))
        })
    }
}

impl<'a> Hit<'a> {
    pub(super) fn into_text(self) -> Cow<'a, str> {
        let text = match self {
            Self::Attribute(_, value) => as_text(value),
            Self::Resource(text) => Cow::Borrowed(text),
            Self::Built(text) => Cow::Owned(text),
        };
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
            owned @ Cow::Owned(_) => owned,
        }
    }
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
