//! Callers with an access token.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::refusal::{Place, note};
use super::{Extracting, bearer, service};
use crate::auth::{Sessions, UserContext};
use crate::error::{ApiError, Code, Coded};
use crate::http::limit;

/// Somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn(pub UserContext);

impl Deref for SignedIn {
    type Target = UserContext;

    fn deref(&self) -> &UserContext {
        &self.0
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let user = authenticate(&request).await?;
            limit::user(&request, user.user_id).await?;
            Ok(Self(user))
        })
    }
}

/// Who is signed in. Whoever is not counts against the limit of their address; whoever is has to be counted by the caller.
pub(super) async fn authenticate(request: &HttpRequest) -> Result<UserContext, ApiError> {
    let Some(token) = bearer(request) else {
        limit::stranger(request).await?;
        return Err(ApiError::new(Code::Unauthorized, "no access token: sign in and send it as Authorization: Bearer …"));
    };
    let sessions: Sessions = service(request)?;
    match sessions.authenticate_access(token).await {
        Ok(user) => Ok(user),
        Err(error) => {
            if error.code() == Code::Unauthorized {
                limit::stranger(request).await?;
            }
            Err(error.into())
        }
    }
}

/// A platform administrator: runs the installation. Reads no tenant's data by that.
#[derive(Debug, Clone, Copy)]
pub struct PlatformAdmin(pub UserContext);

impl Deref for PlatformAdmin {
    type Target = UserContext;

    fn deref(&self) -> &UserContext {
        &self.0
    }
}

impl FromRequest for PlatformAdmin {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            if user.is_admin {
                return Ok(Self(user));
            }
            note(&request, &user, Place::Installation, "administration").await;
            Err(ApiError::new(Code::Forbidden, "only platform administrators may do this"))
        })
    }
}
