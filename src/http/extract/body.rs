//! What callers send, read and checked: failures of both kinds become our errors and name the field.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::{FromRequest, HttpRequest, web};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Extracting;
use crate::error::{ApiError, Code};

/// A JSON body that holds to the rules of its type.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A query string that holds to the rules of its type.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The variable parts of the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

macro_rules! transparent {
    ($($wrapper:ident),+) => {$(
        impl<T> $wrapper<T> {
            /// What was sent.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T> Deref for $wrapper<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }
    )+};
}

transparent!(Json, Query, Path);

impl<T: DeserializeOwned + Validate<Context = ()> + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Json::<T>::from_request(request, payload);
        Box::pin(async move {
            let body = body.await.map_err(|error| json_error(&error))?.into_inner();
            checked(body).map(Self)
        })
    }
}

impl<T: DeserializeOwned + Validate<Context = ()>> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = web::Query::<T>::from_query(request.query_string()).map_err(|error| query_error(&error));
        ready(query.and_then(|query| checked(query.into_inner())).map(Self))
    }
}

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        ready(path.map(|path| Self(path.into_inner())).map_err(|error| path_error(&error)))
    }
}

fn checked<T: Validate<Context = ()>>(value: T) -> Result<T, ApiError> {
    let Err(report) = value.validate() else { return Ok(value) };
    let details: Vec<_> =
        report.iter().map(|(path, error)| json!({"field": path.to_string(), "message": error.message().to_string()})).collect();
    let first = report.iter().next().map(|(path, error)| format!("{path}: {}", error.message())).unwrap_or_default();
    Err(ApiError { details: Some(details.into()), ..ApiError::new(Code::Validation, first) })
}

fn json_error(error: &actix_web::Error) -> ApiError {
    match error.as_error::<JsonPayloadError>() {
        Some(JsonPayloadError::ContentType) => {
            ApiError::new(Code::UnsupportedMediaType, "the body must be JSON, sent with Content-Type: application/json")
        }
        Some(JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit }) => {
            ApiError::new(Code::PayloadTooLarge, format!("the body is larger than {limit} bytes"))
        }
        Some(JsonPayloadError::Deserialize(cause)) if cause.is_data() => wrong("body", &cause.to_string()),
        Some(JsonPayloadError::Deserialize(cause)) => ApiError::new(Code::BadRequest, format!("the body is not valid JSON: {cause}")),
        _ => ApiError::new(Code::BadRequest, format!("the body cannot be read: {error}")),
    }
}

fn query_error(error: &QueryPayloadError) -> ApiError {
    match error {
        QueryPayloadError::Deserialize(cause) => wrong("query", &cause.to_string()),
        other => wrong("query", &other.to_string()),
    }
}

fn path_error(error: &actix_web::Error) -> ApiError {
    match error.as_error::<PathError>() {
        Some(PathError::Deserialize(cause)) => wrong("path", &cause.to_string()),
        _ => wrong("path", &error.to_string()),
    }
}

/// An error of serde: it names the field in backticks where it knows it.
fn wrong(place: &str, cause: &str) -> ApiError {
    let field = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| cause.strip_prefix(start)?.split('`').next())
        .unwrap_or(place);
    ApiError::validation(field, cause)
}
