use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Statement};

use super::entity::installation::{ActiveModel, Column, Entity};
use super::testing::{migrated_sqlite, postgres, postgres_url, settings, sqlite, test_databases};
use super::*;

fn fact(key: &str, at: DateTime<Utc>) -> ActiveModel {
    ActiveModel { key: Set(key.to_owned()), value: Set(String::new()), created_at: Set(at), updated_at: Set(at) }
}

#[tokio::test]
async fn times_read_back_equal_and_compare_in_order() {
    // Whole seconds, milliseconds, microseconds, before 1970 and far ahead: SQLite compares them as text.
    let times: Vec<DateTime<Utc>> = [
        "1969-12-31T23:59:59.999999Z",
        "2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00.000001Z",
        "2026-11-22T10:00:00.1Z",
        "2026-11-22T10:00:00.123Z",
        "2026-11-22T10:00:00.123456Z",
        "2026-11-22T10:00:01Z",
        "2199-12-31T23:59:59.5Z",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    for database in test_databases().await {
        for (position, time) in times.iter().enumerate() {
            Entity::insert(fact(&position.to_string(), *time)).exec_without_returning(database.writer()).await.unwrap();
            let row = Entity::find_by_id(position.to_string()).one(database.conn()).await.unwrap().unwrap();
            assert_eq!(row.created_at, *time, "{:?}", database.kind());
        }
        for (position, time) in times.iter().enumerate() {
            let before = Entity::find().filter(Column::CreatedAt.lt(*time)).count(database.conn()).await.unwrap();
            assert_eq!(before, position as u64, "{:?} before {time}", database.kind());
        }
    }
}

#[test]
fn stored_times_have_whole_microseconds() {
    let time = DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap();
    assert_eq!(stored(time).timestamp_subsec_nanos(), 123_456_000);
}

#[tokio::test]
async fn both_databases_say_what_they_are() {
    for database in test_databases().await {
        database.ping().await.unwrap();
        let version = database.version().await.unwrap();
        let product = if database.kind() == Kind::Sqlite { "SQLite 3." } else { "PostgreSQL 1" };
        assert!(version.starts_with(product), "{version}");
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_takes_everything_back() {
    for database in test_databases().await {
        let now = Utc::now_for_tests();
        let txn = database.begin().await.unwrap();
        Entity::insert(fact("dropped", now)).exec_without_returning(&txn).await.unwrap();
        drop(txn);
        let txn = database.begin().await.unwrap();
        Entity::insert(fact("kept", now)).exec_without_returning(&txn).await.unwrap();
        txn.commit().await.unwrap();
        let keys: Vec<String> = Entity::find().select_only().column(Column::Key).into_tuple().all(database.conn()).await.unwrap();
        assert_eq!(keys, ["kept"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_at_once_wait_for_each_other() {
    for database in test_databases().await {
        Entity::insert(fact("counter", Utc::now_for_tests())).exec_without_returning(database.writer()).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let database = database.clone();
            tasks.spawn(async move {
                // Reads first, then writes: with a plain BEGIN, SQLite answers SQLITE_BUSY here.
                let txn = database.begin_alone(7).await.unwrap();
                let row = Entity::find_by_id("counter").one(&txn).await.unwrap().unwrap();
                let value = row.value.parse::<u32>().unwrap_or_default() + 1;
                Entity::update_many().col_expr(Column::Value, Expr::value(value.to_string())).exec(&txn).await.unwrap();
                txn.commit().await.unwrap();
            });
        }
        tasks.join_all().await;
        let row = Entity::find_by_id("counter").one(database.conn()).await.unwrap().unwrap();
        assert_eq!(row.value, "40", "{:?}", database.kind());
    }
}

#[tokio::test]
async fn readers_of_sqlite_cannot_write() {
    let database = migrated_sqlite().await;
    let refused = Entity::insert(fact("x", Utc::now_for_tests())).exec_without_returning(database.conn()).await;
    assert!(refused.unwrap_err().to_string().contains("readonly"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_sqlite_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let database = connect_sqlite(&dir.path().join("brokle.db")).await.unwrap();
    migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await.unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn the_first_value_of_a_fact_stays() {
    for database in test_databases().await {
        let now = Utc::now_for_tests();
        assert_eq!(installation::find(database.conn(), "a").await.unwrap(), None);
        assert_eq!(installation::find_or_set(database.writer(), "a", "1", now).await.unwrap(), "1");
        assert_eq!(installation::find_or_set(database.writer(), "a", "2", now).await.unwrap(), "1");
        assert_eq!(installation::find(database.conn(), "a").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn five_servers_that_start_at_once_migrate_once() {
    let url = postgres_url().await;
    let servers = futures_util::future::join_all((0..5).map(|_| async {
        let database = connect_postgres(&settings(&url), Duration::from_secs(5)).await.unwrap();
        migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await
    }));
    let applied: Vec<usize> = servers.await.into_iter().map(|result| result.unwrap().len()).collect();
    assert_eq!(applied.iter().filter(|count| **count > 0).count(), 1, "{applied:?}");
}

#[tokio::test]
async fn the_migration_lock_is_freed_when_the_work_fails() {
    let database = postgres().await;
    let failed: Result<(), Error> = migrate::with_migration_lock(&database, async |_| Err(Error::Locked(1))).await;
    assert!(failed.is_err());
    let next = migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await);
    tokio::time::timeout(Duration::from_secs(5), next).await.unwrap().unwrap();
}

#[tokio::test]
async fn why_a_migration_failed_is_told_though_the_lock_is_gone_too() {
    let database = postgres().await;
    let failed: Result<(), Error> = migrate::with_migration_lock(&database, async |_| {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        database.writer().execute_unprepared(end).await.unwrap();
        Err(Error::Locked(7))
    })
    .await;
    assert!(matches!(failed, Err(Error::Locked(7))), "{failed:?}");
}

#[tokio::test]
async fn pending_changes_nothing_and_names_what_is_missing() {
    for database in [sqlite().await, postgres().await] {
        let pending = migrate::pending(&database).await.unwrap();
        assert_eq!(pending.last().map(String::as_str), Some(migrate::required_version()));
        assert_eq!(migrate::pending(&database).await.unwrap(), pending);
        let applied = migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await.unwrap();
        assert_eq!(applied, pending);
        assert!(migrate::pending(&database).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    for database in test_databases().await {
        let statement = "INSERT INTO relational_migrations (version, applied_at) VALUES ('m20990101_000001_later', 0)";
        database.writer().execute_unprepared(statement).await.unwrap();
        let refused = migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await.unwrap_err();
        assert!(refused.to_string().contains("newer Brokle (it has m20990101_000001_later"), "{refused}");
        assert!(matches!(migrate::wait_until_current(&database, Duration::from_secs(5)).await, Err(Error::Newer(_))));
    }
}

#[tokio::test]
async fn a_worker_waits_for_the_migration() {
    let database = postgres().await;
    assert!(matches!(migrate::wait_until_current(&database, Duration::ZERO).await, Err(Error::Behind(_))));
    let migrating = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        migrate::with_migration_lock(&database, async |lock| migrate::migrate(&database, lock).await).await
    };
    let (waited, migrated) = tokio::join!(migrate::wait_until_current(&database, Duration::from_secs(20)), migrating);
    waited.unwrap();
    migrated.unwrap();
}

#[tokio::test]
async fn lookups_by_id_and_hash_use_their_indexes_on_postgres() {
    let database = &test_databases().await[1];
    for (table, column) in [("users", "id"), ("projects", "id"), ("api_keys", "key_hash"), ("auth_sessions", "id")] {
        let txn = database.begin().await.unwrap();
        txn.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
        // A text parameter, as the driver sends it: with char(26) this falls back to reading the whole table.
        txn.execute_unprepared(&format!("PREPARE look (text) AS SELECT * FROM {table} WHERE {column} = $1")).await.unwrap();
        let plan = txn.query_one_raw(Statement::from_string(DbBackend::Postgres, "EXPLAIN EXECUTE look('x')")).await.unwrap().unwrap();
        let plan: String = plan.try_get_by_index(0).unwrap();
        assert!(plan.contains("Index Scan"), "{table}.{column}: {plan}");
        txn.execute_unprepared("DEALLOCATE look").await.unwrap();
    }
}

#[tokio::test]
async fn a_postgres_that_is_away_is_named_without_its_password() {
    let started = std::time::Instant::now();
    // Port 9 (discard) has no listener.
    let config = settings("postgres://someone:hunter2@127.0.0.1:9/brokle");
    let error = connect_postgres(&config, Duration::from_secs(1)).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:9, database brokle"), "{error}");
    assert!(error.contains("DATABASE_URL"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn what_waiting_cannot_mend_fails_at_once() {
    let mut url: reqwest::Url = postgres_url().await.parse().unwrap();
    url.set_path("no_such_database");
    let started = std::time::Instant::now();
    let error = connect_postgres(&settings(url.as_str()), Duration::from_mins(1)).await.unwrap_err().to_string();
    assert!(error.contains("create the database"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = connect_postgres(&settings("postgres://someone:hunter2@localhost:no-port/brokle"), Duration::from_mins(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("DATABASE_URL cannot be read") && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_lost_database_answers_unavailable() {
    use crate::error::{Code, Coded};
    let database = sqlite().await;
    database.db.clone().close().await.unwrap();
    let error = database.ping().await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), (Code::Unavailable, Some(2)));
}

/// The tables as each database has them: a migration that was released must not change.
#[tokio::test]
async fn the_tables_stand() {
    let databases = test_databases().await;
    let rows = databases[0]
        .conn()
        .query_all_raw(Statement::from_string(
            DbBackend::Sqlite,
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'relational%' ORDER BY type DESC, name",
        ))
        .await
        .unwrap();
    let sql: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    insta::assert_snapshot!("tables_sqlite", sql.join("\n"));
    const COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', '') \
        || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || coalesce(' default ' || column_default, '') \
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'relational%' \
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'relational%' \
        UNION ALL SELECT conrelid::regclass || ': ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f'";
    let rows = databases[1].conn().query_all_raw(Statement::from_string(DbBackend::Postgres, COLUMNS)).await.unwrap();
    let mut lines: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    // Sorted here: the server would use its own language's order.
    lines.sort_unstable();
    insta::assert_snapshot!("tables_postgres", lines.join("\n"));
}

trait NowForTests {
    fn now_for_tests() -> DateTime<Utc>;
}

impl NowForTests for Utc {
    fn now_for_tests() -> DateTime<Utc> {
        use crate::common::clock::{Clock, SystemClock};
        stored(SystemClock.now())
    }
}
