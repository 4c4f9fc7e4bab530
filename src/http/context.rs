//! What is known of a request from its first byte on: its id and its place in the caller's trace.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

/// The identity of one request, kept in its extensions.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// `X-Request-ID` of the caller, or a ULID.
    pub request_id: Arc<str>,
    /// W3C trace id of the caller's `traceparent`, 32 hex digits.
    pub trace_id: Option<Arc<str>>,
    /// The address of the client, past the proxies that are trusted.
    pub client_ip: Option<IpAddr>,
}

impl RequestContext {
    /// The context of `request`; a fresh one where the middleware did not run.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self {
            request_id: crate::common::id::fresh().to_string().into(),
            trace_id: None,
            client_ip: None,
        })
    }
}

/// Reads a request id: 1 to 128 visible ASCII characters, else none.
#[must_use]
pub fn accepted_request_id(value: &str) -> Option<&str> {
    (!value.is_empty() && value.len() <= 128 && value.bytes().all(|byte| byte.is_ascii_graphic())).then_some(value)
}

/// Reads the trace id of a `traceparent` header.
///
/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[must_use]
pub fn trace_id_of(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let real = |text: &str| text.bytes().any(|byte| byte != b'0');
    (hex(version, 2) && version != "ff" && hex(trace, 32) && real(trace) && hex(parent, 16) && real(parent)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_trace_id_of_a_valid_traceparent_only() {
        assert_eq!(trace_id_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(trace_id_of("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
        assert_eq!(trace_id_of("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), None);
        assert_eq!(trace_id_of("nonsense"), None);
    }

    #[test]
    fn refuses_request_ids_that_could_break_a_log_line() {
        assert_eq!(accepted_request_id("abc-1"), Some("abc-1"));
        assert_eq!(accepted_request_id("a b"), None);
        assert_eq!(accepted_request_id("a\nb"), None);
        assert_eq!(accepted_request_id(&"x".repeat(129)), None);
    }
}
