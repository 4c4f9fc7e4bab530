//! One span to one row.

use std::fmt;

use chrono::DateTime;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::family::{Field, Read};
use super::provider::normalise_provider;
use super::table::{Found, Hit, View};
use super::value::{as_number, as_text, into_maps};
use super::{ConvertContext, cost, counting, io, original, preview, tier};
use crate::observability::pricing::{Pricer, Query};
use crate::observability::rows::{COST_OVERFLOW, ENDED_VERSION_BIT, ObservationRow, USAGE_ROLLED_UP};

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// A start further ahead of the receipt than this is a clock that runs fast: five minutes.
const SKEW_NS: i64 = 300 * 1_000_000_000;
/// An end further ahead of the receipt than this is no time at which a span ended: 24 hours.
const AHEAD_NS: i64 = 24 * HOUR_NS;
/// Spans with more attributes than this are flagged.
const MANY_ATTRIBUTES: usize = 10_000;
/// Tags beyond this many are only in the attributes.
const MAX_TAGS: usize = 256;
/// Model parameters longer than this stay an attribute only.
const MAX_PARAMETERS: usize = 65_536;
/// The longest believable time to a first token, in nanoseconds: a day.
const MAX_FIRST_TOKEN_NS: f64 = 86_400e9;

/// Converts a span; `template` holds what is the same for all spans of its scope.
pub(super) fn convert(
    span: Span,
    template: &ObservationRow,
    context: &ConvertContext<'_>,
    pricer: &Pricer,
    found: &mut Found,
) -> ObservationRow {
    found.index(&span.attributes);
    let view = View::new(found, &span.attributes, &span.events, &template.resource_attributes);
    let mut row = template.clone();
    row.trace_id = hex::encode(&span.trace_id);
    row.span_id = hex::encode(&span.span_id);
    set_parent(&mut row, &span.parent_span_id);
    set_times(&mut row, span.start_time_unix_nano, span.end_time_unix_nano, context.received_at_us);
    row.kind = within_or_noted(&mut row, original::KIND, span.kind, 5);

    let (input, output) = read(&mut row, &view, context, Some(pricer), span.status, span.name);
    if span.attributes.len() > MANY_ATTRIBUTES {
        flag(&mut row, "many_attributes");
    }
    let taken = io::take(span.attributes, input, output);
    row.input = taken.input;
    row.output = taken.output;
    row.attributes = taken.attributes;
    row.attribute_types = taken.attribute_types;
    row.input_preview = preview::of(&row.input);
    row.output_preview = preview::of(&row.output);
    row.input_length = length(&row.input);
    row.output_length = length(&row.output);

    row.trace_state = span.trace_state;
    row.trace_flags = span.flags;
    row.dropped_attributes_count = span.dropped_attributes_count;
    set_events(&mut row, span.events, span.dropped_events_count);
    set_links(&mut row, span.links, span.dropped_links_count);
    if has_replaced_text(&row) {
        flag(&mut row, "invalid_utf8");
    }
    row
}

/// Fills what the rules say of a span; `row` has its ids, kind and times already. Nothing is priced without a pricer.
pub(super) fn read(
    row: &mut ObservationRow,
    view: &View<'_>,
    context: &ConvertContext<'_>,
    pricer: Option<&Pricer>,
    status: Option<Status>,
    name: String,
) -> (io::Choice, io::Choice) {
    set_who_and_where(row, view, context);
    set_model(row, view);
    let counted = counting::count(view, &row.provider, &row.model, &row.scope_name);
    let told_rolled_up = view.word(Field::RolledUp).is_some();
    set_type(row, view, !counted.tokens.is_empty() && !told_rolled_up);
    let rolled_up = told_rolled_up || is_rolled_up(row, view);
    set_usage(row, &counted, rolled_up);
    set_cost(row, view, pricer, &counted, rolled_up);
    set_status(row, view, status);
    set_name(row, view, name);
    set_first_token(row, view);
    let (input, output) = (io::input(view), io::output(view));
    for (field, choice) in [("input", &input), ("output", &output)] {
        if let Some(label) = choice.label() {
            note(row, field, label);
        }
    }
    (input, output)
}

fn flag(row: &mut ObservationRow, name: &str) {
    row.flags.push(name.to_owned());
}

/// Notes which rule filled a field.
fn note(row: &mut ObservationRow, field: &str, rule: &str) {
    row.mapping.push((field.to_owned(), rule.to_owned()));
}

/// A parent of zeros is none; that it was sent stays noted.
fn set_parent(row: &mut ObservationRow, parent: &[u8]) {
    let id = hex::encode(parent);
    if parent.iter().any(|byte| *byte != 0) {
        row.parent_span_id = id;
    } else if !id.is_empty() {
        note(row, original::PARENT, &id);
    }
    row.is_root = u8::from(row.parent_span_id.is_empty());
}

