//! The telemetry store: one client for a ClickHouse server and for the engine inside this process.
//!
//! Stores are written once, against [`ClickHouse`]. Whether the statements travel over TCP to a server or over an
//! in-memory stream to the embedded engine is decided where the client is made and nowhere else.

pub mod client;
pub mod embedded;
pub mod migrate;
mod native;
mod sql;

pub use client::{ClickHouse, ClickHouseError, DiskSpace, Kind};
