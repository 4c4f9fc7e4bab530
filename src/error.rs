//! The table of error codes and the one answer every error becomes.
//!
//! Domain errors implement [`Coded`]; anything else is an internal error whose cause goes to the log, never to the caller.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

/// A code of the public contract: its name and its HTTP status never change apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    Validation,
    BadRequest,
    Unauthorized,
    RefreshExpired,
    SecondFactorRequired,
    EnterpriseRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimit,
    Internal,
    Unavailable,
}

impl Code {
    /// Every code, for the contract's snapshot.
    pub const ALL: [Self; 15] = [
        Self::Validation,
        Self::BadRequest,
        Self::Unauthorized,
        Self::RefreshExpired,
        Self::SecondFactorRequired,
        Self::EnterpriseRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimit,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The name in `error.code`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::BadRequest => "BAD_REQUEST_ERROR",
            Self::Unauthorized => "UNAUTHORIZED_ERROR",
            Self::RefreshExpired => "REFRESH_EXPIRED",
            Self::SecondFactorRequired => "SECOND_FACTOR_REQUIRED",
            Self::EnterpriseRequired => "ENTERPRISE_REQUIRED",
            Self::Forbidden => "FORBIDDEN_ERROR",
            Self::NotFound => "NOT_FOUND_ERROR",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED_ERROR",
            Self::Conflict => "CONFLICT_ERROR",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimit => "RATE_LIMIT_ERROR",
            Self::Internal => "INTERNAL_ERROR",
            Self::Unavailable => "SERVICE_UNAVAILABLE_ERROR",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Validation | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::RefreshExpired | Self::SecondFactorRequired => StatusCode::UNAUTHORIZED,
            Self::EnterpriseRequired => StatusCode::PAYMENT_REQUIRED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code for a bare HTTP status, as the router and the extractors of actix produce it.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        Self::ALL
            .into_iter()
            .filter(|code| *code != Self::Validation)
            .find(|code| code.status() == status)
            .unwrap_or(if status.is_server_error() { Self::Internal } else { Self::BadRequest })
    }
}

/// An error that knows its place in the public contract.
pub trait Coded: std::error::Error {
    /// The code it answers with.
    fn code(&self) -> Code;

    /// More about it, for `error.details`.
    fn details(&self) -> Option<Value> {
        None
    }

    /// Seconds after which trying again makes sense.
    fn retry_after(&self) -> Option<u32> {
        None
    }
}

/// What a handler fails with: rendered by the HTTP layer as the envelope, RFC 9457 or OTLP's `Status`.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: Code,
    /// What happened and what to do; shown to the caller.
    pub message: String,
    pub details: Option<Value>,
    /// Seconds, sent as `Retry-After`.
    pub retry_after: Option<u32>,
    /// For the log only.
    pub cause: Option<String>,
}

impl ApiError {
    /// An error with a message for the caller.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: None, retry_after: None, cause: None }
    }

    /// A request that is wrong in one field.
    pub fn validation(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { details: Some(serde_json::json!([{"field": field, "message": message}])), ..Self::new(Code::Validation, message) }
    }

    /// Something that is not there, or that the caller may not know about.
    pub fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("{what} not found"))
    }

    /// A fault of ours: the cause is logged, the caller is told the request id.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self { cause: Some(cause.to_string()), ..Self::new(Code::Internal, "internal error; the log has the cause under this request id") }
    }

    /// A dependency that is away; the caller may try again after `seconds`.
    pub fn unavailable(message: impl Into<String>, cause: impl fmt::Display, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), cause: Some(cause.to_string()), ..Self::new(Code::Unavailable, message) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl actix_web::ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Only the status: the body needs the request's id and is written by `http::middleware`.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl<E: Coded> From<E> for ApiError {
    fn from(error: E) -> Self {
        let code = error.code();
        let base = if code == Code::Internal { Self::internal(chain(&error)) } else { Self::new(code, error.to_string()) };
        Self { details: error.details(), retry_after: error.retry_after(), cause: base.cause.or_else(|| error.source().map(chain)), ..base }
    }
}

/// An error and everything that caused it, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_codes_stand() {
        let table: Vec<String> = Code::ALL.iter().map(|code| format!("{} {}", code.status().as_u16(), code.name())).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        400 VALIDATION_ERROR
        400 BAD_REQUEST_ERROR
        401 UNAUTHORIZED_ERROR
        401 REFRESH_EXPIRED
        401 SECOND_FACTOR_REQUIRED
        402 ENTERPRISE_REQUIRED
        403 FORBIDDEN_ERROR
        404 NOT_FOUND_ERROR
        405 METHOD_NOT_ALLOWED_ERROR
        409 CONFLICT_ERROR
        413 payload_too_large
        415 unsupported_media_type
        429 RATE_LIMIT_ERROR
        500 INTERNAL_ERROR
        503 SERVICE_UNAVAILABLE_ERROR
        ");
    }

    #[test]
    fn an_internal_error_does_not_tell_its_cause() {
        let error = ApiError::internal("password=hunter2");
        assert!(!error.message.contains("hunter2"));
        assert_eq!(error.cause.as_deref(), Some("password=hunter2"));
    }
}
