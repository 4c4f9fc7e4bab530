//! The outside world: databases, queue, metrics, logs.

pub mod metrics;
pub mod telemetry;
