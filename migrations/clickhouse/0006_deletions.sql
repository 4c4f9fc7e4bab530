-- What was deleted and when, so that it does not come back by a retry, a replay or a late span.
--
-- kind is `trace`, `user`, `session` or `project`; subject is its id, empty for a whole project. What was received
-- before deleted_at stays deleted; the latest time counts.
CREATE TABLE IF NOT EXISTS deletions (
    project_id LowCardinality(String),
    kind LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    deleted_at DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    author_user_id String CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(deleted_at)
ORDER BY (project_id, kind, subject)
SETTINGS non_replicated_deduplication_window = 1000;
