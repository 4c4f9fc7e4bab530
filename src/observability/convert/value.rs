//! Attribute values: to the text and type that are stored, and to the numbers that rules read.

use std::borrow::Cow;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use super::nested::{Doubt, Doubts};
use crate::observability::otlp::text::{base64_text, double_text, push_json_double, push_json_string};
use crate::observability::rows::{AttributeType, Pairs};

/// The stored text of a value and its type; what the text of a list or tree leaves open goes to `doubts`.
///
/// Lists and trees become JSON, never a language's debug syntax.
pub(super) fn into_text(value: Option<AnyValue>, doubts: &mut Doubts) -> (String, AttributeType) {
    let Some(value) = value else { return (String::new(), AttributeType::Missing) };
    // A value by index into a dictionary belongs to profiles: the protocol asks receivers of other signals to read it as empty.
    match value.value {
        None | Some(Value::StringValueStrindex(_)) => (String::new(), AttributeType::Empty),
        Some(Value::StringValue(text)) => (text, AttributeType::String),
        Some(Value::BoolValue(value)) => (if value { "true" } else { "false" }.to_owned(), AttributeType::Bool),
        Some(Value::IntValue(value)) => (value.to_string(), AttributeType::Int),
        Some(Value::DoubleValue(value)) => (double_text(value), AttributeType::Double),
        Some(Value::BytesValue(bytes)) => (base64_text(&bytes), AttributeType::Bytes),
        Some(value @ Value::ArrayValue(_)) => (stored_json(&value, doubts), AttributeType::Array),
        Some(value @ Value::KvlistValue(_)) => (stored_json(&value, doubts), AttributeType::KvList),
    }
}

/// The attributes as a row stores them: texts in the order they came, and the types of those that are no strings.
pub(super) fn into_maps(attributes: Vec<KeyValue>) -> (Pairs<String>, Pairs<u8>) {
    let mut texts = Vec::with_capacity(attributes.len());
    let mut types = Vec::new();
    let mut doubts = Doubts::default();
    for KeyValue { key, value, .. } in attributes {
        let (text, kind) = into_text(value, &mut doubts);
        doubts.move_into(&mut types, &key);
        if kind != AttributeType::String {
            types.push((key.clone(), kind as u8));
        }
        texts.push((key, text));
    }
    (texts, types)
}

/// The value behind the two optional layers of an attribute.
pub(super) fn inner(attribute: &KeyValue) -> Option<&Value> {
    attribute.value.as_ref()?.value.as_ref()
}

/// The value as JSON.
fn value_json(value: &Value) -> String {
    stored_json(value, &mut Doubts::default())
}

fn stored_json(value: &Value, doubts: &mut Doubts) -> String {
    let mut out = String::new();
    push(&mut out, Some(value), doubts);
    out
}

/// Appends a value as plain JSON: numbers as numbers, bytes as base64, what has no value as null.
pub(super) fn push_json(out: &mut String, value: Option<&Value>) {
    push(out, value, &mut Doubts::default());
}

/// Recursion is bounded: both decoders refuse values nested deeper than 50 levels.
fn push(out: &mut String, value: Option<&Value>, doubts: &mut Doubts) {
    match value {
        None | Some(Value::StringValueStrindex(_)) => {
            doubts.pass();
            out.push_str("null");
        }
        Some(Value::StringValue(text)) => {
            doubts.pass();
            push_json_string(out, text);
        }
        Some(Value::BoolValue(value)) => out.push_str(if *value { "true" } else { "false" }),
        Some(Value::IntValue(value)) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{value}");
        }
        Some(Value::DoubleValue(value)) => {
            if !value.is_finite() {
                doubts.note(Doubt::Double);
            }
            push_json_double(out, *value);
        }
        Some(Value::BytesValue(bytes)) => {
            doubts.note(Doubt::Bytes);
            push_json_string(out, &base64_text(bytes));
        }
        Some(Value::ArrayValue(array)) => {
            out.push('[');
            for (at, item) in array.values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push(out, item.value.as_ref(), doubts);
            }
            out.push(']');
        }
        Some(Value::KvlistValue(list)) => {
            out.push('{');
            for (at, item) in list.values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_json_string(out, &item.key);
                out.push(':');
                if let Some(value) = &item.value {
                    push(out, value.value.as_ref(), doubts);
                } else {
                    doubts.note(Doubt::Missing);
                    out.push_str("null");
                }
            }
            out.push('}');
        }
    }
}

