//! The statement that makes the rows of `traces` from `observations`.

/// Parameters: version, project, trace ids.
///
/// One live row at the trace's earliest hour, and a deleted row of the same version at every other hour in which one of its spans
/// starts: a span that moves the start of a trace to an earlier hour would otherwise leave the old row behind, as the hour is part
/// of the key. Values that any span may carry (session, user, ...) come from the earliest span that has them.
pub(super) const RECOMPUTE: &str = "
INSERT INTO traces (project_id, trace_id, root_span_id, start_time, end_time, duration_ns, name, has_root, status_code,
  environment, release, version, service_name, user_id, session_id, tags, models, providers, span_count, error_count, unpriced_count,
  usage_details, cost_details, input_tokens, output_tokens, total_tokens, total_cost, input_preview, output_preview,
  retention_days, ingested_at, row_version, is_deleted)
SELECT project_id, trace_id, root_span_id,
  if(hour = first_hour, first_start, toDateTime64(hour, 9, 'UTC')) AS start_time,
  last_end AS end_time, duration_ns, name, has_root, status_code,
  environment, release, version, service_name, user_id, session_id, tags, models, providers, span_count, error_count, unpriced_count,
  usage_details, cost_details, input_tokens, output_tokens, total_tokens, total_cost, input_preview, output_preview,
  retention_days, ingested_at, ? AS row_version, hour != first_hour AS is_deleted
FROM (
  SELECT o.project_id AS project_id, o.trace_id AS trace_id,
    min(o.start_time) AS first_start,
    toStartOfHour(first_start) AS first_hour,
    groupUniqArray(toStartOfHour(o.start_time)) AS hours,
    max(o.is_root) AS has_root,
    argMinIf(o.span_id, o.start_time, o.is_root = 1) AS root_span_id,
    countIf(o.is_root = 1 AND o.end_time = toDateTime64(0, 9, 'UTC')) > 0 AS running,
    max(greatest(o.end_time, o.start_time)) AS any_end,
    if(running, toDateTime64(0, 9, 'UTC'), any_end) AS last_end,
    if(running, 0, toUInt64(toUnixTimestamp64Nano(any_end) - toUnixTimestamp64Nano(first_start))) AS duration_ns,
    if(has_root = 1, argMinIf(o.name, o.start_time, o.is_root = 1), argMin(o.name, o.start_time)) AS name,
    if(has_root = 1, argMinIf(o.status_code, o.start_time, o.is_root = 1), max(o.status_code)) AS status_code,
    argMinIf(o.environment, o.start_time, o.environment NOT IN ('', 'default')) AS named_environment,
    if(named_environment = '', 'default', named_environment) AS environment,
    argMinIf(o.release, o.start_time, o.release != '') AS release,
    argMinIf(o.version, o.start_time, o.version != '') AS version,
    if(has_root = 1, argMinIf(o.service_name, o.start_time, o.is_root = 1), argMin(o.service_name, o.start_time)) AS service_name,
    argMinIf(o.user_id, o.start_time, o.user_id != '') AS user_id,
    argMinIf(o.session_id, o.start_time, o.session_id != '') AS session_id,
    arraySort(groupUniqArrayArray(o.tags)) AS tags,
    arraySort(groupUniqArrayIf(o.model, o.model != '')) AS models,
    arraySort(groupUniqArrayIf(o.provider, o.provider != '')) AS providers,
    toUInt32(count()) AS span_count,
    toUInt32(countIf(o.status_code = 2)) AS error_count,
    toUInt32(countIf(o.total_tokens > 0 AND isNull(o.total_cost))) AS unpriced_count,
    sumMap(o.usage_details) AS usage_details,
    sumMap(o.cost_details) AS cost_details,
    sum(o.input_tokens) AS input_tokens,
    sum(o.output_tokens) AS output_tokens,
    sum(o.total_tokens) AS total_tokens,
    sum(o.total_cost) AS total_cost,
    if(has_root = 1, argMinIf(o.input_preview, o.start_time, o.is_root = 1), '') AS root_input,
    if(has_root = 1, argMinIf(o.output_preview, o.start_time, o.is_root = 1), '') AS root_output,
    if(root_input = '', argMinIf(o.input_preview, o.start_time, o.input_preview != ''), root_input) AS input_preview,
    if(root_output = '', argMaxIf(o.output_preview, o.start_time, o.output_preview != ''), root_output) AS output_preview,
    max(o.retention_days) AS retention_days,
    min(o.ingested_at) AS ingested_at
  FROM observations AS o FINAL
  WHERE o.project_id = ? AND o.trace_id IN ?
  GROUP BY o.project_id, o.trace_id
)
ARRAY JOIN hours AS hour
SETTINGS use_skip_indexes_if_final = 1, do_not_merge_across_partitions_select_final = 1";
