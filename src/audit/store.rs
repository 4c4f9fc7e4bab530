//! Rows of `audit_logs`. They are only ever added.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};

use super::entity::audit_logs::{Entity, Model};
use super::{By, Event};
use crate::common::id::AuditId;
use crate::infra::db::{Error, stored};

pub async fn insert(db: &impl ConnectionTrait, by: &By, event: &Event, now: DateTime<Utc>) -> Result<AuditId, Error> {
    let cut = |text: &String, length: usize| text.chars().filter(|character| !character.is_control()).take(length).collect::<String>();
    let row = Model {
        id: AuditId::fresh(),
        organization_id: event.organization,
        project_id: event.project,
        actor_type: by.actor.kind().to_owned(),
        actor_id: by.actor.id(),
        action: event.action.to_owned(),
        target_type: event.target.kind.to_owned(),
        target_id: event.target.id.as_ref().map(|id| cut(id, 100)),
        target_name: event.target.name.as_ref().map(|name| cut(name, 320)),
        outcome: event.outcome.name().to_owned(),
        ip_address: by.origin.ip.map(|ip| ip.to_string()),
        user_agent: by.origin.user_agent.as_ref().map(|agent| cut(agent, 512)),
        request_id: by.origin.request_id.as_ref().map(|id| cut(id, 128)),
        before: event.before.as_ref().map(ToString::to_string),
        after: event.after.as_ref().map(ToString::to_string),
        created_at: stored(now),
    };
    let id = row.id;
    Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(id)
}
