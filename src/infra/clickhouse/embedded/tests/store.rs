//! The client, the schema and the engine together.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::support::{empty_store, migrated_store};
use crate::{
    infra::clickhouse::{Kind, migrate},
    observability::rows::{ENDED_VERSION_BIT, ObservationRow},
};

pub(super) fn full_row() -> ObservationRow {
    let text = |value: &str| value.to_owned();
    let pair = |key: &str, value: &str| vec![(text(key), text(value))];
    let start = 1_790_000_000_123_456_789;
    ObservationRow {
        project_id: text("01K7PROJECT"),
        trace_id: text("0af7651916cd43dd8448eb211c80319c"),
        span_id: text("b7ad6b7169203331"),
        parent_span_id: text("00f067aa0ba902b7"),
        start_time: start,
        end_time: start + 1_500_000_000,
        completion_start_time: Some(start + 1),
        duration_ns: 1_500_000_000,
        name: text("chat gpt-4o"),
        r#type: text("generation"),
        kind: 3,
        level: text("default"),
        status_code: 1,
        status_message: text("it's \\ fine\n"),
        is_root: 0,
        environment: text("production"),
        release: text("r1"),
        version: text("v1"),
        service_name: text("svc"),
        user_id: text("user-1"),
        session_id: text("session-1"),
        tags: vec![text("a"), text("b")],
        model: text("gpt-4o"),
        provider: text("openai"),
        model_parameters: text("{\"temperature\":0.5}"),
        prompt_id: text("p"),
        prompt_name: text("prompt-name"),
        prompt_version: 7,
        usage_details: vec![(text("input"), 10), (text("output"), u64::MAX)],
        cost_details: vec![(text("input"), 123), (text("output"), -5)],
        input_tokens: 10,
        output_tokens: 20,
        total_tokens: 30,
        client_total_tokens: Some(31),
        total_cost: Some(999_999_999_999_999_999),
        cost_source: text("catalogue"),
        price_id: text("price"),
        flags: vec![text("late")],
        attributes: pair("gen_ai.system", "öpenai ☃"),
        attribute_types: vec![(text("n"), 2)],
        dropped_attributes_count: 1,
        resource_attributes: pair("service.name", "svc"),
        resource_attribute_types: vec![(text("pid"), 2)],
        resource_dropped_attributes_count: 2,
        resource_schema_url: text("https://opentelemetry.io/schemas/1.37.0"),
        scope_name: text("scope"),
        scope_version: text("1"),
        scope_attributes: pair("k", ""),
        scope_attribute_types: vec![(text("k"), 7)],
        scope_dropped_attributes_count: 3,
        scope_schema_url: text("https://example.com/s"),
        trace_state: text("a=b"),
        trace_flags: 0x101,
        mapping: pair("model", "gen_ai.request.model"),
        events_timestamp: vec![start, start + 2],
        events_name: vec![text("e1"), text("e2")],
        events_attributes: vec![pair("a", "b"), vec![]],
        events_attribute_types: vec![vec![(text("a"), 1)], vec![]],
        events_dropped_attributes_count: vec![0, 4],
        dropped_events_count: 5,
        links_trace_id: vec![text("4bf92f3577b34da6a3ce929d0e0e4736")],
        links_span_id: vec![text("00f067aa0ba902b7")],
        links_trace_state: vec![text("")],
        links_flags: vec![1],
        links_attributes: vec![pair("x", "y")],
        links_attribute_types: vec![vec![]],
        links_dropped_attributes_count: vec![6],
        dropped_links_count: 8,
        input: text("input \0 with a zero"),
        output: "x".repeat(100_000),
        input_preview: text("input"),
        output_preview: "x".repeat(200),
        input_length: 20,
        output_length: 100_000,
        retention_days: u16::MAX,
        ingested_at: 1_790_000_001_000,
        row_version: 1_790_000_001_000_000,
    }
}

