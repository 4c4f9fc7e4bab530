-- Scores. A score is its id: a new name or time replaces it, so it is not partitioned by time.
CREATE TABLE IF NOT EXISTS quality_scores (
    project_id LowCardinality(String),
    score_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    name LowCardinality(String),
    data_type LowCardinality(String),
    source LowCardinality(String),
    value Nullable(Float64) CODEC(ZSTD(1)),
    string_value String CODEC(ZSTD(1)),
    comment String CODEC(ZSTD(3)),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    evaluator_id String CODEC(ZSTD(1)),
    author_user_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    retention_days UInt16 DEFAULT 365,
    ingested_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    row_version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX i_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX i_time timestamp TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(row_version, is_deleted)
ORDER BY (project_id, score_id)
TTL toDateTime(greatest(timestamp, ingested_at)) + toIntervalDay(least(retention_days, 10950))
SETTINGS non_replicated_deduplication_window = 1000;