/// A code from zero to `most`; any other is noted, and is zero.
fn within_or_noted(row: &mut ObservationRow, field: &str, code: i32, most: u8) -> u8 {
    let known = u8::try_from(code).ok().filter(|code| *code <= most);
    if known.is_none() {
        note(row, field, &code.to_string());
    }
    known.unwrap_or_default()
}

fn nanos(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn set_times(row: &mut ObservationRow, start: u64, end: u64, received_at_us: u64) {
    let received = nanos(received_at_us.saturating_mul(1_000));
    for (field, time) in [(original::START, start), (original::END, end)] {
        if i64::try_from(time).is_err() {
            note(row, field, &time.to_string());
        }
    }
    let (mut start, end) = (nanos(start), nanos(end));
    if start == 0 {
        flag(row, "missing_start");
        // Whole hours, so that the same span sent again falls on the same row.
        start = if end == 0 { received - received % HOUR_NS } else { end };
    }
    if end == 0 {
        flag(row, "running");
    } else if end < start {
        flag(row, "end_before_start");
    }
    if start > received.saturating_add(SKEW_NS) {
        flag(row, "clock_skew");
    }
    if end > received.saturating_add(AHEAD_NS) {
        flag(row, "end_in_future");
    }
    row.start_time = start;
    row.end_time = end;
    row.duration_ns = if end == 0 { 0 } else { u64::try_from(end.saturating_sub(start)).unwrap_or(0) };
    row.row_version = (received_at_us & (ENDED_VERSION_BIT - 1)) | if end == 0 { 0 } else { ENDED_VERSION_BIT };
}

fn set_who_and_where(row: &mut ObservationRow, view: &View<'_>, context: &ConvertContext<'_>) {
    let fields = [
        ("release", Field::Release),
        ("version", Field::Version),
        ("service_name", Field::ServiceName),
        ("user_id", Field::User),
        ("session_id", Field::Session),
        ("prompt_id", Field::PromptId),
        ("prompt_name", Field::PromptName),
        ("environment", Field::Environment),
    ];
    for (name, field) in fields {
        let Some((text, rule)) = view.text(field) else { continue };
        // The service's name has one source only.
        if field != Field::ServiceName {
            note(row, name, &rule.label);
        }
        let place = match field {
            Field::Release => &mut row.release,
            Field::Version => &mut row.version,
            Field::ServiceName => &mut row.service_name,
            Field::User => &mut row.user_id,
            Field::Session => &mut row.session_id,
            Field::PromptId => &mut row.prompt_id,
            Field::PromptName => &mut row.prompt_name,
            _ => &mut row.environment,
        };
        *place = text.into_owned();
    }
    if row.environment.is_empty() {
        match context.environment.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => {
                note(row, "environment", "header x-brokle-environment");
                name.clone_into(&mut row.environment);
            }
            None => "default".clone_into(&mut row.environment),
        }
    }
    if let Some((version, rule)) = view.text(Field::PromptVersion) {
        note(row, "prompt_version", &rule.label);
        row.prompt_version = version.strip_prefix(['v', 'V']).unwrap_or(&version).parse().unwrap_or(0);
    }
    if let Some((candidate, hit)) = view.hits(Field::Tags).next() {
        row.tags = tags(hit);
        if !row.tags.is_empty() {
            note(row, "tags", &candidate.label);
        }
    }
}

fn set_model(row: &mut ObservationRow, view: &View<'_>) {
    if let Some((model, rule)) = view.text(Field::ResponseModel).or_else(|| view.text(Field::RequestModel)) {
        note(row, "model", &rule.label);
        row.model = model.into_owned();
    }
    if let Some((provider, rule)) = view.text(Field::Provider) {
        note(row, "provider", &rule.label);
        row.provider = normalise_provider(&provider).into_owned();
    }
    for (rule, hit) in view.hits(Field::Parameters) {
        // What was built is an object by construction; what was sent has to prove it.
        let is_object = matches!(hit, Hit::Built(_));
        let text = hit.into_text();
        if is_object || (text.len() <= MAX_PARAMETERS && text.starts_with('{') && serde_json::from_str::<IgnoredAny>(&text).is_ok()) {
            note(row, "model_parameters", &rule.label);
            row.model_parameters = text.into_owned();
            break;
        }
    }
}

