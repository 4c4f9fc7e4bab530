//! Where a request comes from.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpRequest};

use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::context::RequestContext;

impl FromRequest for Origin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = RequestContext::of(request);
        ready(Ok(Self {
            ip: context.client_ip.or_else(|| request.peer_addr().map(|address| address.ip())),
            user_agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned),
            request_id: Some(context.request_id.to_string()),
        }))
    }
}
