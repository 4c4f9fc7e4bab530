//! The outside world: databases, queues, mail, metrics, logs.

pub mod bus;
pub mod cache;
pub mod clickhouse;
pub mod crypto;
pub mod db;
pub mod jobs;
pub mod mail;
pub mod metrics;
pub mod rate_limit;
pub mod redis;
pub mod telemetry;
