//! Callers who may do something in a project.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;

use super::{Extracting, SignedIn, service};
use crate::auth::permission::Required;
use crate::auth::{Authorizer, UserContext};
use crate::common::id::{OrganizationId, ProjectId};
use crate::error::ApiError;
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

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let user = SignedIn::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let SignedIn(user) = user.await?;
            let project = named_project(&request)?;
            let authorizer: Authorizer = service(&request)?;
            let access = authorizer.project(user.user_id, project, P::PERMISSION).await?;
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

fn named_project(request: &HttpRequest) -> Result<ProjectId, ApiError> {
    #[derive(Deserialize)]
    struct Named {
        project_id: Option<String>,
    }
    let in_query =
        || actix_web::web::Query::<Named>::from_query(request.query_string()).ok().and_then(|query| query.into_inner().project_id);
    let text = request.match_info().get("project_id").map(str::to_owned).or_else(in_query).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| ApiError::validation("project_id", "project_id is missing: name the project"))?;
    text.parse().map_err(|error: crate::common::id::InvalidId| ApiError::validation("project_id", format!("project_id: {error}")))
}
