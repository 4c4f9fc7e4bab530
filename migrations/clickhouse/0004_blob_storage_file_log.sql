-- What was put into object storage, and for which row. Not partitioned: an entry is its key.
CREATE TABLE IF NOT EXISTS blob_storage_file_log (
    project_id LowCardinality(String),
    entity_type LowCardinality(String),
    entity_id String CODEC(ZSTD(1)),
    event_id String CODEC(ZSTD(1)),
    bucket_name LowCardinality(String),
    bucket_path String CODEC(ZSTD(1)),
    size_bytes UInt64 CODEC(ZSTD(1)),
    sha256 String CODEC(ZSTD(1)),
    created_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    retention_days UInt16 DEFAULT 365,
    row_version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
) ENGINE = ReplacingMergeTree(row_version, is_deleted)
ORDER BY (project_id, entity_type, entity_id, event_id)
TTL toDateTime(created_at) + toIntervalDay(least(retention_days, 10950))
SETTINGS non_replicated_deduplication_window = 1000;
