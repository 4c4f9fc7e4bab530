//! Inserts in ClickHouse's Native format: rows that serialize with serde, sent column by column.
//!
//! Measured with 5,000 spans: the engine spends half the processor time on the same rows when they come as columns instead of as
//! RowBinary. Types are sent as the table declares them, but a low-cardinality column as its plain type: the server builds
//! the dictionary either way. Source of the layout: `src/Formats/NativeWriter.cpp` and `src/DataTypes/Serializations` of ClickHouse.

use std::collections::BTreeMap;

use bytes::Bytes;
use clickhouse::{RowOwned, RowWrite};
use serde::ser::{self, Serialize};

/// Why rows cannot be written as columns. A mistake in this program, or a table that is not the one it was written for.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The table has no such column.
    #[error("table {table} has no column {column}; run: brokle migrate")]
    NoColumn {
        /// The table.
        table: String,
        /// The column that the rows have.
        column: String,
    },
    /// A type that this writer does not know.
    #[error("columns of type {0} cannot be written")]
    Type(String),
    /// A value does not fit its column.
    #[error("{0}")]
    Value(String),
}

impl ser::Error for NativeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }
}

/// Values of one column, in the layout of the Native format.
#[derive(Debug, Clone)]
enum Values {
    /// Numbers, times and decimals: little-endian, `width` bytes each.
    Fixed { width: usize, bytes: Vec<u8> },
    /// Strings: length as a variable-length integer, then the bytes.
    Text(Vec<u8>),
    /// A byte for each value, one where it is null, then all values, with anything in the place of nulls.
    Nullable { nulls: Vec<u8>, inner: Box<Values> },
    /// Where each array ends among all values, then the values.
    Array { ends: Vec<u8>, count: u64, inner: Box<Values> },
    /// An array of pairs: ends, all keys, all values.
    Map { ends: Vec<u8>, count: u64, key: Box<Values>, value: Box<Values> },
}

/// The arguments of `name(…)`.
fn arguments<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')').map(str::trim)
}

/// Splits at the first comma outside of parentheses.
fn split_pair(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => return Some((text[..at].trim(), text[at + 1..].trim())),
            _ => {}
        }
    }
    None
}

/// An empty column of the type `text`, and that type as it is sent.
fn parse_type(text: &str) -> Result<(Values, String), NativeError> {
    if let Some(inner) = arguments(text, "LowCardinality") {
        return parse_type(inner);
    }
    if let Some(inner) = arguments(text, "Nullable") {
        let (inner, name) = parse_type(inner)?;
        return Ok((Values::Nullable { nulls: Vec::new(), inner: Box::new(inner) }, format!("Nullable({name})")));
    }
    if let Some(inner) = arguments(text, "Array") {
        let (inner, name) = parse_type(inner)?;
        return Ok((Values::Array { ends: Vec::new(), count: 0, inner: Box::new(inner) }, format!("Array({name})")));
    }
    if let Some((key, value)) = arguments(text, "Map").and_then(split_pair) {
        let ((key, key_name), (value, value_name)) = (parse_type(key)?, parse_type(value)?);
        let values = Values::Map { ends: Vec::new(), count: 0, key: Box::new(key), value: Box::new(value) };
        return Ok((values, format!("Map({key_name}, {value_name})")));
    }
    let width = match text.split_once('(').map_or(text, |(name, _)| name) {
        "String" => return Ok((Values::Text(Vec::new()), text.to_owned())),
        "UInt8" | "Int8" | "Bool" => 1,
        "UInt16" | "Int16" => 2,
        "UInt32" | "Int32" | "DateTime" => 4,
        "UInt64" | "Int64" | "Float64" | "DateTime64" => 8,
        "Decimal" => match arguments(text, "Decimal").and_then(split_pair).and_then(|(digits, _)| digits.parse::<u8>().ok()) {
            Some(1..=9) => 4,
            Some(10..=18) => 8,
            Some(19..=38) => 16,
            _ => return Err(NativeError::Type(text.to_owned())),
        },
        _ => return Err(NativeError::Type(text.to_owned())),
    };
    Ok((Values::Fixed { width, bytes: Vec::new() }, text.to_owned()))
}

