//! Callers who may do something in a project.

use std::marker::PhantomData;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::refusal::{Place, noted, unless_archived};
use super::user::authenticate;
use super::{Extracting, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, Error, UserContext};
use crate::common::id::{InvalidId, OrganizationId, ProjectId, UserId};
use crate::error::ApiError;
use crate::http::limit;
use crate::organization::{self, Role};

/// Somebody who is signed in and holds the permission `P` in the project that the request names, as `{project_id}` of the path
/// or as `project_id` of the query.
///
/// A project of a tenant that the caller does not belong to answers 404, like one that does not exist. In one that
/// was archived, by itself or with its organisation, only reading is permitted (409), unless `P` says
/// [`EvenArchived`](super::permission::EvenArchived).
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
            let (user, access) =
                reach(&request, async |authorizer, user, project| authorizer.project(user, project, P::PERMISSION).await).await?;
            unless_archived::<P>(access.archived)?;
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

/// Who calls, and what `ask` says of them and the project that the request names. Counted against the caller's limit, also when
/// it is not theirs; a refusal is noted.
async fn reach(
    request: &HttpRequest,
    ask: impl AsyncFnOnce(&Authorizer, UserId, ProjectId) -> Result<organization::ProjectAccess, Error>,
) -> Result<(UserContext, organization::ProjectAccess), ApiError> {
    let user = authenticate(request).await?;
    limit::user(request, user.user_id).await?;
    let project: Result<ProjectId, ApiError> = named(request, "project_id");
    let answer = match &project {
        Ok(project) => {
            let authorizer: Authorizer = service(request)?;
            Some(ask(&authorizer, user.user_id, *project).await)
        }
        Err(_) => None,
    };
    if let Some(Ok(access)) = &answer {
        limit::member(request, user.user_id, access.organization_id).await?;
    }
    let project = project?;
    match answer {
        Some(Ok(access)) => Ok((user, access)),
        Some(Err(error)) => Err(noted(request, &user, Place::Project(project), error).await),
        None => Err(Error::ProjectNotFound.into()),
    }
}

/// Somebody who is signed in and holds the permission `P` in a project that was deleted, not so long ago that it cannot be
/// restored any more. Any other project answers 404.
#[derive(Debug, Clone)]
pub struct DeletedProjectAccess<P> {
    pub project_id: ProjectId,
    pub organization_id: OrganizationId,
    pub role: Role,
    pub user: UserContext,
    permission: PhantomData<P>,
}

impl<P: Required> FromRequest for DeletedProjectAccess<P> {
    type Error = ApiError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (user, access) =
                reach(&request, async |authorizer, user, project| authorizer.deleted_project(user, project, P::PERMISSION).await).await?;
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
