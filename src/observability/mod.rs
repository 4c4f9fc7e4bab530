//! Traces, observations and what is known of them: ingestion, conversion, pricing and reads.

pub mod rows;
