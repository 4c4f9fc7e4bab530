//! Callers who may do something in an organisation.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::project::named;
use super::user::authenticate;
use super::{Extracting, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, UserContext};
use crate::common::id::OrganizationId;
use crate::error::ApiError;
use crate::http::limit;
use crate::organization::Role;

/// Somebody who is signed in and holds the permission `P` in the organisation that the request names, as `{organization_id}` of
/// the path or as `organization_id` of the query.
///
/// An organisation that the caller is no member of answers 404, like one that does not exist.
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
            let user = authenticate(&request).await?;
            let access = async {
                let organization_id = named(&request, "organization_id")?;
                let authorizer: Authorizer = service(&request)?;
                Ok::<_, ApiError>((organization_id, authorizer.organization(user.user_id, organization_id, P::PERMISSION).await?))
            };
            let access = access.await;
            // Whoever asks for what is not theirs is counted, too.
            limit::user(&request, user.user_id, access.as_ref().ok().map(|(organization, _)| *organization)).await?;
            let (organization_id, role) = access?;
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
            let user = authenticate(&request).await?;
            let access = async {
                let organization_id = named(&request, "organization_id")?;
                let authorizer: Authorizer = service(&request)?;
                Ok::<_, ApiError>((organization_id, authorizer.member(user.user_id, organization_id).await?))
            };
            let access = access.await;
            // Whoever asks for what is not theirs is counted, too.
            limit::user(&request, user.user_id, access.as_ref().ok().map(|(organization, _)| *organization)).await?;
            let (organization_id, role) = access?;
            Ok(Self { organization_id, role, user })
        })
    }
}