#[tokio::test]
async fn the_span_row_and_its_table_agree() {
    let store = migrated_store().await;
    let columns: Vec<String> = store
        .client()
        .query("SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'observations' ORDER BY position")
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(columns, ObservationRow::COLUMN_NAMES);

    let row = full_row();
    // The client for reads checks every field against the type of its column.
    let mut checked = store.client().insert::<ObservationRow>("observations").await.unwrap();
    checked.write(&row).await.unwrap();
    checked.end().await.unwrap();
    let mut ended = row.clone();
    ended.row_version |= ENDED_VERSION_BIT;
    ended.status_message = "ended".to_owned();
    let mut late = row.clone();
    late.row_version += 1;
    for version in [&ended, &late] {
        store.insert("observations", [version].into_iter(), &[]).await.unwrap();
    }
    let count = "SELECT count() FROM observations WHERE project_id = ?";
    let stored: u64 = store.client().query(count).bind(&row.project_id).fetch_one().await.unwrap();
    assert_eq!(stored, 3);
    let read: Vec<ObservationRow> = store
        .client()
        .query("SELECT ?fields FROM observations FINAL WHERE project_id = ? AND trace_id = ?")
        .bind(&row.project_id)
        .bind(&row.trace_id)
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(read, [ended]);
}

#[tokio::test]
async fn an_empty_row_is_stored_too() {
    let store = migrated_store().await;
    let row = ObservationRow { start_time: 1_790_000_000_000_000_000, ..ObservationRow::default() };
    let full = full_row();
    store.insert("observations", [&row, &full].into_iter(), &[]).await.unwrap();
    let read: Vec<ObservationRow> =
        store.client().query("SELECT ?fields FROM observations FINAL ORDER BY project_id").fetch_all().await.unwrap();
    assert_eq!(read, [row, full]);
}

#[tokio::test]
async fn what_does_not_fit_a_table_is_told_apart_from_a_table_that_is_not_there() {
    let store = migrated_store().await;
    let row = full_row();
    let missing = store.insert("nope", [&row].into_iter(), &[]).await.unwrap_err();
    assert_eq!(missing.to_string(), "table nope has no column project_id; run: brokle migrate");
    assert!(matches!(missing, clickhouse::error::Error::Other(_)));
}

#[tokio::test]
async fn migrations_run_once_and_say_what_is_missing() {
    let store = migrated_store().await;
    let status = migrate::check(&store).await.unwrap();
    assert_eq!((status.current, status.pending), (migrate::required_version(), vec![]));
    assert_eq!(migrate::run(&store).await.unwrap(), []);
    let fresh = store.with_database("not_there");
    let status = migrate::check(&fresh).await.unwrap();
    assert_eq!((status.current, status.pending.len()), (0, migrate::MIGRATIONS.len()));
    let databases: u64 = store.client().query("SELECT count() FROM system.databases WHERE name = 'not_there'").fetch_one().await.unwrap();
    assert_eq!(databases, 0, "a check changes nothing");
}

#[tokio::test]
async fn migrations_go_on_after_a_crash_and_refuse_changed_files() {
    let store = migrated_store().await;
    let forget = "ALTER TABLE schema_migrations DELETE WHERE version >= 5";
    store.client().query(forget).with_setting("mutations_sync", "2").execute().await.unwrap();
    assert_eq!(migrate::run(&store).await.unwrap().len(), 3);
    let change = "ALTER TABLE schema_migrations UPDATE checksum = 'other' WHERE version = 2";
    store.client().query(change).with_setting("mutations_sync", "2").execute().await.unwrap();
    let refused = migrate::run(&store).await.unwrap_err().to_string();
    assert!(refused.starts_with("migration 2 (traces) of ClickHouse was changed after it was applied"), "{refused}");
}

#[tokio::test]
async fn two_runners_at_once_leave_one_schema() {
    let store = empty_store().await;
    let (one, other) = tokio::join!(migrate::run(&store), migrate::run(&store));
    one.unwrap();
    other.unwrap();
    assert_eq!(migrate::check(&store).await.unwrap().pending, []);
}

