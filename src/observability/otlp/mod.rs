//! OTLP encodings beside the protobuf that `prost` reads.

pub mod json;
pub mod text;

pub use json::{DecodeError, decode_traces, encode_traces};
