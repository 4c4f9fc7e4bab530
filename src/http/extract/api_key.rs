//! Callers with an API key.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{Extracting, api_key, service};
use crate::auth::{ApiKeys, KeyContext};
use crate::error::{ApiError, Code};

/// An SDK that sent a valid API key: what the key stands for.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeyAuth(pub KeyContext);

impl Deref for ApiKeyAuth {
    type Target = KeyContext;

    fn deref(&self) -> &KeyContext {
        &self.0
    }
}

impl FromRequest for ApiKeyAuth {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let key = api_key(&request)
                .ok_or_else(|| ApiError::new(Code::Unauthorized, "no API key: send it as X-API-Key or as Authorization: Bearer bk_…"))?;
            let keys: ApiKeys = service(&request)?;
            let context = keys.authenticate(key).await?;
            context.map(Self).ok_or_else(|| ApiError::new(Code::Unauthorized, "the API key is unknown, revoked or expired"))
        })
    }
}
