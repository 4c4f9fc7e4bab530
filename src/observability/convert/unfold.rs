//! What is inside an attribute that holds an object: as JSON in text, or as a list of keys and values.

use std::borrow::Cow;
use std::fmt;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::inner;

/// Longer texts are not looked into: what SDKs count and describe in one attribute is short.
const MAX_BYTES: usize = 262_144;
/// Objects are looked into down to this depth.
const MAX_DEPTH: usize = 4;
/// Of a list within an object so many items are kept.
const MAX_ITEMS: usize = 256;

/// Gives each number, text and flag within an object to `take`, under `key#path`; a list of them is one value. Null is nothing.
pub(super) fn scalars(key: &str, value: &Value, take: &mut dyn FnMut(&str, Value)) {
    let mut path = String::with_capacity(key.len() + 40);
    path.push_str(key);
    path.push('#');
    match value {
        Value::StringValue(text) if text.len() <= MAX_BYTES && text.trim_ascii_start().starts_with('{') => {
            let json = if text.trim_ascii_start().starts_with("{'") { Cow::Owned(python_as_json(text)) } else { Cow::Borrowed(text) };
            let mut deserializer = serde_json::Deserializer::from_str(&json);
            // What came before a mistake in the text is taken.
            let _ = Node { path: &mut path, depth: 0, take }.deserialize(&mut deserializer);
        }
        Value::KvlistValue(_) => tree(&mut path, value, 0, take),
        _ => {}
    }
}

/// The text of a Python dictionary, as SDKs write it that forget to encode it, as JSON. What is neither comes out as no JSON.
fn python_as_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    let mut quote = None;
    let mut word = String::new();
    while let Some(character) = rest.next() {
        match quote {
            None if character.is_ascii_alphabetic() => word.push(character),
            None => {
                push_word(&mut out, &mut word);
                if matches!(character, '\'' | '"') {
                    quote = Some(character);
                    out.push('"');
                } else {
                    out.push(character);
                }
            }
            Some(open) if character == open => {
                quote = None;
                out.push('"');
            }
            Some(_) if character == '\\' => match rest.next() {
                Some('\'') => out.push('\''),
                Some(escaped) => out.extend(['\\', escaped]),
                None => {}
            },
            Some(_) if character == '"' => out.push_str("\\\""),
            Some(_) => out.push(character),
        }
    }
    push_word(&mut out, &mut word);
    out
}

fn push_word(out: &mut String, word: &mut String) {
    out.push_str(match word.as_str() {
        "None" => "null",
        "True" => "true",
        "False" => "false",
        other => other,
    });
    word.clear();
}

/// Does with the name of a field, written behind the path, what is asked.
fn within(path: &mut String, name: &str, act: impl FnOnce(&mut String)) {
    let before = path.len();
    if !path.ends_with('#') {
        path.push('.');
    }
    path.push_str(name);
    act(path);
    path.truncate(before);
}

fn tree(path: &mut String, value: &Value, depth: usize, take: &mut dyn FnMut(&str, Value)) {
    match value {
        Value::KvlistValue(list) if depth < MAX_DEPTH => {
            for field in &list.values {
                if let Some(value) = inner(field) {
                    within(path, &field.key, |path| tree(path, value, depth + 1, take));
                }
            }
        }
        Value::KvlistValue(_) | Value::BytesValue(_) | Value::StringValueStrindex(_) => {}
        scalar => take(path, scalar.clone()),
    }
}

/// A value of a JSON text on its way to `take`. What is nested too deep is passed over; the parser itself refuses more than 128 levels.
struct Node<'a> {
    path: &'a mut String,
    depth: usize,
    take: &'a mut dyn FnMut(&str, Value),
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        (self.take)(self.path, Value::BoolValue(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        (self.take)(self.path, Value::IntValue(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        (self.take)(self.path, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        (self.take)(self.path, Value::DoubleValue(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        (self.take)(self.path, Value::StringValue(value.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut values = Vec::new();
        loop {
            let mut item = None;
            let mut keep = |_: &str, value| item = Some(value);
            // The depth is spent, so that only scalars of the list are kept.
            if seq.next_element_seed(Node { path: self.path, depth: MAX_DEPTH, take: &mut keep })?.is_none() {
                break;
            }
            if let Some(value) = item.filter(|_| values.len() < MAX_ITEMS) {
                values.push(AnyValue { value: Some(value) });
            }
        }
        if self.depth < MAX_DEPTH {
            (self.take)(self.path, Value::ArrayValue(ArrayValue { values }));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.depth >= MAX_DEPTH {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let Self { path, depth, take } = self;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let mut done = Err(A::Error::custom("not read"));
            within(path, &name, |path| done = map.next_value_seed(Node { path, depth: depth + 1, take: &mut *take }));
            done?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{kvlist, value};
    use crate::observability::convert::value::as_text;

    fn found(value: &AnyValue) -> Vec<String> {
        let mut all = Vec::new();
        scalars("k", value.value.as_ref().unwrap(), &mut |path, value| all.push(format!("{path}={}", as_text(&value))));
        all
    }

    #[test]
    fn each_scalar_has_its_path() {
        let json = r#"{"a":1,"b":{"c":"x","d":{"e":0.5}},"f":[1,"y",{"z":1},[2]],"g":null,"h":true}"#;
        assert_eq!(found(&value(json)), ["k#a=1", "k#b.c=x", "k#b.d.e=0.5", "k#f=[1,\"y\"]", "k#h=true"]);
        let tree = kvlist(&[("a", value(1)), ("b", kvlist(&[("c", value("x"))]))]);
        assert_eq!(found(&tree), ["k#a=1", "k#b.c=x"]);
    }

    #[test]
    fn what_is_no_object_is_nothing_and_a_broken_one_is_read_as_far_as_it_goes() {
        for odd in [value("[1]"), value("text"), value("1"), value(""), value(5), value(vec![value(1)])] {
            assert!(found(&odd).is_empty());
        }
        assert_eq!(found(&value(r#"{"a":1,"b":"#)), ["k#a=1"]);
    }

    #[test]
    fn the_text_of_a_python_dictionary_is_understood() {
        let text = r#"{'a': 1, 'b': None, 'c': {'d': True, 'e': "it's", 'f': 'say "x"', 'g': 'don\'t'}, 'h': [1, 2.5e-05]}"#;
        assert_eq!(found(&value(text)), ["k#a=1", "k#c.d=true", "k#c.e=it's", "k#c.f=say \"x\"", "k#c.g=don't", "k#h=[1,2.5e-5]"]);
        assert_eq!(found(&value("{'a': 1, 'b': Usage(x=1)}")), ["k#a=1"]);
        assert!(found(&value("{'a")).is_empty());
    }

    #[test]
    fn depth_length_and_lists_are_bounded() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
        assert!(found(&value(deep.as_str())).is_empty());
        let bomb = format!("{{\"b\":1,\"a\":{}", "[".repeat(200_000));
        assert_eq!(found(&value(bomb.as_str())), ["k#b=1"]);
        let long = format!("{{\"a\":1,\"b\":\"{}\"}}", "x".repeat(MAX_BYTES));
        assert!(found(&value(long.as_str())).is_empty());
        let list = format!("{{\"a\":[{}1]}}", "1,".repeat(10_000));
        assert_eq!(found(&value(list.as_str()))[0].len(), "k#a=".len() + 2 * MAX_ITEMS + 1);
    }

    #[test]
    fn names_of_the_language_are_only_names() {
        assert_eq!(found(&value(r#"{"__proto__":{"x":1},"constructor":2}"#)), ["k#__proto__.x=1", "k#constructor=2"]);
    }
}
