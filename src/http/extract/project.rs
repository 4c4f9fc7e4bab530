//! Callers who may do something in a project.

use std::marker::PhantomData;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::user::authenticate;
use super::{Extracting, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, UserContext};
use crate::common::id::{InvalidId, OrganizationId, ProjectId};
use crate::error::ApiError;
use crate::http::limit;
use crate::organization::Role;

/// Somebody who is signed in and holds the permission `P` in the project that the request names, as `{project_id}` of the path
/// or as `project_id` of the query.
///
/// A project of a tenant that the caller does not belong to answers 404, like one that does not exist.
#[derive(Debug, Clone)]
pub struct ProjectAccess<P> {
    pub project_id: ProjectId,
    pub organization_id: OrganizationId,
    pub role: Role,
    pub user: UserContext,
    permission: PhantomData<P>,
}

impl<P: Required> FromRequest for ProjectAccess<P> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let user = authenticate(&request).await?;
            let access = async {
                let project = named(&request, "project_id")?;
                let authorizer: Authorizer = service(&request)?;
                Ok::<_, ApiError>(authorizer.project(user.user_id, project, P::PERMISSION).await?)
            };
            let access = access.await;
            // Whoever asks for what is not theirs is counted, too.
            limit::user(&request, user.user_id, access.as_ref().ok().map(|access| access.organization_id)).await?;
            let access = access?;
            Ok(Self {
                project_id: access.project_id,
                organization_id: access.organization_id,
                role: access.role,
                user,
                permission: PhantomData,
            })
        })
    }
}

/// The id that the request names, in its path or in its query.
pub(super) fn named<T: FromStr<Err = InvalidId>>(request: &HttpRequest, name: &'static str) -> Result<T, ApiError> {
    let in_query =
        || form_urlencoded::parse(request.query_string().as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let text = request.match_info().get(name).map(str::to_owned).or_else(in_query).filter(|text| !text.is_empty());
    let what = name.trim_end_matches("_id");
    let text = text.ok_or_else(|| ApiError::validation(name, format!("{name} is missing: name the {what}")))?;
    text.parse().map_err(|error: InvalidId| ApiError::validation(name, format!("{name}: {error}")))
}
