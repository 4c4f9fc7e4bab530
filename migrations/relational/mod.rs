//! The relational tables, one set for Postgres and SQLite.
//!
//! A migration never uses the entities of the program: those change, a migration does not. Ids are `varchar(26)`, not
//! `char(26)`: Postgres casts a `char` column to text when it is compared with a text parameter, and then uses no index.
//! Times are `timestamptz` in Postgres and RFC 3339 text in SQLite, whole microseconds.

mod columns;
mod m20261122_000001_identity;
mod m20261130_000001_tenancy;
mod m20261130_000002_jobs;
mod m20261130_000003_prices;
mod m20261201_000001_attempts;

use sea_orm_migration::MigrationTrait;

/// Name of the newest migration.
pub const LAST: &str = "m20261201_000001_attempts";

/// Every migration, oldest first.
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m20261122_000001_identity::Migration),
        Box::new(m20261130_000001_tenancy::Migration),
        Box::new(m20261130_000002_jobs::Migration),
        Box::new(m20261130_000003_prices::Migration),
        Box::new(m20261201_000001_attempts::Migration),
    ]
}
