//! Answers of the OTLP/HTTP endpoints: OTLP's own messages in the encoding of the request.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap};
use prost::Message;

use crate::error::{ApiError, Code};

/// Whether `path` takes OTLP.
#[must_use]
pub fn is_otlp_path(path: &str) -> bool {
    matches!(path, "/v1/traces" | "/v1/otlp/traces" | "/v1/metrics" | "/v1/otlp/metrics" | "/v1/logs" | "/v1/otlp/logs")
}

/// The two encodings of OTLP/HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    /// The encoding that `Content-Type` names; `None` for anything else.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-protobuf") || essence.eq_ignore_ascii_case("application/protobuf") {
            Some(Self::Protobuf)
        } else if essence.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// The `Content-Type` of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// `google.rpc.Status`, as OTLP/HTTP answers errors.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A code of gRPC.
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(string, tag = "2")]
    pub message: String,
}

fn grpc_code(code: Code) -> i32 {
    match code {
        Code::Validation | Code::BadRequest | Code::UnsupportedMediaType | Code::MethodNotAllowed => 3,
        Code::NotFound => 5,
        Code::Conflict => 6,
        Code::Forbidden | Code::EnterpriseRequired => 7,
        Code::PayloadTooLarge | Code::RateLimit => 8,
        Code::Internal => 13,
        Code::Unavailable => 14,
        Code::Unauthorized | Code::RefreshExpired | Code::SecondFactorRequired => 16,
    }
}

/// Writes an error as `google.rpc.Status`. In JSON the envelope's `success` and `error` stand beside it, for clients that read those.
#[must_use]
pub fn error_response(encoding: Option<Encoding>, error: &ApiError) -> HttpResponse {
    let mut response = HttpResponse::build(error.code.status());
    if let Some(seconds) = error.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    let status = Status { code: grpc_code(error.code), message: error.message.clone() };
    match encoding {
        Some(Encoding::Protobuf) => response.content_type(Encoding::Protobuf.content_type()).body(status.encode_to_vec()),
        Some(Encoding::Json) | None => response.json(serde_json::json!({
            "code": status.code,
            "message": status.message,
            "success": false,
            "error": {"code": error.code.name(), "message": error.message, "details": error.details},
        })),
    }
}
