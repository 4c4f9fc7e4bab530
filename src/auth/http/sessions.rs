//! `/api/v1/auth/sessions`: the devices that one is signed in on.

use actix_web::{get, post, web};

use super::{Done, EndedSessions};
use crate::auth::{SessionView, Sessions};
use crate::common::id::SessionId;
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::{Answer, Envelope, ErrorEnvelope};
use crate::http::extract::{Path, SignedIn};

/// The devices that I am signed in on, the one used last first.
#[utoipa::path(
    operation_id = "listSessions",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<Vec<SessionView>>), (status = 401, body = ErrorEnvelope))
)]
#[get("/api/v1/auth/sessions")]
pub async fn list_sessions(caller: SignedIn, sessions: web::Data<Sessions>) -> Result<Answer<Vec<SessionView>>, ApiError> {
    Ok(Answer::ok(sessions.list(&caller).await?))
}

/// Ends one of my sessions.
#[utoipa::path(
    operation_id = "revokeSession",
    tag = "auth",
    security(("access_token" = [])),
    params(("session_id" = String, Path)),
    responses(
        (status = 200, body = Envelope<Done>),
        (status = 401, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope, description = "no open session of mine")
    )
)]
#[post("/api/v1/auth/sessions/{session_id}/revoke")]
pub async fn revoke_session(
    caller: SignedIn,
    session: Path<SessionId>,
    origin: Origin,
    sessions: web::Data<Sessions>,
) -> Result<Answer<Done>, ApiError> {
    sessions.revoke(&caller, session.into_inner(), origin).await?;
    Ok(Answer::ok(Done {}))
}

/// Ends all of my sessions but this one.
#[utoipa::path(
    operation_id = "revokeOtherSessions",
    tag = "auth",
    security(("access_token" = [])),
    responses((status = 200, body = Envelope<EndedSessions>), (status = 401, body = ErrorEnvelope))
)]
#[post("/api/v1/auth/sessions/revoke-all")]
pub async fn revoke_other_sessions(
    caller: SignedIn,
    origin: Origin,
    sessions: web::Data<Sessions>,
) -> Result<Answer<EndedSessions>, ApiError> {
    Ok(Answer::ok(EndedSessions { ended: sessions.end_everywhere(&caller, true, origin).await? }))
}
