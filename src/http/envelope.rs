//! The envelope around every JSON answer: `{success, data, error?, meta}`.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::context::RequestContext;
use crate::common::clock::{Clock, SystemClock};
use crate::common::page::Pagination;
use crate::error::ApiError;

/// Version of the API, in `meta.version`.
pub const API_VERSION: &str = "v1";

/// `meta` of every answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Meta {
    /// Also in the `X-Request-ID` header and in the log.
    pub request_id: String,
    /// RFC 3339.
    pub timestamp: String,
    /// Always `v1`.
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pagination: Option<Pagination>,
}

impl Meta {
    /// `meta` for an answer to the request of `context`.
    #[must_use]
    pub fn new(context: &RequestContext, pagination: Option<Pagination>) -> Self {
        let now: chrono::DateTime<Utc> = SystemClock.now();
        Self {
            request_id: context.request_id.to_string(),
            timestamp: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            version: API_VERSION.to_owned(),
            pagination,
        }
    }
}

/// A successful answer: `{"success":true,"data":…,"meta":…}`. `data` is always there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Envelope<T> {
    /// Always true.
    pub success: bool,
    pub data: T,
    pub meta: Meta,
}

/// An answer that failed: `{"success":false,"data":null,"error":…,"meta":…}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorEnvelope {
    /// Always false.
    pub success: bool,
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
    pub error: ErrorBody,
    pub meta: Meta,
}

/// `error` of a failed answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// One of the codes of docs/api.md.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub details: Option<Value>,
}

/// What a handler returns on success.
#[derive(Debug)]
pub struct Answer<T> {
    data: T,
    status: StatusCode,
    pagination: Option<Pagination>,
    cookie: Option<actix_web::cookie::Cookie<'static>>,
}

impl<T> Answer<T> {
    /// 200 with `data`.
    pub fn ok(data: T) -> Self {
        Self { data, status: StatusCode::OK, pagination: None, cookie: None }
    }

    /// 201 with `data`.
    pub fn created(data: T) -> Self {
        Self { status: StatusCode::CREATED, ..Self::ok(data) }
    }

    /// 202 with `data`: it is done in the background.
    pub fn accepted(data: T) -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(data) }
    }

    /// 200 with one page of a list.
    pub fn page(data: T, pagination: Pagination) -> Self {
        Self { pagination: Some(pagination), ..Self::ok(data) }
    }

    /// Sets a cookie along with the answer.
    #[must_use]
    pub fn with_cookie(self, cookie: actix_web::cookie::Cookie<'static>) -> Self {
        Self { cookie: Some(cookie), ..self }
    }
}

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let context = RequestContext::of(request);
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(cookie) = self.cookie {
            response.cookie(cookie);
        }
        response.json(Envelope { success: true, data: self.data, meta: Meta::new(&context, self.pagination) })
    }
}

/// Writes an error for `request`: the envelope, or RFC 9457 where `Accept` asks for `application/problem+json`.
#[must_use]
pub fn error_response(context: &RequestContext, accept: Option<&HeaderValue>, path: &str, error: &ApiError) -> HttpResponse {
    let mut response = HttpResponse::build(error.code.status());
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(seconds) = error.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    let wants_problem = accept.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("application/problem+json"));
    if wants_problem {
        // RFC 9457: `type` may be about:blank, then `title` is the status' own phrase.
        return response.content_type("application/problem+json").json(serde_json::json!({
            "type": "about:blank",
            "title": error.code.status().canonical_reason().unwrap_or("Error"),
            "status": error.code.status().as_u16(),
            "detail": error.message,
            "instance": path,
            "code": error.code.name(),
            "details": error.details,
            "request_id": &*context.request_id,
        }));
    }
    response.json(ErrorEnvelope {
        success: false,
        data: None,
        error: ErrorBody { code: error.code.name().to_owned(), message: error.message.clone(), details: error.details.clone() },
        meta: Meta::new(context, None),
    })
}