fn put_length(buffer: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        #[expect(clippy::cast_possible_truncation, reason = "the low seven bits")]
        buffer.push(value as u8 | 0x80);
        value >>= 7;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
    buffer.push(value as u8);
}

impl Values {
    fn kind(&self) -> &'static str {
        match self {
            Self::Fixed { .. } => "a number",
            Self::Text(_) => "text",
            Self::Nullable { .. } => "a nullable value",
            Self::Array { .. } => "an array",
            Self::Map { .. } => "a map",
        }
    }

    fn fixed(&mut self, value: &[u8]) -> Result<(), NativeError> {
        match self {
            Self::Fixed { width, bytes } if *width == value.len() => {
                bytes.extend_from_slice(value);
                Ok(())
            }
            Self::Fixed { width, .. } => Err(NativeError::Value(format!("a value of {} bytes in a column of {width}", value.len()))),
            other => Err(NativeError::Value(format!("a number in a column that holds {}", other.kind()))),
        }
    }

    /// Puts something in the place of a null.
    fn blank(&mut self) {
        match self {
            Self::Fixed { width, bytes } => bytes.resize(bytes.len() + *width, 0),
            Self::Text(bytes) => bytes.push(0),
            Self::Nullable { nulls, inner } => {
                nulls.push(1);
                inner.blank();
            }
            Self::Array { ends, count, .. } | Self::Map { ends, count, .. } => ends.extend_from_slice(&count.to_le_bytes()),
        }
    }

    /// Hands over the column's bytes in the order in which they are sent.
    fn into_parts(self, parts: &mut Parts) {
        match self {
            Self::Fixed { bytes, .. } | Self::Text(bytes) => parts.push(bytes),
            Self::Nullable { nulls, inner } => {
                parts.push(nulls);
                inner.into_parts(parts);
            }
            Self::Array { ends, inner, .. } => {
                parts.push(ends);
                inner.into_parts(parts);
            }
            Self::Map { ends, key, value, .. } => {
                parts.push(ends);
                key.into_parts(parts);
                value.into_parts(parts);
            }
        }
    }
}

/// Pieces up to this size are sent together with their neighbours.
const SMALL: usize = 64 * 1024;

/// What is sent, in pieces that are worth sending: large columns as they are, small ones together.
#[derive(Debug, Default)]
struct Parts {
    whole: Vec<Bytes>,
    pending: Vec<u8>,
}

impl Parts {
    fn push(&mut self, bytes: Vec<u8>) {
        if bytes.len() <= SMALL {
            self.pending.extend_from_slice(&bytes);
        }
        if bytes.len() > SMALL || self.pending.len() > SMALL {
            self.flush();
        }
        if bytes.len() > SMALL {
            self.whole.push(bytes.into());
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.whole.push(std::mem::take(&mut self.pending).into());
        }
    }
}

/// The columns that rows of one kind are written to: name, type as sent, and an empty column of it.
#[derive(Debug, Clone)]
pub struct Layout {
    columns: Vec<(String, String, Values)>,
}

impl Layout {
    /// The layout of rows of `R` in a table whose columns are `declared`, by name and type.
    ///
    /// # Errors
    /// [`NativeError::NoColumn`] or [`NativeError::Type`].
    pub fn new<R: RowOwned + RowWrite>(table: &str, declared: &BTreeMap<String, String>) -> Result<Self, NativeError> {
        let columns = R::COLUMN_NAMES.iter().map(|name| {
            let declared =
                declared.get(*name).ok_or_else(|| NativeError::NoColumn { table: table.to_owned(), column: (*name).to_owned() })?;
            let (values, sent) = parse_type(declared)?;
            Ok(((*name).to_owned(), sent, values))
        });
        Ok(Self { columns: columns.collect::<Result<_, NativeError>>()? })
    }

