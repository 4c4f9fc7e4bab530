//! Callers with an API key.

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{Extracting, api_key, service};
use crate::auth::key_scope::RequiredScope;
use crate::auth::{ApiKeys, KeyContext};
use crate::error::{ApiError, Code};

/// An SDK that sent a valid API key with the scope `S`: what the key stands for.
#[derive(Debug, Clone, Copy)]
pub struct ApiKeyAuth<S> {
    key: KeyContext,
    scope: PhantomData<S>,
}

impl<S> Deref for ApiKeyAuth<S> {
    type Target = KeyContext;

    fn deref(&self) -> &KeyContext {
        &self.key
    }
}

impl<S: RequiredScope> FromRequest for ApiKeyAuth<S> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let key = api_key(&request)
                .ok_or_else(|| ApiError::new(Code::Unauthorized, "no API key: send it as X-API-Key or as Authorization: Bearer bk_…"))?;
            let keys: ApiKeys = service(&request)?;
            let context = keys.authenticate(key).await?;
            let key = context.ok_or_else(|| ApiError::new(Code::Unauthorized, "the API key is unknown, revoked or expired"))?;
            if !key.scopes.allow(S::SCOPE) {
                let message = format!("this API key is not for this: it lacks the scope `{}` (it has: {})", S::SCOPE.name(), key.scopes);
                return Err(ApiError {
                    details: Some(serde_json::json!({"scope": S::SCOPE.name()})),
                    ..ApiError::new(Code::Forbidden, message)
                });
            }
            Ok(Self { key, scope: PhantomData })
        })
    }
}
