//! The integration tests: the real application against real Postgres, Redis and ClickHouse, or embedded.
//!
//! `make test` starts the services and sets BROKLE_TEST_DATABASE_URL, BROKLE_TEST_REDIS_URL and BROKLE_TEST_CLICKHOUSE_URL;
//! `make services` does so for single runs.

mod harness;

mod auth;
mod bad_input;
mod brokle_process;
mod crash;
mod editions;
mod health;
mod ingest;
mod once;
mod outage;
mod queue;
mod quiet;
mod read;
mod tidy;
