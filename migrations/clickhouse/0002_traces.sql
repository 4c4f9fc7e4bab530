-- Traces, one row each, recomputed from their spans after every insert of some.
--
-- The version is the store's clock before the spans were read. A trace whose earliest hour moves leaves a row with
-- is_deleted at the hour it moved from.
CREATE TABLE IF NOT EXISTS traces (
    project_id LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    root_span_id String CODEC(ZSTD(1)),
    start_time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    end_time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    duration_ns UInt64 CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    has_root UInt8,
    status_code UInt8,
    environment LowCardinality(String),
    release LowCardinality(String),
    version LowCardinality(String),
    service_name LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    tags Array(LowCardinality(String)),
    models Array(LowCardinality(String)),
    providers Array(LowCardinality(String)),
    bookmarked UInt8,
    span_count UInt32 CODEC(ZSTD(1)),
    error_count UInt32 CODEC(ZSTD(1)),
    unpriced_count UInt32 CODEC(ZSTD(1)),
    usage_details Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)),
    cost_details Map(LowCardinality(String), Decimal(38, 12)) CODEC(ZSTD(1)),
    input_tokens UInt64 CODEC(ZSTD(1)),
    output_tokens UInt64 CODEC(ZSTD(1)),
    total_tokens UInt64 CODEC(ZSTD(1)),
    total_cost Nullable(Decimal(38, 12)) CODEC(ZSTD(1)),
    input_preview String CODEC(ZSTD(1)),
    output_preview String CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    retention_days UInt16 DEFAULT 365,
    ingested_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    row_version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX i_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX i_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX i_attr_v mapValues(attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(row_version, is_deleted)
PARTITION BY toYYYYMM(start_time)
ORDER BY (project_id, toStartOfHour(start_time), trace_id)
TTL toDateTime(greatest(start_time, ingested_at)) + toIntervalDay(least(retention_days, 10950))
SETTINGS non_replicated_deduplication_window = 1000;