#[tokio::test]
async fn tells_about_itself() {
    let store = migrated_store().await;
    store.ping().await.unwrap();
    assert_eq!(store.kind(), Kind::Embedded);
    assert!(store.version().await.unwrap().starts_with("26.7."));
    store.check_version().await.unwrap();
    let disk = store.disk_space().await.unwrap();
    assert!(disk.free_bytes.unwrap() <= disk.total_bytes.unwrap() && disk.total_bytes.unwrap() > 0);
}

#[derive(Debug, Clone, PartialEq, Row, Serialize, Deserialize)]
struct Small {
    id: u64,
    text: String,
}

#[tokio::test]
async fn a_repeated_token_stores_once() {
    let store = empty_store().await;
    store
        .client()
        .query("CREATE TABLE t (id UInt64, text String) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100")
        .execute()
        .await
        .unwrap();
    for (token, id) in [("it's a \\token", 1), ("it's a \\token", 1), ("other", 1), ("it's a \\token", 2)] {
        let mut insert = store.insert_client().insert::<Small>("t").await.unwrap().with_setting("insert_deduplication_token", token);
        insert.write(&Small { id, text: "a".to_owned() }).await.unwrap();
        insert.end().await.unwrap();
    }
    let rows: Vec<u64> = store.client().query("SELECT id FROM t ORDER BY id").fetch_all().await.unwrap();
    assert_eq!(rows, [1, 1]);
}

#[tokio::test]
async fn an_insert_without_an_end_stores_nothing() {
    let store = empty_store().await;
    store.client().query("CREATE TABLE t (id UInt64, text String) ENGINE = MergeTree ORDER BY id").execute().await.unwrap();
    let row = Small { id: 1, text: "x".repeat(100_000) };
    let mut insert = store.insert_client().insert::<Small>("t").await.unwrap();
    for _ in 0..50 {
        insert.write(&row).await.unwrap();
    }
    drop(insert);
    // Both connections for inserts are free again, so the first cannot be waiting for more.
    for _ in 0..2 {
        let mut insert = store.insert_client().insert::<Small>("t").await.unwrap();
        insert.write(&Small { id: 2, text: String::new() }).await.unwrap();
        insert.end().await.unwrap();
    }
    let rows: Vec<u64> = store.client().query("SELECT id FROM t ORDER BY id").fetch_all().await.unwrap();
    assert_eq!(rows, [2, 2]);
}

#[tokio::test]
async fn one_block_of_rows_becomes_one_part() {
    let store = empty_store().await;
    store.client().query("CREATE TABLE t (id UInt64, text String) ENGINE = MergeTree ORDER BY id").execute().await.unwrap();
    let mut insert = store.insert_client().insert::<Small>("t").await.unwrap();
    for id in 0..5_000 {
        insert.write(&Small { id, text: "y".repeat(1_600) }).await.unwrap();
    }
    insert.end().await.unwrap();
    let parts: u64 = store
        .client()
        .query("SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 't'")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(parts, 1);
}

#[tokio::test]
async fn long_answers_arrive_whole() {
    let store = empty_store().await;
    let mut cursor = store.client().query("SELECT number AS id, toString(number) AS text FROM numbers(500000)").fetch::<Small>().unwrap();
    let mut expected = 0;
    while let Some(row) = cursor.next().await.unwrap() {
        assert_eq!((row.id, row.text.parse()), (expected, Ok(expected)));
        expected += 1;
    }
    assert_eq!(expected, 500_000);
}