fn set_type(row: &mut ObservationRow, view: &View<'_>, has_usage: bool) {
    let told = view.word(Field::Type);
    told.map_or("span", |(word, _)| word).clone_into(&mut row.r#type);
    // A call with a model and usage is a generation even when its kind says no more than "span" — unless the SDK itself said so.
    let said_so = told.is_some_and(|(_, rule)| EXPLICIT.contains(&rule.family));
    if row.r#type == "span" && !said_so && has_usage && !row.model.is_empty() {
        "generation".clone_into(&mut row.r#type);
        note(row, "type", "model with usage");
    } else if let Some((_, rule)) = told {
        note(row, "type", &rule.label);
    }
}

/// Families whose users say themselves what a span is and what it used.
const EXPLICIT: [&str; 2] = ["brokle", "langfuse"];

/// Whether the usage of a span is the sum of what its children report themselves: agents and workflows that run in the process
/// of their caller tell it so. A remote agent (a span of kind client) has no children here.
fn is_rolled_up(row: &ObservationRow, view: &View<'_>) -> bool {
    const CLIENT: u8 = 3;
    let told = || view.word(Field::Type).is_some_and(|(_, rule)| EXPLICIT.contains(&rule.family));
    matches!(row.r#type.as_str(), "agent" | "workflow") && row.kind != CLIENT && !told()
}

/// Usage that is rolled up is kept with its span, but not in the columns that are summed up over a trace: there each token is
/// counted where it was used.
fn set_usage(row: &mut ObservationRow, counted: &counting::Counted, rolled_up: bool) {
    for name in &counted.flags {
        flag(row, name);
    }
    row.client_total_tokens = counted.client_total;
    if counted.tokens.is_empty() {
        return;
    }
    row.input_tokens = counted.tokens.input();
    row.output_tokens = counted.tokens.output();
    row.total_tokens = row.input_tokens.saturating_add(row.output_tokens);
    row.usage_details = counted.tokens.iter().map(|(kind, tokens)| (kind.name().to_owned(), tokens)).collect();
    row.usage_details.push(("total".to_owned(), row.total_tokens));
    if rolled_up {
        (row.input_tokens, row.output_tokens, row.total_tokens) = (0, 0, 0);
        flag(row, USAGE_ROLLED_UP);
    }
    if let Some(label) = counted.label {
        note(row, "usage", label);
    }
}

fn set_cost(row: &mut ObservationRow, view: &View<'_>, pricer: Option<&Pricer>, counted: &counting::Counted, rolled_up: bool) {
    let client = cost::client_cost(view, &counted.tokens);
    if client.refused {
        flag(row, "cost_refused");
    }
    if rolled_up && !counted.tokens.is_empty() {
        return;
    }
    if let Some(total) = client.total {
        row.total_cost = Some(total);
        row.cost_details = client.details;
        "client".clone_into(&mut row.cost_source);
        if let Some(label) = client.label {
            note(row, "cost", label);
        }
        return;
    }
    let query =
        Query { provider: &row.provider, model: &row.model, start_ns: row.start_time, tokens: &counted.tokens, tier: tier::of(view) };
    let Some(pricer) = pricer else { return };
    let listed = cost::listed_cost(pricer, &query);
    if listed.overflow {
        flag(row, COST_OVERFLOW);
    }
    row.total_cost = listed.total;
    row.cost_details = listed.details;
    listed.source.clone_into(&mut row.cost_source);
    row.price_id = listed.price_id;
}

fn set_status(row: &mut ObservationRow, view: &View<'_>, status: Option<Status>) {
    if status.is_none() {
        note(row, original::STATUS, original::NONE);
    }
    let status = status.unwrap_or_default();
    row.status_code = within_or_noted(row, original::STATUS_CODE, status.code, 2);
    row.status_message = status.message;
    if row.status_message.is_empty()
        && let Some((message, rule)) = view.text(Field::StatusMessage)
    {
        note(row, "status_message", &rule.label);
        row.status_message = message.into_owned();
    }
    // SDKs write DEFAULT on every span, so it does not speak against an error.
    let level = match view.word(Field::Level) {
        Some((level, rule)) if level != "DEFAULT" => {
            note(row, "level", &rule.label);
            level
        }
        _ if row.status_code == 2 => "ERROR",
        _ => "DEFAULT",
    };
    level.clone_into(&mut row.level);
}

fn set_name(row: &mut ObservationRow, view: &View<'_>, name: String) {
    if row.r#type == "tool"
        && let Some((tool, rule)) = view.text(Field::ToolName)
        && tool != name
    {
        note(row, "name", &rule.label);
        // The span's own name has no other place to stay.
        note(row, original::NAME, &name);
        row.name = tool.into_owned();
    } else if let Some((told, rule)) = view.text(Field::Name)
        && told != name
        && row.r#type != "tool"
    {
        note(row, "name", &rule.label);
        note(row, original::NAME, &name);
        row.name = told.into_owned();
    } else {
        row.name = name;
    }
}

fn set_first_token(row: &mut ObservationRow, view: &View<'_>) {
    for (rule, hit) in view.hits(Field::FirstToken) {
        let Some(value) = hit.value() else { continue };
        let time = match rule.read {
            Read::Time => {
                let text = as_text(value);
                let time = DateTime::parse_from_rfc3339(text.trim_ascii().trim_matches('"')).ok();
                time.and_then(|time| time.timestamp_nanos_opt()).filter(|time| *time >= row.start_time)
            }
            Read::Milliseconds => after(row.start_time, value, 1e6),
            _ => after(row.start_time, value, 1e9),
        };
        // After the end it is in another unit than the convention's: no time is better than a wrong one.
        let Some(time) = time.filter(|time| row.end_time <= row.start_time || *time <= row.end_time) else { continue };
        row.completion_start_time = Some(time);
        note(row, "completion_start_time", &rule.label);
        return;
    }
}

/// The time that is so many units after the start, at most a day.
#[expect(clippy::cast_possible_truncation, reason = "checked to be within a day before the cast")]
fn after(start: i64, value: &Value, unit: f64) -> Option<i64> {
    let elapsed = (as_number(value)? * unit).round();
    (0.0..=MAX_FIRST_TOKEN_NS).contains(&elapsed).then(|| start.saturating_add(elapsed as i64))
}

fn set_events(row: &mut ObservationRow, events: Vec<Event>, dropped: u32) {
    row.dropped_events_count = dropped;
    for event in events {
        let (attributes, types) = into_maps(event.attributes);
        // Bit by bit, so that none is lost: one past the year 2262 is negative.
        row.events_timestamp.push(event.time_unix_nano.cast_signed());
        row.events_name.push(event.name);
        row.events_attributes.push(attributes);
        row.events_attribute_types.push(types);
        row.events_dropped_attributes_count.push(event.dropped_attributes_count);
    }
}

fn set_links(row: &mut ObservationRow, links: Vec<Link>, dropped: u32) {
    row.dropped_links_count = dropped;
    for link in links {
        let (attributes, types) = into_maps(link.attributes);
        row.links_trace_id.push(hex::encode(link.trace_id));
        row.links_span_id.push(hex::encode(link.span_id));
        row.links_trace_state.push(link.trace_state);
        row.links_flags.push(link.flags);
        row.links_attributes.push(attributes);
        row.links_attribute_types.push(types);
        row.links_dropped_attributes_count.push(link.dropped_attributes_count);
    }
}

/// Whether some text holds the character that stands for what was no Unicode, here or before it was sent.
fn has_replaced_text(row: &ObservationRow) -> bool {
    let broken = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
    let any = |pairs: &[(String, String)]| pairs.iter().any(|(key, text)| broken(text) || broken(key));
    [&row.input, &row.output, &row.name, &row.status_message].into_iter().any(|text| broken(text))
        || any(&row.attributes)
        || row.events_attributes.iter().any(|attributes| any(attributes))
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Tags from a list, a JSON list in text, or text with commas: trimmed, each once, in their order.
fn tags(hit: Hit<'_>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let mut add = |tag: &str| {
        let tag = tag.trim();
        if !tag.is_empty() && tags.len() < MAX_TAGS && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    };
    if let Some(Value::ArrayValue(list)) = hit.value() {
        list.values.iter().filter_map(|item| item.value.as_ref()).for_each(|item| add(&as_text(item)));
        return tags;
    }
    let text = hit.into_text();
    match serde_json::from_str::<Vec<Tag>>(&text) {
        Ok(list) => list.iter().filter_map(|tag| tag.0.as_deref()).for_each(add),
        Err(_) => text.split(',').for_each(add),
    }
    tags
}

/// A scalar of a JSON list as text; what is nested is passed over, without recursion.
struct Tag(Option<String>);

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TagVisitor;
        impl<'de> Visitor<'de> for TagVisitor {
            type Value = Tag;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a tag")
            }
            fn visit_unit<E>(self) -> Result<Tag, E> {
                Ok(Tag(None))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Tag, E> {
                Ok(Tag(Some(value.to_string())))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Tag, E> {
                Ok(Tag(Some(value.to_string())))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tag, E> {
                Ok(Tag(Some(value.to_string())))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Tag, E> {
                Ok(Tag(Some(value.to_string())))
            }
            fn visit_str<E>(self, value: &str) -> Result<Tag, E> {
                Ok(Tag(Some(value.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tag, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Tag(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tag, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Tag(None))
            }
        }
        deserializer.deserialize_any(TagVisitor)
    }
}
