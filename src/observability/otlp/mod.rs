//! The encodings of OTLP: JSON, and protobuf with more patience than `prost` has.

pub mod json;
pub mod protobuf;
pub mod text;

pub use json::{DecodeError, decode_traces, encode_traces};
pub use protobuf::decode_traces_protobuf;
