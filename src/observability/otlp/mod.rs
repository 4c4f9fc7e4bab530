//! The encodings of OTLP: JSON, and protobuf with more patience than `prost` has.

pub mod json;
pub mod protobuf;
pub mod text;
pub mod weight;

pub use json::{DecodeError, decode_traces, encode_traces};
pub use protobuf::{decode_traces_protobuf, repair_traces_protobuf};
pub use weight::{Weight, broken_texts, weigh_json, weigh_protobuf};
