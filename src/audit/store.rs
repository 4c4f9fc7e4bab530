//! Rows of `audit_logs`. They are only ever added.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};

use super::entity::audit_logs::{Column, Entity, Model};
use super::{AuditFilter, By, Event};
use crate::common::id::{AuditId, OrganizationId};
use crate::infra::db::{Error, stored};

/// The log of one organisation, or what belongs to none: where every query starts.
fn log_of(organization: Option<OrganizationId>) -> Select<Entity> {
    let lines = Entity::find();
    match organization {
        Some(id) => lines.filter(Column::OrganizationId.eq(id)),
        None => lines.filter(Column::OrganizationId.is_null()),
    }
}

pub async fn list(db: &impl ConnectionTrait, filter: &AuditFilter, limit: u64, after: Option<AuditId>) -> Result<Vec<Model>, Error> {
    let mut lines = log_of(filter.organization);
    if let Some(project) = filter.project {
        lines = lines.filter(Column::ProjectId.eq(project));
    }
    let texts = [
        (Column::ActorId, &filter.actor_id),
        (Column::Action, &filter.action),
        (Column::TargetType, &filter.target_type),
        (Column::TargetId, &filter.target_id),
        (Column::Outcome, &filter.outcome),
    ];
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            lines = lines.filter(column.eq(wanted.as_str()));
        }
    }
    if let Some(from) = filter.from {
        lines = lines.filter(Column::CreatedAt.gte(stored(from)));
    }
    if let Some(to) = filter.to {
        lines = lines.filter(Column::CreatedAt.lt(stored(to)));
    }
    if let Some(after) = after {
        lines = lines.filter(Column::Id.lt(after));
    }
    // Ids are ordered by time, and the index is on them.
    Ok(lines.order_by_desc(Column::Id).limit(limit).all(db).await?)
}

/// The addresses of people by their ids. Read past the slice of people, which stands above this one.
pub async fn list_emails(db: &impl ConnectionTrait, people: HashSet<String>) -> Result<HashMap<String, String>, Error> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let (id, email) = (Alias::new("id"), Alias::new("email"));
    let mut query = Query::select();
    query.columns([id.clone(), email]).from(Alias::new("users")).and_where(Expr::col(id).is_in(people));
    let rows = db.query_all(&query).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "email")?)))
        .collect::<Result<_, sea_orm::DbErr>>()
        .map_err(Error::from)
}

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
