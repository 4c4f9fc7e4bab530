//! The schema of the telemetry store, in numbered steps.
//!
//! A step is a file of SQL statements. Each statement can be run again without harm, and each one that ran is recorded
//! with the checksum of its file, so a run that broke off in the middle goes on where it stopped. ClickHouse has no
//! transactions over definitions: two runners at once repeat statements, which is harmless, and record them twice, which
//! is read as once. Callers still take a lock, to keep the log quiet.

use clickhouse::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    client::{ClickHouse, ClickHouseError},
    sql,
};

/// One step of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number; steps run in this order.
    pub version: u32,
    /// Its name, for people.
    pub name: &'static str,
    /// The statements, divided by semicolons.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal $file:literal;)*) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../migrations/clickhouse/", $file)),
        }),*]
    };
}

/// Every step, in order. A step that was released is never changed; what it got wrong is put right by a new one.
pub const MIGRATIONS: &[Migration] = migrations! {
    1 "observations" "0001_observations.sql";
    2 "traces" "0002_traces.sql";
    3 "quality_scores" "0003_quality_scores.sql";
    4 "blob_storage_file_log" "0004_blob_storage_file_log.sql";
    5 "trace_marks" "0005_trace_marks.sql";
    6 "deletions" "0006_deletions.sql";
    7 "attribute_keys" "0007_attribute_keys.sql";
};

/// Why the schema was not brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The store did not answer, or is too old.
    #[error(transparent)]
    Store(#[from] ClickHouseError),
    /// A step that was applied has been changed since.
    #[error(
        "migration {version} ({name}) of ClickHouse was changed after it was applied (applied {applied}, now {now}): use the release that applied it, or restore the file"
    )]
    Changed {
        /// Number of the step.
        version: u32,
        /// Its name.
        name: String,
        /// Checksum recorded in the database.
        applied: String,
        /// Checksum of this build.
        now: String,
    },
    /// The database is ahead of this build.
    #[error("the ClickHouse schema is at version {found}, this build knows {known}: use a newer release of Brokle")]
    Newer {
        /// Version of the database.
        found: u32,
        /// Newest version of this build.
        known: u32,
    },
    /// A statement failed.
    #[error("migration {version} ({name}) of ClickHouse failed at statement {statement}: {source}")]
    Statement {
        /// Number of the step.
        version: u32,
        /// Its name.
        name: &'static str,
        /// Which statement of it, counted from 1.
        statement: usize,
        /// What the store said.
        source: clickhouse::error::Error,
    },
    /// A file of this build cannot be split into statements.
    #[error("migration {version} ({name}) of ClickHouse is malformed: {source}")]
    Malformed {
        /// Number of the step.
        version: u32,
        /// Its name.
        name: &'static str,
        /// What is wrong.
        source: sql::Unterminated,
    },
}

/// Where the schema stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Newest step that is applied as a whole; zero for none.
    pub current: u32,
    /// Steps that are missing, as a whole or in part, in the order they will run.
    pub pending: Vec<(u32, &'static str)>,
}

/// The version of the schema that this build needs.
#[must_use]
pub fn required_version() -> u32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

#[derive(Debug, Row, Serialize, Deserialize)]
struct Record {
    version: u32,
    name: String,
    checksum: String,
    /// Counted from 1.
    statement: u32,
    statements: u32,
}

const RECORDS_TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version UInt32, name String, checksum String, statement UInt32, statements UInt32,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(applied_at) ORDER BY (version, statement)";

/// Says what would be done, and changes nothing.
///
/// # Errors
///
/// [`MigrateError::Changed`] and [`MigrateError::Newer`] as [`run`] would, [`MigrateError::Store`].
pub async fn check(store: &ClickHouse) -> Result<Status, MigrateError> {
    check_steps(store, MIGRATIONS).await
}

/// Creates the database if need be and runs every step that is missing; returns the steps that ran.
///
/// # Errors
///
/// [`MigrateError`], each variant with what to do about it.
pub async fn run(store: &ClickHouse) -> Result<Vec<(u32, &'static str)>, MigrateError> {
    run_steps(store, MIGRATIONS).await
}

async fn check_steps(store: &ClickHouse, steps: &[Migration]) -> Result<Status, MigrateError> {
    store.check_version().await?;
    let exists = store
        .with_database("default")
        .client()
        .query("SELECT count() FROM system.tables WHERE database = ? AND name = 'schema_migrations'")
        .bind(store.database())
        .fetch_one::<u64>()
        .await
        .map_err(ClickHouseError::from)?;
    let records = if exists == 0 { Vec::new() } else { records(store).await? };
    let mut status = Status { current: 0, pending: Vec::new() };
    for (step, missing) in compare(steps, &records)? {
        if missing.is_empty() {
            status.current = step.version;
        } else {
            status.pending.push((step.version, step.name));
        }
    }
    Ok(status)
}

