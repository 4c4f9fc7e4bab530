//! Tests.

mod tenants;
