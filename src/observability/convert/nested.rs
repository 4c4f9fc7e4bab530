//! What is inside lists and trees: stored as the plain JSON that people read, and read back with every type it had.
//!
//! JSON has one kind of text and one kind of nothing where OTLP has more: bytes and doubles that are no numbers are written as
//! texts, and a key without a value as null. Which texts and nulls those are is noted beside the attribute's type, as a letter and
//! the number of texts and nulls that were passed since the last note: `b0d2` means that the first is bytes, and of those after
//! it the third a double. Most values leave nothing open, and nothing is noted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

use crate::observability::rows::{NESTED_TYPES, Pairs};

/// Values are at most 50 levels deep when they are written.
const MAX_DEPTH: u32 = 128;

/// What a text or a null really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    Bytes,
    Double,
    /// A key without a value, where null is a value that holds nothing.
    Missing,
}

/// The notes on one value while it is written.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    passed: u32,
    notes: String,
}

impl Doubts {
    /// A text or null that is one.
    pub(super) fn pass(&mut self) {
        self.passed = self.passed.saturating_add(1);
    }

    /// A text or null that is something else.
    pub(super) fn note(&mut self, doubt: Doubt) {
        self.notes.push(match doubt {
            Doubt::Bytes => 'b',
            Doubt::Double => 'd',
            Doubt::Missing => 'm',
        });
        self.notes.push_str(&self.passed.to_string());
        self.passed = 0;
    }

    /// Puts the notes on an attribute into the map of types, and begins anew.
    pub(super) fn move_into(&mut self, types: &mut Pairs<u8>, key: &str) {
        if !self.notes.is_empty() {
            types.push((format!("{key}#{}", self.notes), NESTED_TYPES));
            self.notes.clear();
        }
        self.passed = 0;
    }
}

/// Splits the key of an entry with notes into the attribute's key and the notes.
pub(super) fn notes_of(entry: &str) -> Option<(&str, &str)> {
    entry.rsplit_once('#')
}

/// Reads back a stored list or tree; nothing where the text is not one that was stored as such.
pub(super) fn read(text: &str, notes: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0, notes, passed: 0 };
    match reader.value(0)? {
        Read::Value(Some(value)) if reader.at == text.len() => Some(value),
        _ => None,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Those that are still ahead.
    notes: &'a str,
    passed: u32,
}

enum Read {
    Value(Option<Value>),
    Missing,
}

