//! The outside world: databases, queue, metrics, logs.

pub mod clickhouse;
pub mod db;
pub mod metrics;
pub mod redis;
pub mod telemetry;