#[tokio::test]
async fn errors_come_with_the_number_of_clickhouse() {
    let store = empty_store().await;
    let missing = store.client().query("SELECT * FROM nope").fetch_all::<u8>().await.unwrap_err().to_string();
    assert!(missing.contains("Code: 60. DB::Exception: ") && missing.contains("UNKNOWN_TABLE"), "{missing}");
    // After the first block, within the body.
    let late =
        store.client().query("SELECT throwIf(number = 150000) AS x FROM numbers(200000)").fetch_all::<u8>().await.unwrap_err().to_string();
    assert!(late.contains("Code: 395. DB::Exception: "), "{late}");
    let insert = store.insert_client().insert::<Small>("nope").await.unwrap();
    let refused = insert.end().await;
    assert!(refused.is_ok(), "an insert without rows is never sent");
    let mut insert = store.insert_client().insert::<Small>("nope").await.unwrap();
    let refused = async {
        for id in 0..5_000 {
            insert.write(&Small { id, text: "z".repeat(1_000) }).await?;
        }
        insert.end().await
    };
    let refused = refused.await.unwrap_err().to_string();
    assert!(refused.contains("Code: 60."), "{refused}");
    let unknown = store.client().query("SELECT 1").with_setting("nope", "1").execute().await.unwrap_err().to_string();
    assert!(unknown.contains("Code: 115."), "{unknown}");
}

#[tokio::test]
async fn settings_do_not_outlive_their_statement() {
    let store = empty_store().await;
    let threads = |value: Option<&'static str>| {
        let mut query = store.client().query("SELECT toUInt64(getSetting('max_threads'))");
        if let Some(value) = value {
            query = query.with_setting("max_threads", value);
        }
        query.fetch_one::<u64>()
    };
    for (value, seen) in [(None, 2), (Some("5"), 5), (None, 2), (Some("1"), 1), (Some("5"), 5), (None, 2)] {
        // Every connection of the lane.
        for _ in 0..4 {
            assert_eq!(threads(value).await.unwrap(), seen);
        }
    }
}

#[tokio::test]
async fn parameters_are_data() {
    let store = empty_store().await;
    let nasty = "'; DROP TABLE t; -- ☃ \\ \u{0}";
    let bound: String = store.client().query("SELECT ?").bind(nasty).fetch_one().await.unwrap();
    assert_eq!(bound, nasty);
    let sent: String = store.client().query("SELECT {p:String}").param("p", nasty).fetch_one().await.unwrap();
    assert_eq!(sent, nasty);
}

/// Inserts leave repeated keys within a block as they are; reads must not.
#[tokio::test]
async fn repeats_within_a_block_count_once() {
    let store = migrated_store().await;
    let row = |number: u64, version: u64| ObservationRow {
        project_id: "p".to_owned(),
        trace_id: format!("{:032x}", number / 7),
        span_id: format!("{number:016x}"),
        start_time: 1_790_000_000_000_000_000 + i64::try_from(number).unwrap() * 1_000_000_000,
        total_tokens: version,
        row_version: version,
        retention_days: 365,
        ingested_at: 1_790_000_001_000,
        ..ObservationRow::default()
    };
    let totals = "SELECT count(), sum(total_tokens), toUInt64(uniqExact(span_id)) FROM observations FINAL WHERE project_id = 'p'";
    for (block, expected) in [(0..12_000_u64, 12_000_u64), (12_000..24_000, 24_000), (6_000..18_000, 24_000)] {
        let mut insert = store.insert_client().insert::<ObservationRow>("observations").await.unwrap();
        for version in [2, 3, 1] {
            for number in block.clone() {
                insert.write(&row(number, version)).await.unwrap();
            }
        }
        insert.end().await.unwrap();
        let found: (u64, u64, u64) = store.client().query(totals).fetch_one().await.unwrap();
        assert_eq!(found, (expected, expected * 3, expected));
    }
    let one: Vec<u64> = store
        .client()
        .query("SELECT total_tokens FROM observations FINAL WHERE project_id = 'p' AND trace_id = ? ORDER BY start_time")
        .bind(format!("{:032x}", 1_000))
        .fetch_all()
        .await
        .unwrap();
    assert_eq!(one, [3; 7]);
}
