//! Which spans are refused before anything is stored, each alone, and how the sender is told.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;

/// 2000-01-01T00:00:00Z in nanoseconds: earlier starts are broken clocks, and months before it would split blocks.
const EARLIEST_NS: u64 = 946_684_800_000_000_000;
/// How far ahead of the receiver a time may be, in nanoseconds: 24 hours.
const AHEAD_NS: i64 = 24 * 3_600 * 1_000_000_000;
/// How many positions a message lists for each reason.
const LISTED: usize = 5;
/// Upper bound of a partial-success message, in bytes.
const MESSAGE_BYTES: usize = 1_000;
/// Upper bound of a kept span name, in bytes.
const NAME_BYTES: usize = 200;

/// Why a span was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    #[error("the trace id is not 16 bytes")]
    TraceIdLength,
    #[error("the trace id is all zeros")]
    TraceIdZero,
    #[error("the span id is not 8 bytes")]
    SpanIdLength,
    #[error("the span id is all zeros")]
    SpanIdZero,
    #[error("the start is before the year 2000")]
    StartTooEarly,
    #[error("the start is more than 24 hours ahead")]
    StartTooLate,
}

/// A span that was taken out of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Position among all spans of the request, in order, from 0.
    pub index: usize,
    /// The span's name, cut to 200 bytes.
    pub span_name: String,
    pub reason: Reason,
}

/// Takes the invalid spans out of `request` and reports each. `now_ns` is the receiver's time in nanoseconds since the epoch.
///
/// A missing start is allowed (the converter puts the end or the time of receipt in its place), and so are a missing end, an end
/// before the start and one far ahead.
pub fn validate(request: &mut ExportTraceServiceRequest, now_ns: i64) -> Vec<Rejection> {
    let latest = u64::try_from(now_ns.saturating_add(AHEAD_NS)).unwrap_or(0);
    let mut rejections = Vec::new();
    let mut index = 0;
    let spans = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans).map(|scope| &mut scope.spans);
    for spans in spans {
        spans.retain(|span| {
            let verdict = check(span, latest);
            if let Err(reason) = verdict {
                rejections.push(Rejection { index, span_name: cut(&span.name, NAME_BYTES).to_owned(), reason });
            }
            index += 1;
            verdict.is_ok()
        });
    }
    rejections
}

fn check(span: &Span, latest: u64) -> Result<(), Reason> {
    if span.trace_id.len() != 16 {
        return Err(Reason::TraceIdLength);
    }
    if span.trace_id.iter().all(|byte| *byte == 0) {
        return Err(Reason::TraceIdZero);
    }
    if span.span_id.len() != 8 {
        return Err(Reason::SpanIdLength);
    }
    if span.span_id.iter().all(|byte| *byte == 0) {
        return Err(Reason::SpanIdZero);
    }
    // Without a start the end stands in for it, so it is held to the same limits.
    let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
    let effective_start = if start == 0 { end } else { start };
    if effective_start != 0 && effective_start < EARLIEST_NS {
        return Err(Reason::StartTooEarly);
    }
    if effective_start > latest {
        return Err(Reason::StartTooLate);
    }
    Ok(())
}