    /// The names of the columns for an INSERT statement.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, ..)| name.as_str())
    }

    /// A block of `rows`, in the parts in which it is sent.
    ///
    /// # Errors
    /// [`NativeError::Value`] when a row is not what the layout was made for.
    pub fn encode<'a, R: Serialize + 'a>(&self, rows: impl ExactSizeIterator<Item = &'a R>) -> Result<Vec<Bytes>, NativeError> {
        let count = rows.len();
        let mut columns: Vec<Values> = self.columns.iter().map(|(.., values)| values.clone()).collect();
        for row in rows {
            row.serialize(RowWriter { columns: columns.iter_mut() })?;
        }
        let mut head = Vec::new();
        put_length(&mut head, columns.len());
        put_length(&mut head, count);
        let mut parts = Parts::default();
        for ((name, sent, _), values) in self.columns.iter().zip(columns) {
            for text in [name, sent] {
                put_length(&mut head, text.len());
                head.extend_from_slice(text.as_bytes());
            }
            parts.push(std::mem::take(&mut head));
            values.into_parts(&mut parts);
        }
        parts.flush();
        Ok(parts.whole)
    }
}

fn unexpected<T>(what: &str) -> Result<T, NativeError> {
    Err(NativeError::Value(format!("{what} cannot be written to a column")))
}

/// Methods of a serializer that no row needs.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $result:ty, $what:literal;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$result, NativeError> { unexpected($what) })*
    };
}

macro_rules! refuse_compound {
    () => {
        type SerializeTupleStruct = ser::Impossible<(), NativeError>;
        type SerializeTupleVariant = ser::Impossible<(), NativeError>;
        type SerializeMap = ser::Impossible<(), NativeError>;
        type SerializeStructVariant = ser::Impossible<(), NativeError>;

        refuse! {
            serialize_unit() -> (), "nothing";
            serialize_unit_struct(&'static str) -> (), "nothing";
            serialize_unit_variant(&'static str, u32, &'static str) -> (), "a variant";
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct, "a tuple";
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant, "a variant";
            serialize_map(Option<usize>) -> Self::SerializeMap, "a map that is not a list of pairs";
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant, "a variant";
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<(), NativeError> {
            unexpected("a variant")
        }
    };
}

/// Takes a row apart into its columns, by the order of its fields.
struct RowWriter<'a> {
    columns: std::slice::IterMut<'a, Values>,
}

impl ser::SerializeStruct for RowWriter<'_> {
    type Ok = ();
    type Error = NativeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), NativeError> {
        match self.columns.next() {
            Some(column) => value.serialize(ValueWriter(column)),
            None => unexpected("a field without a column"),
        }
    }

    fn end(mut self) -> Result<(), NativeError> {
        if self.columns.next().is_none() { Ok(()) } else { unexpected("a row with too few fields") }
    }
}

impl ser::Serializer for RowWriter<'_> {
    type Ok = ();
    type Error = NativeError;
    type SerializeSeq = ser::Impossible<(), NativeError>;
    type SerializeTuple = ser::Impossible<(), NativeError>;
    type SerializeStruct = Self;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NativeError> {
        Ok(self)
    }

    refuse_compound!();
    refuse! {
        serialize_bool(bool) -> (), "a row that is no struct";
        serialize_i8(i8) -> (), "a row that is no struct";
        serialize_i16(i16) -> (), "a row that is no struct";
        serialize_i32(i32) -> (), "a row that is no struct";
        serialize_i64(i64) -> (), "a row that is no struct";
        serialize_u8(u8) -> (), "a row that is no struct";
        serialize_u16(u16) -> (), "a row that is no struct";
        serialize_u32(u32) -> (), "a row that is no struct";
        serialize_u64(u64) -> (), "a row that is no struct";
        serialize_f32(f32) -> (), "a row that is no struct";
        serialize_f64(f64) -> (), "a row that is no struct";
        serialize_char(char) -> (), "a row that is no struct";
        serialize_str(&str) -> (), "a row that is no struct";
        serialize_bytes(&[u8]) -> (), "a row that is no struct";
        serialize_none() -> (), "a row that is no struct";
        serialize_seq(Option<usize>) -> Self::SerializeSeq, "a row that is no struct";
        serialize_tuple(usize) -> Self::SerializeTuple, "a row that is no struct";
    }
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), NativeError> {
        unexpected("a row that is no struct")
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), NativeError> {
        unexpected("a row that is no struct")
    }
}

