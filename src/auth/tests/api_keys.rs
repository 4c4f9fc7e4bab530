use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, EntityTrait};
use tokio_util::sync::CancellationToken;

use crate::audit::By;
use crate::auth::entity::api_keys::Entity;
use crate::auth::testing::{World, worlds};
use crate::auth::{Error, NewKey, SecretKey};
use crate::common::clock::Clock;
use crate::common::origin::Origin;

#[tokio::test]
async fn a_key_stands_for_its_project() {
    for world in worlds().await {
        let (view, key) =
            world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::user(world.user.id, Origin::default())).await.unwrap();
        let context = world.api_keys.authenticate(key.expose()).await.unwrap().unwrap();
        assert_eq!(context.api_key_id, view.id);
        assert_eq!(context.project_id, world.project.id);
        assert_eq!(context.organization_id, world.organization.id);
        assert_eq!(context.user_id, Some(world.user.id));
        assert_eq!(view.key_preview, key.preview());
        assert_eq!(world.api_keys.find(world.project.id, view.id).await.unwrap(), Some(view));
    }
}

#[tokio::test]
async fn the_key_itself_is_stored_nowhere() {
    let world = World::small().await;
    let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    let row = format!("{:?}", Entity::find().one(world.db.conn()).await.unwrap().unwrap());
    assert!(!row.contains(&key.expose()[8..20]), "{row}");
}

#[tokio::test]
async fn unknown_and_malformed_keys_stand_for_nothing() {
    let world = World::small().await;
    for key in ["", "bk_", "bk_short", SecretKey::fresh().expose(), &SecretKey::fresh().expose().replace("bk_", "sk_")] {
        assert_eq!(world.api_keys.authenticate(key).await.unwrap(), None, "{key}");
    }
}

#[tokio::test]
async fn a_key_expires_while_it_is_in_memory() {
    let world = World::small().await;
    let end = world.clock.now() + TimeDelta::seconds(30);
    let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "short").expiring(Some(end)), &By::operator()).await.unwrap();
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
    world.clock.advance(Duration::from_secs(29));
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none());
    assert_eq!(world.api_keys.find(world.project.id, view.id).await.unwrap().unwrap().status, "expired");
}

#[tokio::test]
async fn a_known_key_needs_no_database() {
    let world = World::small().await;
    let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    world.api_keys.authenticate(key.expose()).await.unwrap();
    world.db.db.clone().close().await.unwrap();
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
    // What is not in memory cannot be answered, and is not answered with "no such key".
    assert!(world.api_keys.authenticate(SecretKey::fresh().expose()).await.is_err());
}

#[tokio::test]
async fn a_revoked_key_ends_at_once_here_and_on_the_other_servers_when_they_hear_of_it() {
    for world in worlds().await {
        let other = world.other_server();
        let mut heard = world.revocations();
        let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        assert!(other.api_keys.authenticate(key.expose()).await.unwrap().is_some());

        world.api_keys.revoke(world.project.id, view.id, &By::operator()).await.unwrap();
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none());
        // The other server still has it in memory; the message takes it out.
        assert!(other.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        other.api_keys.apply(&heard.take().unwrap()).await;
        assert!(other.api_keys.authenticate(key.expose()).await.unwrap().is_none());

        assert!(matches!(world.api_keys.revoke(world.project.id, view.id, &By::operator()).await, Err(Error::KeyNotFound)));
    }
}

#[tokio::test]
async fn a_key_is_revoked_through_its_own_project_only() {
    let world = World::small().await;
    let other = world.directory.create_project(world.db.writer(), world.organization.id, &"Other".parse().unwrap()).await.unwrap();
    let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    assert!(matches!(world.api_keys.revoke(other.id, view.id, &By::operator()).await, Err(Error::KeyNotFound)));
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
}

#[tokio::test]
async fn keys_of_deleted_projects_and_organisations_stand_for_nothing() {
    for (table, column) in [("projects", "project"), ("organizations", "organization")] {
        for world in worlds().await {
            let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
            world.db.writer().execute_unprepared(&format!("UPDATE {table} SET deleted_at = created_at")).await.unwrap();
            assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none(), "{column}");
        }
    }
}

#[tokio::test]
async fn a_key_that_exists_or_has_no_project_is_refused() {
    for world in worlds().await {
        let key = SecretKey::fresh();
        world.api_keys.add(world.db.writer(), &key, NewKey::new(world.project.id, "one"), &By::operator()).await.unwrap();
        let again = world.api_keys.add(world.db.writer(), &key, NewKey::new(world.project.id, "two"), &By::operator()).await;
        assert!(matches!(again, Err(Error::KeyTaken)), "{again:?}");
        let nowhere = world.api_keys.create(NewKey::new(crate::common::id::ProjectId::fresh(), "CI"), &By::operator()).await;
        assert!(matches!(nowhere, Err(Error::ProjectNotFound)), "{nowhere:?}");
        assert!(world.api_keys.create(NewKey::new(world.project.id, " "), &By::operator()).await.is_err());
    }
}

#[tokio::test]
async fn a_key_that_was_tried_before_it_was_made_works_once_it_is() {
    let world = World::small().await;
    let key = SecretKey::fresh();
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none());
    world.api_keys.add(world.db.writer(), &key, NewKey::new(world.project.id, "late"), &By::operator()).await.unwrap();
    assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
}

#[tokio::test]
async fn times_of_last_use_are_written_in_batches_and_when_the_process_stops() {
    for world in worlds().await {
        let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
        let last_used = async || world.api_keys.find(world.project.id, view.id).await.unwrap().unwrap().last_used;
        world.api_keys.authenticate(key.expose()).await.unwrap();
        assert_eq!(last_used().await, None, "not written one by one");
        world.api_keys.flush_last_used().await.unwrap();
        let first = world.clock.now();
        assert_eq!(last_used().await, Some(first));

        world.clock.advance(Duration::from_secs(5));
        world.api_keys.authenticate(key.expose()).await.unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        world.api_keys.keep_last_used(stop).await;
        assert_eq!(last_used().await, Some(first + TimeDelta::seconds(5)));
    }
}

#[tokio::test]
async fn a_time_of_last_use_never_moves_back() {
    let world = World::small().await;
    let other = world.other_server();
    let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    other.api_keys.authenticate(key.expose()).await.unwrap();
    world.clock.advance(Duration::from_secs(9));
    world.api_keys.authenticate(key.expose()).await.unwrap();
    world.api_keys.flush_last_used().await.unwrap();
    // The slower server's earlier time comes second.
    other.api_keys.flush_last_used().await.unwrap();
    let last = world.api_keys.find(world.project.id, view.id).await.unwrap().unwrap().last_used;
    assert_eq!(last, Some(world.clock.now()));
}

#[tokio::test]
async fn times_that_could_not_be_written_are_kept() {
    let world = World::small().await;
    let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    world.api_keys.authenticate(key.expose()).await.unwrap();
    world.db.writer().execute_unprepared("ALTER TABLE api_keys RENAME TO hidden").await.unwrap();
    assert!(world.api_keys.flush_last_used().await.is_err());
    world.db.writer().execute_unprepared("ALTER TABLE hidden RENAME TO api_keys").await.unwrap();
    world.api_keys.flush_last_used().await.unwrap();
    assert!(world.api_keys.find(world.project.id, view.id).await.unwrap().unwrap().last_used.is_some());
}
