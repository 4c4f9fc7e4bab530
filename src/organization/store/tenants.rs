//! Organisations as a whole: their state, and the lock that puts changes in a row.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Value};

use super::{ACTIVE, Member, Tenant, member_rows, organizations, rows};
use crate::common::id::{OrganizationId, UserId};
use crate::infra::db::{self, stored};
use crate::organization::model::TenantStatus;
use crate::organization::{Name, Organization, Role};

/// An organisation, held until the transaction ends: what changes its members, projects or state comes one after the other.
/// (On SQLite there is one writer anyway.)
pub async fn lock(db: &impl ConnectionTrait, id: OrganizationId) -> Result<Option<Organization>, db::Error> {
    let row = Tenant::present().filter(organizations::Column::Id.eq(id)).lock(LockType::NoKeyUpdate).one(db).await?;
    Ok(row.map(Organization::from))
}

/// The same for one that was deleted and can still be restored.
pub async fn lock_deleted(db: &impl ConnectionTrait, id: OrganizationId, now: DateTime<Utc>) -> Result<Option<Organization>, db::Error> {
    let row = Tenant::restorable(now).filter(organizations::Column::Id.eq(id)).lock(LockType::NoKeyUpdate).one(db).await?;
    Ok(row.map(Organization::from))
}

/// The role that somebody has in an organisation that was deleted and can still be restored.
pub async fn find_deleted_role(
    db: &impl ConnectionTrait,
    user: UserId,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<Option<Role>, db::Error> {
    if Tenant::restorable(now).filter(organizations::Column::Id.eq(organization)).one(db).await?.is_none() {
        return Ok(None);
    }
    let member = Member::in_org(organization)
        .filter(member_rows::Column::UserId.eq(user))
        .filter(member_rows::Column::Status.eq(ACTIVE))
        .one(db)
        .await?;
    Ok(member.map(|member| Role::from(member.role.as_str())))
}

/// The deleted organisations that `user` can restore, oldest first.
pub async fn list_deleted_of_owner(db: &impl ConnectionTrait, user: UserId, now: DateTime<Utc>) -> Result<Vec<Organization>, db::Error> {
    let owned = Member::find()
        .filter(member_rows::Column::UserId.eq(user))
        .filter(member_rows::Column::Status.eq(ACTIVE))
        .filter(member_rows::Column::Role.eq(Role::Owner.name()))
        .all(db)
        .await?;
    let ids: Vec<_> = owned.into_iter().map(|member| member.organization_id).collect();
    let rows = Tenant::restorable(now).filter(organizations::Column::Id.is_in(ids)).order_by_asc(organizations::Column::Id).all(db).await?;
    Ok(rows.into_iter().map(Organization::from).collect())
}

#[derive(FromQueryResult)]
struct Count {
    organization_id: OrganizationId,
    members: i64,
}

/// How many members each of these organisations has.
pub async fn count_members(
    db: &impl ConnectionTrait,
    organizations: impl IntoIterator<Item = OrganizationId>,
) -> Result<HashMap<OrganizationId, u64>, db::Error> {
    let values: Vec<Value> = organizations.into_iter().map(Value::from).collect();
    if values.is_empty() {
        return Ok(HashMap::new());
    }
    let places: Vec<String> = (1..=values.len()).map(|number| format!("${number}")).collect();
    let query = format!(
        "SELECT m.organization_id, COUNT(*) AS members FROM organization_members m \
         JOIN users u ON u.id = m.user_id AND u.deleted_at IS NULL \
         WHERE m.organization_id IN ({}) GROUP BY m.organization_id",
        places.join(", ")
    );
    let counts: Vec<Count> = rows(db, &query, values).await?;
    Ok(counts.into_iter().map(|count| (count.organization_id, u64::try_from(count.members).unwrap_or(0))).collect())
}

pub async fn update_name(db: &impl ConnectionTrait, id: OrganizationId, name: &Name, now: DateTime<Utc>) -> Result<(), db::Error> {
    let change = organizations::ActiveModel { name: Set(name.to_string()), updated_at: Set(stored(now)), ..Default::default() };
    Tenant::update_many().set(change).filter(organizations::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Sets when it was archived and deleted, both as they shall be.
pub async fn update_state(
    db: &impl ConnectionTrait,
    id: OrganizationId,
    archived_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let change = organizations::ActiveModel {
        status: Set(TenantStatus::of(archived_at, deleted_at).name().to_owned()),
        archived_at: Set(archived_at.map(stored)),
        deleted_at: Set(deleted_at.map(stored)),
        updated_at: Set(stored(now)),
        ..Default::default()
    };
    Tenant::update_many().set(change).filter(organizations::Column::Id.eq(id)).exec(db).await?;
    Ok(())
}
