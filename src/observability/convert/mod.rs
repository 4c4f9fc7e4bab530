//! From OTLP spans to rows of the store.
//!
//! What each convention means is said in tables, one file per family, in [`family`]; [`table`] compiles them once. A span is
//! then looked over a single time: each attribute key is looked up, and every field of the row asks its rules in order.
//!
//! Nothing is lost. What fills a small column (model, user, tags, …) stays among the attributes too. The one attribute that
//! became the input or the output word for word is taken out of the map, because storing it twice would double the store;
//! `mapping` names it, and its type stays in `attribute_types`, so that it can be put back. An input that was put together
//! from several attributes leaves them where they are. [`rebuild`] is the way back, from a row to the span as it was sent.

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
mod captured;
mod cost;
mod counting;
mod explain;
mod family;
mod indexed;
mod io;
mod nested;
mod original;
mod preview;
pub mod provider;
mod rebuild;
mod span;
mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod tier;
mod unfold;
mod value;

use std::vec;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::observability::otlp::json::encode_entity_refs;
use crate::observability::pricing::Pricer;
use crate::observability::rows::{ObservationRow, Pairs};
pub use cost::{ListedCost, listed_cost};
pub use explain::{Explanation, FilledField, explain};
pub use rebuild::{Rebuilt, rebuild};
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
    let all = SliceLimits { rows: usize::MAX, bytes: usize::MAX };
    Conversion::new(request).next_slice(context, pricer, all).unwrap_or_default()
}

/// How much of a request is converted at once.
#[derive(Debug, Clone, Copy)]
pub struct SliceLimits {
    pub rows: usize,
    /// As [`size_of_row`] counts; a slice ends with the row that reaches it.
    pub bytes: usize,
}

/// A request that is converted slice by slice, so that a large one never is in memory as rows as a whole.
#[derive(Debug)]
pub struct Conversion {
    resources: vec::IntoIter<ResourceSpans>,
    scopes: vec::IntoIter<ScopeSpans>,
    spans: vec::IntoIter<Span>,
    /// What is the same for all spans of a scope.
    template: ObservationRow,
    found: Found,
}

impl Conversion {
    /// The conversion of a validated request.
    #[must_use]
    pub fn new(request: ExportTraceServiceRequest) -> Self {
        Self {
            resources: request.resource_spans.into_iter(),
            scopes: Vec::new().into_iter(),
            spans: Vec::new().into_iter(),
            template: ObservationRow::default(),
            found: Found::default(),
        }
    }

    /// The next rows, in the order of the spans; nothing after the last. The same request always falls into the same slices.
    pub fn next_slice(&mut self, context: &ConvertContext<'_>, pricer: &Pricer, limits: SliceLimits) -> Option<Vec<ObservationRow>> {
        let (mut rows, mut bytes) = (Vec::new(), 0_usize);
        while rows.len() < limits.rows && bytes < limits.bytes {
            let Some(span) = self.next_span(context) else { break };
            let row = span::convert(span, &self.template, context, pricer, &mut self.found);
            bytes = bytes.saturating_add(size_of_row(&row));
            rows.push(row);
        }
        (!rows.is_empty()).then_some(rows)
    }

    fn next_span(&mut self, context: &ConvertContext<'_>) -> Option<Span> {
        loop {
            if let Some(span) = self.spans.next() {
                return Some(span);
            }
            if let Some(scope) = self.scopes.next() {
                self.enter_scope(scope);
            } else {
                let resource = self.resources.next()?;
                self.enter_resource(resource, context);
            }
        }
    }

    fn enter_resource(&mut self, resource_spans: ResourceSpans, context: &ConvertContext<'_>) {
        let mut mapping = Vec::new();
        if resource_spans.resource.is_none() {
            mapping.push((original::RESOURCE.to_owned(), original::NONE.to_owned()));
        }
        let resource = resource_spans.resource.unwrap_or_default();
        if !resource.entity_refs.is_empty() {
            mapping.push((original::ENTITY_REFS.to_owned(), encode_entity_refs(&resource.entity_refs)));
        }
        let (resource_attributes, resource_attribute_types) = into_maps(resource.attributes);
        self.template = ObservationRow {
            project_id: context.project_id.to_owned(),
            resource_attributes,
            resource_attribute_types,
            resource_dropped_attributes_count: resource.dropped_attributes_count,
            resource_schema_url: resource_spans.schema_url,
            mapping,
            retention_days: context.retention_days,
            ingested_at: i64::try_from(context.received_at_us / 1_000).unwrap_or(i64::MAX),
            ..ObservationRow::default()
        };
        self.scopes = resource_spans.scope_spans.into_iter();
    }

    fn enter_scope(&mut self, scope_spans: ScopeSpans) {
        let template = &mut self.template;
        template.mapping.retain(|(field, _)| field != original::SCOPE);
        if scope_spans.scope.is_none() {
            template.mapping.push((original::SCOPE.to_owned(), original::NONE.to_owned()));
        }
        let scope = scope_spans.scope.unwrap_or_default();
        self.found.enter_scope(&scope.name);
        template.scope_name = scope.name;
        template.scope_version = scope.version;
        (template.scope_attributes, template.scope_attribute_types) = into_maps(scope.attributes);
        template.scope_dropped_attributes_count = scope.dropped_attributes_count;
        template.scope_schema_url = scope_spans.schema_url;
        self.spans = scope_spans.spans.into_iter();
    }
}

/// About how many bytes a row takes in memory.
#[must_use]
pub fn size_of_row(row: &ObservationRow) -> usize {
    let texts: usize =
        [&row.name, &row.status_message, &row.model_parameters, &row.input, &row.output, &row.input_preview, &row.output_preview]
            .into_iter()
            .chain([&row.trace_state, &row.resource_schema_url, &row.scope_name, &row.scope_version, &row.scope_schema_url])
            .chain([&row.user_id, &row.session_id, &row.environment, &row.release, &row.version, &row.service_name, &row.model])
            .chain([&row.prompt_id, &row.prompt_name, &row.provider])
            .chain(&row.tags)
            .chain(&row.events_name)
            .chain(row.mapping.iter().map(|(_, rule)| rule))
            .chain(row.links_trace_id.iter().chain(&row.links_span_id).chain(&row.links_trace_state))
            .map(String::len)
            .sum();
    let maps = |pairs: &Pairs<String>, types: &Pairs<u8>| -> usize {
        let pairs: usize = pairs.iter().map(|(key, value)| size_of::<(String, String)>() + key.len() + value.len()).sum();
        pairs + types.iter().map(|(key, _)| size_of::<(String, u8)>() + key.len()).sum::<usize>()
    };
    let lists = |pairs: &[Pairs<String>], types: &[Pairs<u8>]| -> usize {
        // A number, two names and two maps for each.
        pairs.iter().zip(types).map(|(pairs, types)| 150 + maps(pairs, types)).sum()
    };
    size_of::<ObservationRow>()
        // Ids, the names of rules and what else is short.
        + 500
        + texts
        + maps(&row.attributes, &row.attribute_types)
        + maps(&row.resource_attributes, &row.resource_attribute_types)
        + maps(&row.scope_attributes, &row.scope_attribute_types)
        + lists(&row.events_attributes, &row.events_attribute_types)
        + lists(&row.links_attributes, &row.links_attribute_types)
}
