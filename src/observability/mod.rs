//! Telemetry of LLM applications: from the OTLP request to the row of the store.

pub mod convert;
pub mod otlp;
pub mod pricing;
pub mod rows;
pub mod usage;
pub mod validate;
