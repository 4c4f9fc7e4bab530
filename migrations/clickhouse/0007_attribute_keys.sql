-- Which attributes a project uses, by day, to offer them in filters. Counts are inexact under redelivery.
CREATE TABLE IF NOT EXISTS attribute_keys (
    project_id LowCardinality(String),
    key LowCardinality(String),
    day Date,
    n SimpleAggregateFunction(sum, UInt64)
) ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (project_id, key, day)
TTL day + INTERVAL 365 DAY;
