//! The outside world: databases, queues, mail, metrics, logs.

pub mod bus;
pub mod clickhouse;
pub mod crypto;
pub mod db;
pub mod jobs;
pub mod mail;
pub mod metrics;
pub mod redis;
pub mod telemetry;