/// The longest prefix of `text` of at most `bytes` bytes that ends between characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// What `partial_success.error_message` says: how many spans were refused for each reason, with the first few positions.
///
/// Empty when nothing was refused; at most 1,000 bytes.
#[must_use]
pub fn partial_success_message(rejections: &[Rejection]) -> String {
    let mut reasons: Vec<Reason> = rejections.iter().map(|rejection| rejection.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let mut message = String::new();
    for reason in reasons {
        let refused: Vec<&Rejection> = rejections.iter().filter(|rejection| rejection.reason == reason).collect();
        if !message.is_empty() {
            message.push_str("; ");
        }
        let (count, plural) = (refused.len(), if refused.len() == 1 { "" } else { "s" });
        // Writing to a String cannot fail.
        let _ = write!(message, "{count} span{plural} refused because {reason} (position{plural} ");
        for (at, rejection) in refused.iter().take(LISTED).enumerate() {
            let _ = write!(message, "{}{}", if at > 0 { ", " } else { "" }, rejection.index);
        }
        message.push_str(if count > LISTED { ", …)" } else { ")" });
    }
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES));
    message
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

    use super::*;

    const NOW: i64 = 1_760_000_000_000_000_000;
    const HOUR: u64 = 3_600_000_000_000;

    fn now() -> u64 {
        u64::try_from(NOW).unwrap()
    }

    fn span(change: impl FnOnce(&mut Span)) -> Span {
        let mut span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            name: "chat".to_owned(),
            start_time_unix_nano: now() - HOUR,
            end_time_unix_nano: now(),
            ..Span::default()
        };
        change(&mut span);
        span
    }

    fn request(spans: Vec<Vec<Span>>) -> ExportTraceServiceRequest {
        let scope_spans = spans.into_iter().map(|spans| ScopeSpans { spans, ..ScopeSpans::default() }).collect();
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
    }

    fn reason(change: impl FnOnce(&mut Span)) -> Option<Reason> {
        validate(&mut request(vec![vec![span(change)]]), NOW).first().map(|rejection| rejection.reason)
    }

    #[test]
    fn each_fault_has_its_reason() {
        assert_eq!(reason(|_| {}), None);
        assert_eq!(reason(|span| span.trace_id = vec![1; 15]), Some(Reason::TraceIdLength));
        assert_eq!(reason(|span| span.trace_id = Vec::new()), Some(Reason::TraceIdLength));
        assert_eq!(reason(|span| span.trace_id = vec![0; 16]), Some(Reason::TraceIdZero));
        assert_eq!(reason(|span| span.span_id = vec![1; 16]), Some(Reason::SpanIdLength));
        assert_eq!(reason(|span| span.span_id = vec![0; 8]), Some(Reason::SpanIdZero));
        assert_eq!(reason(|span| span.start_time_unix_nano = 1), Some(Reason::StartTooEarly));
        assert_eq!(reason(|span| span.start_time_unix_nano = EARLIEST_NS - 1), Some(Reason::StartTooEarly));
        assert_eq!(reason(|span| span.start_time_unix_nano = EARLIEST_NS), None);
        assert_eq!(reason(|span| span.start_time_unix_nano = now() + 24 * HOUR), None);
        assert_eq!(reason(|span| span.start_time_unix_nano = now() + 24 * HOUR + 1), Some(Reason::StartTooLate));
        assert_eq!(reason(|span| span.start_time_unix_nano = u64::MAX), Some(Reason::StartTooLate));
        let only_a_late_end = |span: &mut Span| (span.start_time_unix_nano, span.end_time_unix_nano) = (0, u64::MAX);
        assert_eq!(reason(only_a_late_end), Some(Reason::StartTooLate));
    }

    #[test]
    fn missing_and_reversed_times_are_kept() {
        assert_eq!(reason(|span| span.start_time_unix_nano = 0), None);
        assert_eq!(reason(|span| span.end_time_unix_nano = 0), None);
        assert_eq!(reason(|span| span.end_time_unix_nano = 5), None);
        assert_eq!(reason(|span| span.end_time_unix_nano = u64::MAX), None);
        let none = |span: &mut Span| (span.start_time_unix_nano, span.end_time_unix_nano) = (0, 0);
        assert_eq!(reason(none), None);
        let only_an_early_end = |span: &mut Span| (span.start_time_unix_nano, span.end_time_unix_nano) = (0, 5);
        assert_eq!(reason(only_an_early_end), Some(Reason::StartTooEarly));
    }

    #[test]
    fn valid_spans_stay_and_positions_count_across_scopes() {
        let bad = || span(|span| span.span_id.clear());
        let mut request = request(vec![vec![span(|_| {}), bad()], vec![bad(), span(|_| {})]]);
        let rejections = validate(&mut request, NOW);
        assert_eq!(rejections.iter().map(|rejection| rejection.index).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(rejections[0].span_name, "chat");
        let left: Vec<usize> = request.resource_spans[0].scope_spans.iter().map(|scope| scope.spans.len()).collect();
        assert_eq!(left, [1, 1]);
    }

    #[test]
    fn the_message_counts_by_reason_and_stays_short() {
        assert_eq!(partial_success_message(&[]), "");
        let mut spans: Vec<Span> = (0..7).map(|_| span(|span| span.trace_id.clear())).collect();
        spans.push(span(|span| span.span_id = vec![0; 8]));
        let rejections = validate(&mut request(vec![spans]), NOW);
        assert_eq!(
            partial_success_message(&rejections),
            "7 spans refused because the trace id is not 16 bytes (positions 0, 1, 2, 3, 4, …); \
             1 span refused because the span id is all zeros (position 7)"
        );
        let many: Vec<Rejection> =
            (0..100_000).map(|index| Rejection { index, span_name: String::new(), reason: Reason::TraceIdZero }).collect();
        assert!(partial_success_message(&many).len() <= MESSAGE_BYTES);
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let rejections = validate(&mut request(vec![vec![span(|span| (span.name, span.span_id) = ("é".repeat(500), Vec::new()))]]), NOW);
        assert_eq!(rejections[0].span_name, "é".repeat(100));
    }
}