/// Appends one value to a column.
struct ValueWriter<'a>(&'a mut Values);

impl<'a> ser::Serializer for ValueWriter<'a> {
    type Ok = ();
    type Error = NativeError;
    type SerializeSeq = SequenceWriter<'a>;
    type SerializeTuple = PairWriter<'a>;
    type SerializeStruct = ser::Impossible<(), NativeError>;

    fn serialize_bool(self, value: bool) -> Result<(), NativeError> {
        self.0.fixed(&[u8::from(value)])
    }
    fn serialize_i8(self, value: i8) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_i16(self, value: i16) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_i32(self, value: i32) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_i64(self, value: i64) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_i128(self, value: i128) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_u8(self, value: u8) -> Result<(), NativeError> {
        self.0.fixed(&[value])
    }
    fn serialize_u16(self, value: u16) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_u32(self, value: u32) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_u64(self, value: u64) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_f64(self, value: f64) -> Result<(), NativeError> {
        self.0.fixed(&value.to_le_bytes())
    }
    fn serialize_str(self, value: &str) -> Result<(), NativeError> {
        self.serialize_bytes(value.as_bytes())
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<(), NativeError> {
        match self.0 {
            Values::Text(bytes) => {
                put_length(bytes, value.len());
                bytes.extend_from_slice(value);
                Ok(())
            }
            other => Err(NativeError::Value(format!("text in a column that holds {}", other.kind()))),
        }
    }
    fn serialize_none(self) -> Result<(), NativeError> {
        match self.0 {
            nullable @ Values::Nullable { .. } => {
                nullable.blank();
                Ok(())
            }
            other => Err(NativeError::Value(format!("null in a column that holds {}", other.kind()))),
        }
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NativeError> {
        match self.0 {
            Values::Nullable { nulls, inner } => {
                nulls.push(0);
                value.serialize(ValueWriter(inner))
            }
            other => value.serialize(ValueWriter(other)),
        }
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NativeError> {
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<SequenceWriter<'a>, NativeError> {
        match self.0 {
            values @ (Values::Array { .. } | Values::Map { .. }) => Ok(SequenceWriter(values)),
            other => Err(NativeError::Value(format!("a list in a column that holds {}", other.kind()))),
        }
    }
    fn serialize_tuple(self, _: usize) -> Result<PairWriter<'a>, NativeError> {
        match self.0 {
            Values::Map { key, value, .. } => Ok(PairWriter { key: Some(key), value }),
            other => Err(NativeError::Value(format!("a pair in a column that holds {}", other.kind()))),
        }
    }

    refuse_compound!();
    refuse! {
        serialize_f32(f32) -> (), "a number of 32 bits with a point";
        serialize_char(char) -> (), "a single character";
        serialize_struct(&'static str, usize) -> Self::SerializeStruct, "a struct";
    }
}

/// Appends an array, or a map as the list of its pairs.
struct SequenceWriter<'a>(&'a mut Values);

impl ser::SerializeSeq for SequenceWriter<'_> {
    type Ok = ();
    type Error = NativeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NativeError> {
        if let Values::Array { count, .. } | Values::Map { count, .. } = &mut *self.0 {
            *count += 1;
        }
        match &mut *self.0 {
            Values::Array { inner, .. } => value.serialize(ValueWriter(inner)),
            map => value.serialize(ValueWriter(map)),
        }
    }

    fn end(self) -> Result<(), NativeError> {
        if let Values::Array { ends, count, .. } | Values::Map { ends, count, .. } = self.0 {
            ends.extend_from_slice(&count.to_le_bytes());
        }
        Ok(())
    }
}

/// Appends the key, then the value of a pair of a map.
struct PairWriter<'a> {
    key: Option<&'a mut Box<Values>>,
    value: &'a mut Box<Values>,
}

