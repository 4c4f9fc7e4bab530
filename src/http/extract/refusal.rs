//! What becomes of a request that its caller may not make.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::{FromRequest, web};

use crate::audit::{Audit, By, Event};
use crate::auth::permission::Required;
use crate::auth::{Error, UserContext};
use crate::common::id::{OrganizationId, ProjectId};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::organization::Archived;

/// Where somebody was refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Installation,
    Organization(OrganizationId),
    Project(ProjectId),
}

/// Writes into the audit log that `user` was refused, where `error` says so. A project's line stands in the log of its
/// organisation, which only the directory knows.
pub(super) async fn noted(request: &HttpRequest, user: &UserContext, place: Place, error: Error) -> ApiError {
    if let Error::Forbidden(permission) = &error {
        note(request, user, place, permission).await;
    }
    error.into()
}

pub(super) async fn note(request: &HttpRequest, user: &UserContext, place: Place, permission: &'static str) {
    let Some(audit) = request.app_data::<web::Data<Audit>>() else { return };
    let event = Event::new("access.denied", "permission", permission);
    let event = match place {
        Place::Installation => event,
        Place::Organization(organization) => event.in_organization(organization),
        Place::Project(project) => {
            let Ok(directory) = super::service::<crate::organization::Directory>(request) else { return };
            let Ok(Some(access)) = directory.project_access(user.user_id, project).await else { return };
            event.in_project(access.organization_id, project)
        }
    };
    let origin = Origin::from_request(request, &mut Payload::None).into_inner().unwrap_or_default();
    audit.refused(&By::user(user.user_id, origin), event).await;
}

/// Refuses a change of what was archived, unless the handler's permission says otherwise.
pub(super) fn unless_archived<P: Required>(archived: Option<Archived>) -> Result<(), ApiError> {
    match archived {
        Some(archived) if !P::EVEN_ARCHIVED && !P::PERMISSION.only_reads() => Err(crate::organization::Error::Archived(archived).into()),
        _ => Ok(()),
    }
}
