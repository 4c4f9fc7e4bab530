//! From OTLP spans to rows of the store.
//!
//! What each convention means is said in tables, one file per family, in [`family`]; [`table`] compiles them once. A span is
//! then looked over a single time: each attribute key is looked up, and every field of the row asks its rules in order.
//!
//! Nothing is lost. What fills a small column (model, user, tags, …) stays among the attributes too. The one attribute that
//! became the input or the output word for word is taken out of the map, because storing it twice would double the store;
//! `mapping` names it, and its type stays in `attribute_types`, so that it can be put back. An input that was put together
//! from several attributes leaves them where they are.

#[cfg(test)]
pub(crate) mod arbitrary;
mod cost;
mod counting;
mod family;
mod indexed;
mod io;
mod preview;
pub mod provider;
mod span;
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod value;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::observability::pricing::Pricer;
use crate::observability::rows::ObservationRow;
use table::Found;
use value::into_maps;

/// What is known of a request beside its spans.
#[derive(Debug, Clone, Copy)]
pub struct ConvertContext<'a> {
    pub project_id: &'a str,
    /// When the request was first received, in microseconds since the Unix epoch; the same again when it is redelivered.
    pub received_at_us: u64,
    /// The `x-brokle-environment` header, for spans that say nothing themselves.
    pub environment: Option<&'a str>,
    pub retention_days: u16,
}

/// Converts a validated request into rows, in the order of its spans.
///
/// Never fails: whatever a span holds is stored, and what is odd about it is named in `flags`.
#[must_use]
pub fn convert(request: ExportTraceServiceRequest, context: &ConvertContext<'_>, pricer: &Pricer) -> Vec<ObservationRow> {
    let spans = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans).map(|scope| scope.spans.len()).sum();
    let mut rows = Vec::with_capacity(spans);
    let mut found = Found::default();
    for resource_spans in request.resource_spans {
        let resource = resource_spans.resource.unwrap_or_default();
        let (resource_attributes, resource_attribute_types) = into_maps(resource.attributes);
        let mut template = ObservationRow {
            project_id: context.project_id.to_owned(),
            resource_attributes,
            resource_attribute_types,
            resource_dropped_attributes_count: resource.dropped_attributes_count,
            resource_schema_url: resource_spans.schema_url,
            retention_days: context.retention_days,
            ingested_at: i64::try_from(context.received_at_us / 1_000).unwrap_or(i64::MAX),
            ..ObservationRow::default()
        };
        for scope_spans in resource_spans.scope_spans {
            let scope = scope_spans.scope.unwrap_or_default();
            template.scope_name = scope.name;
            template.scope_version = scope.version;
            (template.scope_attributes, template.scope_attribute_types) = into_maps(scope.attributes);
            template.scope_dropped_attributes_count = scope.dropped_attributes_count;
            template.scope_schema_url = scope_spans.schema_url;
            for span in scope_spans.spans {
                rows.push(span::convert(span, &template, context, pricer, &mut found));
            }
        }
    }
    rows
}
