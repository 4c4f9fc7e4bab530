//! Callers who may do something in an organisation.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::project::named;
use super::refusal::{Place, note, noted, unless_archived};
use super::{Extracting, SignedIn, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, UserContext};
use crate::common::id::OrganizationId;
use crate::error::{ApiError, Code};
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            let organization_id = named(&request, "organization_id")?;
            let authorizer: Authorizer = service(&request)?;
            match authorizer.organization_standing(user.user_id, organization_id, P::PERMISSION).await {
                Ok(standing) => {
                    unless_archived::<P>(standing.archived)?;
                    Ok(Self { organization_id, role: standing.role, user, permission: PhantomData })
                }
                Err(error) => Err(noted(&request, &user, Place::Organization(organization_id), error).await),
            }
        })
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            let organization_id = named(&request, "organization_id")?;
            let authorizer: Authorizer = service(&request)?;
            match authorizer.deleted_organization(user.user_id, organization_id, P::PERMISSION).await {
                Ok(role) => Ok(Self { organization_id, role, user, permission: PhantomData }),
                Err(error) => Err(noted(&request, &user, Place::Organization(organization_id), error).await),
            }
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            let organization_id = named(&request, "organization_id")?;
            let authorizer: Authorizer = service(&request)?;
            let role = authorizer.member(user.user_id, organization_id).await?;
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
