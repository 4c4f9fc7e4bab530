use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{assert_audited, each, nothing, signed_in, take_in};
use crate::auth::testing::{World, worlds};
use crate::common::clock::Clock;

fn of(world: &World) -> String {
    format!("/projects/{}/api-keys", world.project.id)
}

fn key(made: &Value) -> &str {
    made["key"].as_str().unwrap()
}

#[actix_web::test]
async fn a_key_is_made_shown_once_renamed_and_revoked() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let made = ada.post(&of(&world), json!({"name": "CI", "scopes": ["read", "ingest"], "expiry_option": "30days"})).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.ok();
        assert_eq!((&made["scopes"], &made["status"]), (&json!(["ingest", "read"]), &json!("active")));
        assert_eq!((&made["created_by_email"], &made["replaces_id"]), (&json!("ada@example.com"), &Value::Null));
        assert_eq!(made["expires_at"], json!(world.clock.now() + TimeDelta::days(30)));
        let context = world.api_keys.authenticate(key(&made)).await.unwrap().unwrap();
        assert_eq!(context.scopes.to_string(), "ingest read");

        let listed = ada.get(&of(&world)).await.ok();
        assert_eq!(each(&listed, "name"), ["CI"]);
        assert!(!listed.to_string().contains(key(&made)));
        let one = format!("{}/{}", of(&world), made["id"].as_str().unwrap());
        assert_eq!(ada.patch(&one, json!({"name": "Build"})).await.ok()["name"], "Build");
        assert_eq!(ada.patch(&one, json!({"name": "B"})).await.code(), "VALIDATION_ERROR");
        assert_eq!(ada.delete(&one).await.ok(), nothing());
        assert!(world.api_keys.authenticate(key(&made)).await.unwrap().is_none());
        for gone in
            [ada.delete(&one).await, ada.patch(&one, json!({"name": "Build"})).await, ada.post(&format!("{one}/rotate"), nothing()).await]
        {
            assert_eq!(gone.code(), "NOT_FOUND_ERROR");
        }
        assert_eq!(ada.get(&of(&world)).await.ok(), json!([]));
        assert_audited(&world, &["api_key.create", "api_key.update", "api_key.revoke"]).await;
    }
}

#[actix_web::test]
async fn what_is_wrong_with_a_key_is_named() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let past = world.clock.now() - TimeDelta::seconds(1);
        for wrong in [
            json!({"name": "x"}),
            json!({"name": "CI", "scopes": []}),
            json!({"name": "CI", "scopes": ["everything"]}),
            json!({"name": "CI", "expiry_option": "31days"}),
            json!({"name": "CI", "expires_at": past}),
            json!({"name": "CI", "expires_at": world.clock.now() + TimeDelta::days(1), "expiry_option": "never"}),
        ] {
            assert_eq!(ada.post(&of(&world), wrong.clone()).await.code(), "VALIDATION_ERROR", "{wrong}");
        }
        let plain = ada.post(&of(&world), json!({"name": "CI"})).await.ok();
        assert_eq!((&plain["scopes"], &plain["expires_at"]), (&json!(["full"]), &Value::Null));
    }
}