async fn run_steps(store: &ClickHouse, steps: &[Migration]) -> Result<Vec<(u32, &'static str)>, MigrateError> {
    store.check_version().await?;
    store
        .with_database("default")
        .client()
        .query("CREATE DATABASE IF NOT EXISTS ?")
        .bind(clickhouse::sql::Identifier(store.database()))
        .execute()
        .await
        .map_err(ClickHouseError::from)?;
    store.client().query(RECORDS_TABLE).execute().await.map_err(ClickHouseError::from)?;
    let records = records(store).await?;
    let mut ran = Vec::new();
    for (step, missing) in compare(steps, &records)? {
        if missing.is_empty() {
            continue;
        }
        let statements = statements(step)?;
        for index in missing {
            let Some(statement) = statements.get(index) else { continue };
            let failed = |source| MigrateError::Statement { version: step.version, name: step.name, statement: index + 1, source };
            store.client().query_raw(statement).with_setting("mutations_sync", "2").execute().await.map_err(failed)?;
            record(store, step, index, statements.len()).await.map_err(failed)?;
        }
        tracing::info!(version = step.version, name = step.name, "the ClickHouse schema was brought forward");
        ran.push((step.version, step.name));
    }
    Ok(ran)
}

fn statements(step: &Migration) -> Result<Vec<&'static str>, MigrateError> {
    sql::split_statements(step.sql).map_err(|source| MigrateError::Malformed { version: step.version, name: step.name, source })
}

fn checksum(step: &Migration) -> String {
    hex::encode(Sha256::digest(step.sql.as_bytes()))
}

async fn records(store: &ClickHouse) -> Result<Vec<Record>, MigrateError> {
    let rows = store
        .client()
        .query("SELECT version, name, checksum, statement, statements FROM schema_migrations FINAL ORDER BY version, statement")
        .fetch_all::<Record>()
        .await
        .map_err(ClickHouseError::from)?;
    Ok(rows)
}

async fn record(store: &ClickHouse, step: &Migration, index: usize, statements: usize) -> Result<(), clickhouse::error::Error> {
    let mut insert = store.insert_client().insert::<Record>("schema_migrations").await?;
    insert
        .write(&Record {
            version: step.version,
            name: step.name.to_owned(),
            checksum: checksum(step),
            statement: u32::try_from(index + 1).unwrap_or(u32::MAX),
            statements: u32::try_from(statements).unwrap_or(u32::MAX),
        })
        .await?;
    insert.end().await
}

/// For each step the indexes of its statements that are not recorded.
fn compare<'s>(steps: &'s [Migration], records: &[Record]) -> Result<Vec<(&'s Migration, Vec<usize>)>, MigrateError> {
    let known = steps.last().map_or(0, |step| step.version);
    if let Some(found) = records.iter().map(|record| record.version).max()
        && found > known
    {
        return Err(MigrateError::Newer { found, known });
    }
    steps
        .iter()
        .map(|step| {
            let now = checksum(step);
            let applied: Vec<&Record> = records.iter().filter(|record| record.version == step.version).collect();
            if let Some(other) = applied.iter().find(|record| record.checksum != now) {
                return Err(MigrateError::Changed {
                    version: step.version,
                    name: other.name.clone(),
                    applied: other.checksum.chars().take(12).collect(),
                    now: now.chars().take(12).collect(),
                });
            }
            let missing =
                (0..statements(step)?.len()).filter(|index| !applied.iter().any(|record| record.statement as usize == index + 1)).collect();
            Ok((step, missing))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, MigrateError, Migration, Record, checksum, compare, required_version, statements};

    const STEPS: &[Migration] = &[
        Migration { version: 1, name: "one", sql: "CREATE TABLE IF NOT EXISTS a (x UInt8); CREATE TABLE IF NOT EXISTS b (x UInt8);" },
        Migration { version: 2, name: "two", sql: "CREATE TABLE IF NOT EXISTS c (x UInt8)" },
    ];

    fn done(step: &Migration, statement: u32) -> Record {
        Record { version: step.version, name: step.name.to_owned(), checksum: checksum(step), statement, statements: 2 }
    }

    #[test]
    fn steps_are_numbered_without_gaps_and_well_formed() {
        for (step, number) in MIGRATIONS.iter().zip(1..) {
            assert_eq!(step.version, number);
            for statement in statements(step).unwrap() {
                let keyword = super::sql::first_keyword(statement.as_bytes()).unwrap();
                assert!(["CREATE", "ALTER"].contains(&keyword.as_str()), "{statement}");
                assert!(statement.contains("IF NOT EXISTS") || statement.contains("IF EXISTS"), "{statement}");
            }
        }
        assert_eq!(required_version() as usize, MIGRATIONS.len());
    }

    #[test]
    fn goes_on_in_the_middle_of_a_step() {
        let missing: Vec<_> =
            compare(STEPS, &[done(&STEPS[0], 1)]).unwrap().into_iter().map(|(step, missing)| (step.version, missing)).collect();
        assert_eq!(missing, [(1, vec![1]), (2, vec![0])]);
    }

    #[test]
    fn refuses_a_changed_step_and_a_newer_database() {
        let mut changed = done(&STEPS[0], 1);
        changed.checksum = "0123456789abcdef".to_owned();
        assert!(matches!(compare(STEPS, &[changed]), Err(MigrateError::Changed { version: 1, .. })));
        let mut newer = done(&STEPS[1], 1);
        newer.version = 9;
        assert!(matches!(compare(STEPS, &[newer]), Err(MigrateError::Newer { found: 9, known: 2 })));
    }
}
