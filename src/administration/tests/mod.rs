//! Tests.

mod operations;
mod tenants;
