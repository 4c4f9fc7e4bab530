//! The scalar fields of OTLP/JSON, read as leniently as the mapping allows: null is the default, numbers may be strings,
//! enums may be names, and text that is not Unicode is repaired instead of refused.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::value::RawValue;

use crate::observability::otlp::text::lossy_text;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A field type of this module: a newtype over what it fills in the protobuf message.
pub(super) trait Wrapper {
    type Inner;
    fn inner(self) -> Self::Inner;

    /// What a null among the items of a list stands for; nothing unless places in that list mean something.
    fn null_item() -> Option<Self::Inner> {
        None
    }
}

macro_rules! wrapper {
    ($name:ident, $inner:ty) => {
        impl Wrapper for $name {
            type Inner = $inner;
            fn inner(self) -> $inner {
                self.0
            }
        }
    };
}

/// Object key, borrowed from the body unless it holds escapes.
pub(super) struct Key<'de>(Cow<'de, [u8]>);

impl Key<'_> {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(bytes)))
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(bytes.to_vec())))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.as_bytes().to_vec())))
            }
        }
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

/// A string; null is empty. Read as bytes, because JSON escapes may spell lone surrogates and bodies may hold bytes that are no UTF-8.
pub(super) struct Text(pub(super) String);
wrapper!(Text, String);

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_none<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_bytes(self)
    }
    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(lossy_text(bytes))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(TextVisitor).map(Text)
    }
}

/// `string_value`: like [`Text`], but null means that the value is not there.
pub(super) struct StringValue(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for StringValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Text>::deserialize(deserializer).map(|text| Self(text.map(|text| Value::StringValue(text.0))))
    }
}

/// A list; null is empty.
pub(super) struct List<W: Wrapper>(pub(super) Vec<W::Inner>);

impl<'de, W: Wrapper + Deserialize<'de>> Deserialize<'de> for List<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<W>(PhantomData<W>);
        impl<'de, W: Wrapper + Deserialize<'de>> Visitor<'de> for ListVisitor<W> {
            type Value = List<W>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(List(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<Option<W>>()? {
                    items.extend(item.map(W::inner).or_else(W::null_item));
                }
                Ok(List(items))
            }
        }
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// A message that may be absent; null is absent.
pub(super) struct Optional<W: Wrapper>(pub(super) Option<W::Inner>);

impl<'de, W: Wrapper + Deserialize<'de>> Deserialize<'de> for Optional<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<W>::deserialize(deserializer).map(|value| Self(value.map(Wrapper::inner)))
    }
}

/// A trace or span id of `N` bytes: hex in either case, or base64 that decodes to that length.
///
/// Anything else is kept as bytes of another length, so that validation refuses that span and not the batch.
pub(super) struct Id<const N: usize>(pub(super) Vec<u8>);

fn parse_id(text: &[u8], length: usize) -> Vec<u8> {
    if text.len() == 2 * length
        && let Ok(id) = hex::decode(text)
    {
        return id;
    }
    for engine in [&BASE64, &BASE64_URL] {
        if let Ok(id) = engine.decode(text)
            && id.len() == length
        {
            return id;
        }
    }
    if text.len() == length {
        // The raw text would pass for an id by its length alone: keep it in quotes.
        return [b"\"", text, b"\""].concat();
    }
    text.to_vec()
}

impl<'de, const N: usize> Deserialize<'de> for Id<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor<const N: usize>;
        impl<'de, const N: usize> Visitor<'de> for IdVisitor<N> {
            type Value = Id<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id of {} hex digits", 2 * N)
            }
            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Id(Vec::new()))
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_bytes(self)
            }
            fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<Self::Value, E> {
                Ok(Id(parse_id(text, N)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                self.visit_bytes(text.as_bytes())
            }
            // Some JavaScript exporters write the bytes as a list of numbers.
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut id = Vec::with_capacity(N);
                while let Some(byte) = seq.next_element::<u8>()? {
                    if id.len() <= N {
                        id.push(byte);
                    }
                }
                Ok(Id(id))
            }
        }
        deserializer.deserialize_option(IdVisitor::<N>)
    }
}

/// Generates a number field: `$from_u64`, `$from_i64`, `$from_f64` and `$from_str` turn what JSON has into the inner value.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $what:literal, $default:expr, $from_u64:expr, $from_i64:expr, $from_f64:expr, $from_str:expr) => {
        $(#[$doc])*
        pub(super) struct $name(pub(super) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct NumberVisitor;
                impl<'de> Visitor<'de> for NumberVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                        Ok($name($default))
                    }
                    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                        let read: fn(u64) -> Option<$inner> = $from_u64;
                        read(value).map($name).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
                    }
                    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                        let read: fn(i64) -> Option<$inner> = $from_i64;
                        read(value).map($name).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
                    }
                    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                        let read: fn(f64) -> Option<$inner> = $from_f64;
                        read(value).map($name).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                        let read: fn(&str) -> Option<$inner> = $from_str;
                        read(text.trim()).map($name).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_any(NumberVisitor)
            }
        }
    };
}