#[actix_web::test]
async fn roles_decide_about_keys() {
    for world in worlds().await {
        world.member("vic@example.com", "viewer").await;
        world.member("dev@example.com", "developer").await;
        let (vics, devs) = (signed_in(&world, "vic@example.com").await, signed_in(&world, "dev@example.com").await);
        let made = devs.post(&of(&world), json!({"name": "CI"})).await.ok();
        let one = format!("{}/{}", of(&world), made["id"].as_str().unwrap());
        for refused in [
            vics.get(&of(&world)).await,
            vics.post(&of(&world), json!({"name": "CI"})).await,
            vics.patch(&one, json!({"name": "Mine"})).await,
            vics.post(&format!("{one}/rotate"), nothing()).await,
            vics.delete(&one).await,
        ] {
            assert_eq!(refused.code(), "FORBIDDEN_ERROR");
        }
        // A key of one project is none of another.
        let other = world.directory.create_project(world.db.writer(), world.organization.id, &"Other".parse().unwrap()).await.unwrap();
        let elsewhere = format!("/projects/{}/api-keys/{}", other.id, made["id"].as_str().unwrap());
        assert_eq!(devs.delete(&elsewhere).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(devs.post(&format!("{elsewhere}/rotate"), nothing()).await.code(), "NOT_FOUND_ERROR");
        assert!(world.api_keys.authenticate(key(&made)).await.unwrap().is_some());
    }
}

#[actix_web::test]
async fn after_a_rotation_both_keys_are_good_for_a_while_on_every_server() {
    for world in worlds().await {
        let (ada, other) = (signed_in(&world, "ada@example.com").await, world.other_server());
        let old = ada.post(&of(&world), json!({"name": "CI", "scopes": ["ingest"], "expiry_option": "90days"})).await.ok();
        assert!(other.api_keys.authenticate(key(&old)).await.unwrap().is_some());
        let mut heard = world.bus.outgoing();
        world.clock.advance(Duration::from_mins(1));
        let one = format!("{}/{}", of(&world), old["id"].as_str().unwrap());
        let new = ada.post(&format!("{one}/rotate"), json!({"overlap_hours": 2})).await;
        assert_eq!(new.status, 201, "{new:?}");
        let new = new.ok();
        assert_eq!((&new["name"], &new["scopes"], &new["replaces_id"]), (&json!("CI"), &json!(["ingest"]), &old["id"]));
        assert_eq!(new["expires_at"], json!(world.clock.now() + TimeDelta::days(90)), "the same time to live");
        take_in(&mut heard, &other.api_keys).await;
        assert_eq!(ada.post(&format!("{one}/rotate"), nothing()).await.code(), "CONFLICT_ERROR", "rotated already");
        for keys in [&world.api_keys, &other.api_keys] {
            assert!(keys.authenticate(key(&old)).await.unwrap().is_some());
            assert!(keys.authenticate(key(&new)).await.unwrap().is_some());
        }
        world.clock.advance(Duration::from_hours(2));
        for keys in [&world.api_keys, &other.api_keys] {
            assert!(keys.authenticate(key(&old)).await.unwrap().is_none(), "the other server knows the new end, too");
            assert!(keys.authenticate(key(&new)).await.unwrap().is_some());
        }
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "status").iter().filter(|status| **status == "expired").count(), 1);
        assert_eq!(ada.post(&format!("{one}/rotate"), nothing()).await.code(), "CONFLICT_ERROR", "expired");
    }
}

#[actix_web::test]
async fn a_rotation_without_overlap_revokes_at_once_and_never_lengthens_a_life() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let old = ada.post(&of(&world), json!({"name": "CI"})).await.ok();
        let one = format!("{}/{}", of(&world), old["id"].as_str().unwrap());
        assert_eq!(ada.post(&format!("{one}/rotate"), json!({"overlap_hours": 169})).await.code(), "VALIDATION_ERROR");
        let new = ada.post(&format!("{one}/rotate"), json!({"overlap_hours": 0})).await.ok();
        assert!(world.api_keys.authenticate(key(&old)).await.unwrap().is_none());
        assert!(world.api_keys.authenticate(key(&new)).await.unwrap().is_some());
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "name").len(), 1);

        let soon = world.clock.now() + TimeDelta::hours(1);
        let short = ada.post(&of(&world), json!({"name": "Short", "expires_at": soon})).await.ok();
        ada.post(&format!("{}/{}/rotate", of(&world), short["id"].as_str().unwrap()), json!({"overlap_hours": 24})).await.ok();
        let listed = ada.get(&of(&world)).await.ok();
        let kept = listed.as_array().unwrap().iter().find(|key| key["id"] == short["id"]).unwrap();
        assert_eq!(kept["expires_at"], json!(soon));
        assert_audited(&world, &["api_key.create", "api_key.rotate", "api_key.create", "api_key.rotate"]).await;
    }
}
