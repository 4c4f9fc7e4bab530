-- What people put on a trace: tags, bookmarks and comments, one row for each mark.
--
-- kind is `tag` (mark_id and value are the tag), `bookmark` (mark_id empty) or `comment` (mark_id its own id, value the
-- text). Apart from `traces`, so that a recompute reads them and never has to carry anything over, and one row for each,
-- so that two people at once do not overwrite each other.
CREATE TABLE IF NOT EXISTS trace_marks (
    project_id LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    mark_id String CODEC(ZSTD(1)),
    value String CODEC(ZSTD(1)),
    author_user_id String CODEC(ZSTD(1)),
    created_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    row_version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX i_value value TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(row_version, is_deleted)
ORDER BY (project_id, trace_id, kind, mark_id)
SETTINGS non_replicated_deduplication_window = 1000;
