//! What a handler asks of a request, as types in its signature.
//!
//! A handler without a credential is open to everybody; that is seen in its signature, not hidden in a route table.

mod api_key;
mod body;
mod organization;
mod origin;
mod project;
mod refusal;
mod user;

pub use api_key::ApiKeyAuth;
pub(crate) use api_key::authenticate_key;
pub use body::{Json, Path, Query};
pub use organization::{DeletedOrganizationAccess, OrganizationAccess, OrganizationFounder, OrganizationMember};
pub use project::{DeletedProjectAccess, ProjectAccess};
pub use user::{PlatformAdmin, SignedIn};

/// What a handler may ask for, as types.
pub use crate::auth::{key_scope, permission};

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header;
use actix_web::{HttpRequest, web};

use crate::error::ApiError;

/// What extractors return: they ask services, so they wait.
pub(crate) type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

/// A service that the application registered.
fn service<T: Clone + 'static>(request: &HttpRequest) -> Result<T, ApiError> {
    request
        .app_data::<web::Data<T>>()
        .map(|data| T::clone(data))
        .ok_or_else(|| ApiError::internal(format!("{} is not registered as application data", std::any::type_name::<T>())))
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The API key of a request: `X-API-Key`, or `Authorization: Bearer bk_…`.
pub(crate) fn api_key(request: &HttpRequest) -> Option<&str> {
    request
        .headers()
        .get("x-api-key")
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .or_else(|| bearer(request).filter(|token| token.starts_with("bk_")))
}
