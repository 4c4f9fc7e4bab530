//! Brokle: see, control and pay for what your LLM applications do.
//!
//! One crate, one binary, three roles. ARCHITECTURE.md tells how the parts fit.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests start tasks and clients of their own, and live in real time"))]

pub mod administration;
pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod common;
pub mod config;
pub mod enterprise;
pub mod error;
pub mod http;
pub mod infra;
pub mod observability;
pub mod organization;
pub mod settings;
pub mod user;
