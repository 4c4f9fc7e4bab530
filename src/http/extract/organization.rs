//! Callers who may do something in an organisation.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::project::named;
use super::refusal::{Place, note, noted, unless_archived};
use super::user::authenticate;
use super::{Extracting, SignedIn, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, Error, UserContext};
use crate::common::id::{OrganizationId, UserId};
use crate::error::{ApiError, Code};
use crate::http::limit;
use crate::organization::Role;
use crate::settings::{OrganizationCreation, Scope, Settings};

/// Somebody who is signed in and holds the permission `P` in the organisation that the request names, as `{organization_id}` of
/// the path or as `organization_id` of the query.
///
/// An organisation that the caller is no member of answers 404, like one that does not exist. In one that was archived only
/// reading is permitted (409), unless `P` says [`EvenArchived`](super::permission::EvenArchived).
#[derive(Debug, Clone)]
pub struct OrganizationAccess<P> {
    pub organization_id: OrganizationId,
    /// The caller's role in the organisation as a whole.
    pub role: Role,
    pub user: UserContext,
    permission: PhantomData<P>,
}

impl<P: Required> FromRequest for OrganizationAccess<P> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (user, organization_id, standing) = reach(&request, async |authorizer, user, organization| {
                authorizer.organization_standing(user, organization, P::PERMISSION).await
            })
            .await?;
            unless_archived::<P>(standing.archived)?;
            Ok(Self { organization_id, role: standing.role, user, permission: PhantomData })
        })
    }
}

/// Who calls, the organisation that the request names, and what `ask` says of the two. Counted against the caller's limit, also
/// when it is not theirs; a refusal is noted.
async fn reach<T>(
    request: &HttpRequest,
    ask: impl AsyncFnOnce(&Authorizer, UserId, OrganizationId) -> Result<T, Error>,
) -> Result<(UserContext, OrganizationId, T), ApiError> {
    let user = authenticate(request).await?;
    limit::user(request, user.user_id).await?;
    let organization: Result<OrganizationId, ApiError> = named(request, "organization_id");
    let answer = match &organization {
        Ok(organization) => {
            let authorizer: Authorizer = service(request)?;
            Some(ask(&authorizer, user.user_id, *organization).await)
        }
        Err(_) => None,
    };
    let organization = organization?;
    if let Some(Ok(_)) = &answer {
        limit::member(request, user.user_id, organization).await?;
    }
    match answer {
        Some(Ok(found)) => Ok((user, organization, found)),
        Some(Err(error)) => Err(noted(request, &user, Place::Organization(organization), error).await),
        None => Err(Error::OrganizationNotFound.into()),
    }
}

/// Somebody who is signed in and held the permission `P` in the organisation that the request names when it was deleted, not so
/// long ago that it cannot be restored any more. Any other organisation answers 404.
#[derive(Debug, Clone)]
pub struct DeletedOrganizationAccess<P> {
    pub organization_id: OrganizationId,
    pub role: Role,
    pub user: UserContext,
    permission: PhantomData<P>,
}

impl<P: Required> FromRequest for DeletedOrganizationAccess<P> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (user, organization_id, role) = reach(&request, async |authorizer, user, organization| {
                authorizer.deleted_organization(user, organization, P::PERMISSION).await
            })
            .await?;
            Ok(Self { organization_id, role, user, permission: PhantomData })
        })
    }
}

/// Somebody who is a member of the organisation that the request names, whatever their role there: for what every member may do,
/// such as leaving.
#[derive(Debug, Clone)]
pub struct OrganizationMember {
    pub organization_id: OrganizationId,
    pub role: Role,
    pub user: UserContext,
}

impl FromRequest for OrganizationMember {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (user, organization_id, role) =
                reach(&request, async |authorizer, user, organization| authorizer.member(user, organization).await).await?;
            Ok(Self { organization_id, role, user })
        })
    }
}

/// Somebody who is signed in and may make organisations: everybody, or platform administrators only, as the installation's
/// settings say.
#[derive(Debug, Clone, Copy)]
pub struct OrganizationFounder(pub UserContext);

impl FromRequest for OrganizationFounder {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            let settings: Settings = service(&request)?;
            if user.is_admin || settings.get::<OrganizationCreation>(Scope::Installation).await? {
                return Ok(Self(user));
            }
            note(&request, &user, Place::Installation, "organizations:create").await;
            Err(ApiError::new(Code::Forbidden, "only platform administrators make organizations here; ask one of them"))
        })
    }
}