/// A time before 1970 or past the range is moved to the nearest one that can be written: validation refuses that span alone.
const BEFORE_ALL_TIME: u64 = 1;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float casts saturate, which is what is wanted here")]
fn time_from_f64(value: f64) -> Option<u64> {
    if value.is_nan() {
        None
    } else if value < 0.0 {
        Some(BEFORE_ALL_TIME)
    } else {
        Some(value as u64)
    }
}

fn time_from_str(text: &str) -> Option<u64> {
    if text.is_empty() {
        return Some(0);
    }
    text.parse().ok().or_else(|| text.parse::<f64>().ok().and_then(time_from_f64))
}

number!(
    /// Nanoseconds since the epoch (`fixed64`).
    Nanos, u64, "a time in nanoseconds since 1970", 0,
    Some, |value| Some(u64::try_from(value).unwrap_or(BEFORE_ALL_TIME)), time_from_f64, time_from_str
);

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be whole and in range before the cast")]
fn u32_from_f64(value: f64) -> Option<u32> {
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

number!(
    /// `uint32` and `fixed32`.
    Uint32, u32, "a whole number from 0 to 4294967295", 0,
    |value| u32::try_from(value).ok(), |value| u32::try_from(value).ok(), u32_from_f64,
    |text| if text.is_empty() { Some(0) } else { text.parse().ok() }
);

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range before the cast")]
fn i32_from_f64(value: f64) -> Option<i32> {
    (value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value)).then_some(value as i32)
}

fn enum_value(text: &str, prefix: &str, names: &[&str]) -> i32 {
    let bare = text.strip_prefix(prefix).unwrap_or(text);
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(bare)).and_then(|at| i32::try_from(at).ok());
    // A name from a later version of the protocol is an unknown value, not an error.
    named.or_else(|| text.parse().ok()).unwrap_or(0)
}

number!(
    /// `Span.kind`.
    SpanKind, i32, "a span kind by name or number", 0,
    |value| i32::try_from(value).ok(), |value| i32::try_from(value).ok(), i32_from_f64,
    |text| Some(enum_value(text, "SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]))
);

number!(
    /// `Status.code`.
    StatusCode, i32, "a status code by name or number", 0,
    |value| i32::try_from(value).ok(), |value| i32::try_from(value).ok(), i32_from_f64,
    |text| Some(enum_value(text, "STATUS_CODE_", &["UNSET", "OK", "ERROR"]))
);

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked to be whole and in range before the cast")]
fn int_from_f64(value: f64) -> Value {
    if value.fract() == 0.0 && value >= i64::MIN as f64 && value < i64::MAX as f64 {
        Value::IntValue(value as i64)
    } else {
        Value::DoubleValue(value)
    }
}

number!(
    /// `int_value`. What is no 64-bit integer keeps its value as a double or as text: one odd attribute does not fail the batch.
    IntValue, Option<Value>, "a whole number", None,
    |value| Some(Some(i64::try_from(value).map_or_else(|_| Value::StringValue(value.to_string()), Value::IntValue))),
    |value| Some(Some(Value::IntValue(value))),
    |value| Some(Some(int_from_f64(value))),
    |text| Some(Some(text.parse().map_or_else(|_| Value::StringValue(text.to_owned()), Value::IntValue)))
);

/// `double_value`; `NaN`, `Infinity` and `-Infinity` by name. What is no number stays text.
pub(super) struct DoubleValue(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for DoubleValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The digits as they were written: the JSON reader's own numbers may be off in the last bit.
        let digits = <&RawValue>::deserialize(deserializer)?.get();
        if digits == "null" {
            return Ok(Self(None));
        }
        if let Ok(number) = digits.parse() {
            return Ok(Self(Some(Value::DoubleValue(number))));
        }
        let Text(text) = serde_json::from_str(digits).map_err(D::Error::custom)?;
        let value = text.trim().parse().map_or_else(|_| Value::StringValue(text), Value::DoubleValue);
        Ok(Self(Some(value)))
    }
}

/// `bool_value`.
pub(super) struct BoolValue(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for BoolValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolVisitor;
        impl Visitor<'_> for BoolVisitor {
            type Value = BoolValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or false")
            }
            fn visit_unit<E: Error>(self) -> Result<BoolValue, E> {
                Ok(BoolValue(None))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<BoolValue, E> {
                Ok(BoolValue(Some(Value::BoolValue(value))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<BoolValue, E> {
                Ok(BoolValue(Some(text.parse().map_or_else(|_| Value::StringValue(text.to_owned()), Value::BoolValue))))
            }
        }
        deserializer.deserialize_any(BoolVisitor)
    }
}

/// `bytes_value`: base64, standard or URL-safe, padded or not; what is none of these stays text.
pub(super) struct BytesValue(pub(super) Option<Value>);

impl<'de> Deserialize<'de> for BytesValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(Text(text)) = Option::deserialize(deserializer)? else { return Ok(Self(None)) };
        let decoded = BASE64.decode(&text).or_else(|_| BASE64_URL.decode(&text));
        Ok(Self(Some(decoded.map_or(Value::StringValue(text), Value::BytesValue))))
    }
}

/// A value that is read over and given no meaning.
pub(super) fn skip_value<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}
