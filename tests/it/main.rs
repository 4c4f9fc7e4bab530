//! The integration tests: the real application against real Postgres, Redis and ClickHouse, or embedded.
//!
//! `make test` starts the services and sets BROKLE_TEST_DATABASE_URL, BROKLE_TEST_REDIS_URL and BROKLE_TEST_CLICKHOUSE_URL;
//! `make services` does so for single runs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails; helpers stand outside of test functions, where the lints would look for product code"
)]
#![expect(clippy::disallowed_methods, reason = "tests start tasks and clients of their own, and live in real time")]

mod harness;

mod auth;
mod bad_input;
mod brokle_process;
mod crash;
mod editions;
mod fuzz;
mod health;
mod ingest;
mod isolation;
mod jobs;
mod limits;
mod lossless;
mod metrics;
mod once;
mod outage;
mod prices;
mod queue;
mod quiet;
mod read;
mod tidy;