/// The value as text, borrowed where it is text already.
pub(super) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::StringValue(text) => Cow::Borrowed(text),
        Value::DoubleValue(value) => Cow::Owned(double_text(*value)),
        Value::BytesValue(bytes) => Cow::Owned(base64_text(bytes)),
        Value::StringValueStrindex(_) => Cow::Borrowed(""),
        other => Cow::Owned(value_json(other)),
    }
}

/// Whether the value says nothing: an empty text, or no value.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::StringValue(text) => text.trim_ascii().is_empty(),
        Value::StringValueStrindex(_) => true,
        _ => false,
    }
}

/// More tokens than any one span can hold: beyond it a count is an error of the sender, and no price is made of it.
const ABSURD_TOKENS: u64 = 1_000_000_000;

/// A token count: a whole number from 0 to 10^9, as an integer, a whole double or text of either. `Err` is a refused value.
pub(super) fn as_count(value: &Value) -> Result<u64, Refused> {
    let count = match value {
        Value::IntValue(count) => u64::try_from(*count).ok(),
        Value::DoubleValue(count) => whole(*count),
        Value::StringValue(text) => {
            let text = text.trim_ascii();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        _ => None,
    };
    count.filter(|count| *count <= ABSURD_TOKENS).ok_or(Refused)
}

/// A value that a rule cannot take for what it should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range before the cast")]
fn whole(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..=1e15).contains(&value)).then_some(value as u64)
}

/// A number as a double, also from text.
#[expect(clippy::cast_precision_loss, reason = "read for durations, where the nearest double is near enough")]
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::IntValue(value) => Some(*value as f64),
        Value::DoubleValue(value) => Some(*value),
        Value::StringValue(text) => text.trim_ascii().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observability::convert::testing::{kvlist, value};

    #[test]
    fn each_type_has_its_text() {
        let cases = [
            (value("text"), "text", AttributeType::String),
            (value(true), "true", AttributeType::Bool),
            (value(i64::MIN), "-9223372036854775808", AttributeType::Int),
            (value(1.0), "1.0", AttributeType::Double),
            (value(f64::NAN), "NaN", AttributeType::Double),
            (value(vec![value(1), value("a"), value(0.5), AnyValue::default()]), "[1,\"a\",0.5,null]", AttributeType::Array),
            (
                kvlist(&[("k", value(vec![value(false)])), ("k", value(f64::INFINITY))]),
                "{\"k\":[false],\"k\":\"Infinity\"}",
                AttributeType::KvList,
            ),
            (AnyValue { value: Some(Value::BytesValue(vec![0, 255])) }, "AP8=", AttributeType::Bytes),
            (AnyValue::default(), "", AttributeType::Empty),
        ];
        for (value, text, kind) in cases {
            assert_eq!(into_text(Some(value), &mut Doubts::default()), (text.to_owned(), kind));
        }
        assert_eq!(into_text(None, &mut Doubts::default()), (String::new(), AttributeType::Missing));
    }

    #[test]
    fn counts_are_whole_and_sane() {
        let count = |value: AnyValue| as_count(&value.value.unwrap());
        assert_eq!(count(value(0)), Ok(0));
        assert_eq!(count(value("174")), Ok(174));
        assert_eq!(count(value(" 12.0 ")), Ok(12));
        assert_eq!(count(value(31.0)), Ok(31));
        assert_eq!(count(value(1_000_000_000)), Ok(1_000_000_000));
        for refused in [value(-1), value("-1"), value("NaN"), value(f64::NAN), value(f64::INFINITY), value(1.5), value("many"), value("")] {
            assert_eq!(count(refused), Err(Refused));
        }
        assert_eq!(count(value(1_000_000_001)), Err(Refused));
        assert_eq!(count(value(true)), Err(Refused));
    }
}