impl ser::SerializeTuple for PairWriter<'_> {
    type Ok = ();
    type Error = NativeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NativeError> {
        match self.key.take() {
            Some(key) => value.serialize(ValueWriter(key)),
            None => value.serialize(ValueWriter(self.value)),
        }
    }

    fn end(self) -> Result<(), NativeError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clickhouse::Row;

    use super::*;

    #[derive(Row, serde::Serialize, serde::Deserialize)]
    struct Sample {
        id: u16,
        name: String,
        cost: Option<i64>,
        tags: Vec<String>,
        usage: Vec<(String, u8)>,
        events: Vec<Vec<(String, u8)>>,
    }

    fn declared() -> BTreeMap<String, String> {
        [
            ("id", "UInt16"),
            ("name", "LowCardinality(String)"),
            ("cost", "Nullable(Decimal(18, 12))"),
            ("tags", "Array(LowCardinality(String))"),
            ("usage", "Map(LowCardinality(String), UInt8)"),
            ("events", "Array(Map(LowCardinality(String), UInt8))"),
            ("other", "String"),
        ]
        .into_iter()
        .map(|(name, declared)| (name.to_owned(), declared.to_owned()))
        .collect()
    }

    fn encode(rows: &[Sample]) -> Vec<u8> {
        Layout::new::<Sample>("t", &declared()).unwrap().encode(rows.iter()).unwrap().concat()
    }

    #[test]
    fn a_block_is_laid_out_as_the_format_wants_it() {
        let pair = |name: &str, value| (name.to_owned(), value);
        let rows = [
            Sample {
                id: 0x0102,
                name: "é".into(),
                cost: None,
                tags: vec!["a".into(), String::new()],
                usage: vec![pair("in", 7)],
                events: vec![vec![], vec![pair("k", 9)]],
            },
            Sample { id: 3, name: "x".repeat(200), cost: Some(-1), tags: vec![], usage: vec![], events: vec![] },
        ];
        let mut expected = vec![6, 2];
        let column = |expected: &mut Vec<u8>, name: &str, sent: &str, data: &[u8]| {
            expected.push(u8::try_from(name.len()).unwrap());
            expected.extend_from_slice(name.as_bytes());
            expected.push(u8::try_from(sent.len()).unwrap());
            expected.extend_from_slice(sent.as_bytes());
            expected.extend_from_slice(data);
        };
        let ends = |ends: &[u64]| ends.iter().flat_map(|end| end.to_le_bytes()).collect::<Vec<u8>>();
        column(&mut expected, "id", "UInt16", &[2, 1, 3, 0]);
        column(&mut expected, "name", "String", &[&[2][..], "é".as_bytes(), &[0xc8, 1], "x".repeat(200).as_bytes()].concat());
        column(&mut expected, "cost", "Nullable(Decimal(18, 12))", &[&[1, 0][..], &[0; 8], &[0xff; 8]].concat());
        column(&mut expected, "tags", "Array(String)", &[&ends(&[2, 2])[..], &[1, b'a', 0]].concat());
        column(&mut expected, "usage", "Map(String, UInt8)", &[&ends(&[1, 1])[..], &[2, b'i', b'n'], &[7]].concat());
        column(&mut expected, "events", "Array(Map(String, UInt8))", &[&ends(&[2, 2])[..], &ends(&[0, 1]), &[1, b'k'], &[9]].concat());
        assert_eq!(encode(&rows), expected);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let mut wrong = declared();
        wrong.insert("id".to_owned(), "UInt64".to_owned());
        let row = Sample { id: 1, name: String::new(), cost: None, tags: vec![], usage: vec![], events: vec![] };
        let error = Layout::new::<Sample>("t", &wrong).unwrap().encode([row].iter()).unwrap_err();
        assert_eq!(error.to_string(), "a value of 2 bytes in a column of 8");
        wrong.insert("id".to_owned(), "IPv4".to_owned());
        assert!(matches!(Layout::new::<Sample>("t", &wrong), Err(NativeError::Type(name)) if name == "IPv4"));
        wrong.remove("id");
        assert!(matches!(Layout::new::<Sample>("t", &wrong), Err(NativeError::NoColumn { column, .. }) if column == "id"));
    }
}
