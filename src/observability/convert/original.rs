//! What a span said where its row has another value: noted in `mapping` beside the rules, under names with a dot, which no field
//! has. Most spans need none of them.

use crate::observability::rows::ObservationRow;

/// The span's own name, where the observation has another.
pub(super) const NAME: &str = "span.name";
/// A parent id of zeros, in hex.
pub(super) const PARENT: &str = "span.parent_span_id";
/// A kind that OTLP does not know.
pub(super) const KIND: &str = "span.kind";
/// Times past the year 2262, in nanoseconds.
pub(super) const START: &str = "span.start_time";
pub(super) const END: &str = "span.end_time";
/// That there was no status; one that says nothing is not noted.
pub(super) const STATUS: &str = "span.status";
/// A status code that OTLP does not know.
pub(super) const STATUS_CODE: &str = "span.status_code";
/// That there was no resource, or no scope.
pub(super) const RESOURCE: &str = "span.resource";
pub(super) const SCOPE: &str = "span.scope";
/// The resource's references to entities, as JSON.
pub(super) const ENTITY_REFS: &str = "span.entity_refs";

/// Says of a message that it was not there.
pub(super) const NONE: &str = "none";

/// What `mapping` says of a field, or of an original.
pub(super) fn noted<'a>(row: &'a ObservationRow, field: &str) -> Option<&'a str> {
    row.mapping.iter().find(|(name, _)| name == field).map(|(_, noted)| noted.as_str())
}

/// Whether a name in `mapping` is an original and no field.
pub(super) fn is_original(field: &str) -> bool {
    field.starts_with("span.")
}
