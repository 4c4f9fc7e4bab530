//! Callers with an API key.

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{Extracting, api_key, service};
use crate::auth::key_scope::RequiredScope;
use crate::auth::{ApiKeys, KeyContext};
use crate::error::{ApiError, Code};
use crate::http::limit;

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
            let Some(key) = api_key(&request) else {
                limit::stranger(&request).await?;
                return Err(ApiError::new(Code::Unauthorized, "no API key: send it as X-API-Key or as Authorization: Bearer bk_…"));
            };
            let key = authenticate_key(&request, key).await?;
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

/// What the key of a request stands for. A good key counts against its own limit, a wrong one against that of its address.
pub(crate) async fn authenticate_key(request: &HttpRequest, key: &str) -> Result<KeyContext, ApiError> {
    let keys: ApiKeys = service(request)?;
    let Some(context) = keys.authenticate(key).await? else {
        limit::stranger(request).await?;
        return Err(ApiError::new(Code::Unauthorized, "the API key is unknown, revoked or expired"));
    };
    limit::key(request, &context).await?;
    Ok(context)
}