impl Reader<'_> {
    fn next_is(&mut self, byte: u8) -> bool {
        let is = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text.get(self.at..)?.starts_with(word).then(|| self.at += word.len())
    }

    /// What the next note says of the text or null at hand, if it is that one.
    fn doubt(&mut self) -> Option<Doubt> {
        let digits = self.notes.get(1..).unwrap_or_default();
        let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
        if digits[..end].parse() != Ok(self.passed) {
            self.passed = self.passed.saturating_add(1);
            return None;
        }
        let doubt = match self.notes.as_bytes().first() {
            Some(b'b') => Doubt::Bytes,
            Some(b'd') => Doubt::Double,
            _ => Doubt::Missing,
        };
        self.passed = 0;
        self.notes = &digits[end..];
        Some(doubt)
    }

    fn value(&mut self, depth: u32) -> Option<Read> {
        if depth > MAX_DEPTH {
            return None;
        }
        let value = match self.text.as_bytes().get(self.at)? {
            b'n' => {
                self.word("null")?;
                return Some(if self.doubt() == Some(Doubt::Missing) { Read::Missing } else { Read::Value(None) });
            }
            b't' => self.word("true").map(|()| Value::BoolValue(true))?,
            b'f' => self.word("false").map(|()| Value::BoolValue(false))?,
            b'"' => {
                let text = self.string()?;
                match self.doubt() {
                    Some(Doubt::Bytes) => Value::BytesValue(STANDARD.decode(text).ok()?),
                    Some(Doubt::Double) => Value::DoubleValue(text.parse().ok()?),
                    _ => Value::StringValue(text),
                }
            }
            b'[' => self.array(depth)?,
            b'{' => self.tree(depth)?,
            _ => self.number()?,
        };
        Some(Read::Value(Some(value)))
    }

    fn array(&mut self, depth: u32) -> Option<Value> {
        let mut values = Vec::new();
        self.at += 1;
        while !self.next_is(b']') {
            if !values.is_empty() && !self.next_is(b',') {
                return None;
            }
            let Read::Value(value) = self.value(depth + 1)? else { return None };
            values.push(AnyValue { value });
        }
        Some(Value::ArrayValue(ArrayValue { values }))
    }

    fn tree(&mut self, depth: u32) -> Option<Value> {
        let mut values = Vec::new();
        self.at += 1;
        while !self.next_is(b'}') {
            if !values.is_empty() && !self.next_is(b',') {
                return None;
            }
            let key = self.string()?;
            if !self.next_is(b':') {
                return None;
            }
            let value = match self.value(depth + 1)? {
                Read::Value(value) => Some(AnyValue { value }),
                Read::Missing => None,
            };
            values.push(KeyValue { key, value, ..KeyValue::default() });
        }
        Some(Value::KvlistValue(KeyValueList { values }))
    }

    fn string(&mut self) -> Option<String> {
        let from = self.at;
        if !self.next_is(b'"') {
            return None;
        }
        let mut escaped = false;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(from..self.at)?;
        if escaped { serde_json::from_str(quoted).ok() } else { Some(quoted.get(1..quoted.len() - 1)?.to_owned()) }
    }

    /// Doubles are written with a point or an exponent, whole numbers with neither.
    fn number(&mut self) -> Option<Value> {
        let rest = self.text.get(self.at..)?;
        let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
        let digits = &rest[..end];
        self.at += end;
        if digits.contains(['.', 'e']) { digits.parse().map(Value::DoubleValue).ok() } else { digits.parse().map(Value::IntValue).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{kvlist, value};
    use crate::observability::convert::value::into_text;

    fn bytes(bytes: &[u8]) -> AnyValue {
        AnyValue { value: Some(Value::BytesValue(bytes.to_vec())) }
    }

    fn stored(value: &AnyValue) -> (String, String) {
        let mut doubts = Doubts::default();
        let (text, _) = into_text(Some(value.clone()), &mut doubts);
        let mut types = Vec::new();
        doubts.move_into(&mut types, "a#key");
        let notes = types.first().and_then(|(entry, _)| notes_of(entry));
        (text, notes.map_or(String::new(), |(_, notes)| notes.to_owned()))
    }

    #[test]
    fn what_json_leaves_open_is_noted_and_read_back() {
        let mut tree = kvlist(&[("k", value("AP8=")), ("k", bytes(&[0, 255])), ("", AnyValue::default())]);
        let Some(Value::KvlistValue(list)) = &mut tree.value else { unreachable!() };
        list.values.push(KeyValue { key: "none".to_owned(), ..KeyValue::default() });
        let all = value(vec![
            value("NaN"),
            value(f64::INFINITY),
            tree,
            value(f64::NEG_INFINITY),
            value(i64::MIN),
            value(1.0),
            value(-0.0),
            value(1e300),
            value("\u{1}\"\\é"),
            value(false),
            value(Vec::new()),
            kvlist(&[]),
            bytes(&[]),
        ]);
        let (text, notes) = stored(&all);
        assert_eq!(notes, "d1b1m1d0b1");
        assert_eq!(read(&text, &notes), all.value);
    }

    #[test]
    fn what_leaves_nothing_open_has_no_notes() {
        let plain = value(vec![value("x"), value(1), AnyValue::default(), kvlist(&[("a", value("NaN"))])]);
        let (text, notes) = stored(&plain);
        assert_eq!(notes, "");
        assert_eq!(read(&text, ""), plain.value);
    }

    #[test]
    fn what_was_never_stored_so_is_no_value() {
        for text in ["", "[", "[1", "[1,", "[1 2]", "{\"a\"}", "{\"a\":}", "\"", "\"\\", "[nul]", "[1]x", "{,}", &"[".repeat(1_000_000)] {
            assert_eq!(read(text, "b0"), None, "{text:.20}");
        }
        assert_eq!(read("[\"?\"]", "b0"), None, "no base64");
    }
}
