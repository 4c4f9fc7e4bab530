use std::time::Duration;

use serde_json::json;

use super::{assert_audited, each, nothing, signed_in, take_in};
use crate::audit::By;
use crate::auth::NewKey;
use crate::auth::testing::worlds;
use crate::organization::Role;

#[actix_web::test]
async fn a_project_from_its_making_to_its_restoration() {
    for world in worlds().await {
        let list = format!("/projects?organization_id={}", world.organization.id);
        let ada = signed_in(&world, "ada@example.com").await;
        let made = ada.post(&list, json!({"name": "Billing", "description": " Money "})).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!((&made["description"], &made["status"], &made["role"]), (&json!("Money"), &json!("active"), &json!("owner")));
        let id = made["id"].as_str().unwrap().to_owned();
        let uri = format!("/projects/{id}");
        assert_eq!(ada.get(&uri).await.ok(), made);
        assert_eq!(ada.patch(&uri, json!({"description": ""})).await.ok()["name"], "Billing");
        assert_eq!(ada.patch(&uri, json!({"name": "Bills"})).await.ok()["slug"], "bills");
        assert_eq!(ada.patch(&uri, json!({"name": ""})).await.code(), "VALIDATION_ERROR");

        let (_, key) = world.api_keys.create(NewKey::new(id.parse().unwrap(), "CI"), &By::operator()).await.unwrap();
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        let mut heard = world.bus.outgoing();
        assert_eq!(ada.post(&format!("{uri}/archive"), nothing()).await.ok()["status"], "archived");
        take_in(&mut heard, &world.api_keys).await;
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none());
        for refused in [
            ada.patch(&uri, json!({"name": "New"})).await,
            ada.post(&format!("{uri}/archive"), nothing()).await,
            ada.post(&format!("{uri}/api-keys"), json!({"name": "CI"})).await,
        ] {
            assert_eq!(refused.code(), "CONFLICT_ERROR");
            assert!(refused.error.unwrap().message.contains("project is archived"));
        }
        assert_eq!(each(&ada.get(&list).await.ok(), "status"), ["active", "archived"]);
        assert_eq!(each(&ada.get(&format!("{list}&status=active")).await.ok(), "name"), ["Search"]);

        assert_eq!(ada.delete(&uri).await.ok(), nothing());
        assert_eq!(ada.get(&uri).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(each(&ada.get(&format!("{list}&status=deleted")).await.ok(), "name"), ["Bills"]);
        assert_eq!(ada.post(&format!("{uri}/restore"), nothing()).await.ok()["status"], "archived", "as it was");
        assert_eq!(ada.post(&format!("{uri}/unarchive"), nothing()).await.ok()["status"], "active");
        take_in(&mut heard, &world.api_keys).await;
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());

        ada.delete(&uri).await.ok();
        world.clock.advance(Duration::from_hours(24 * 30 + 1));
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.post(&format!("{uri}/restore"), nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_audited(
            &world,
            &[
                "project.create",
                "project.update",
                "project.update",
                "api_key.create",
                "project.archive",
                "project.delete",
                "project.restore",
                "project.unarchive",
                "project.delete",
            ],
        )
        .await;
    }
}

#[actix_web::test]
async fn the_role_in_a_project_takes_the_place_of_the_one_in_the_organisation() {
    for world in worlds().await {
        let second = world.directory.create_project(world.db.writer(), world.organization.id, &"Second".parse().unwrap()).await.unwrap();
        let none = world.member("non@example.com", "none").await;
        let developer = world.member("dev@example.com", "developer").await;
        let (list, uri) = (format!("/projects?organization_id={}", world.organization.id), format!("/projects/{}", world.project.id));
        let (ada, nons, devs) = (
            signed_in(&world, "ada@example.com").await,
            signed_in(&world, "non@example.com").await,
            signed_in(&world, "dev@example.com").await,
        );
        assert_eq!(nons.get(&list).await.ok(), json!([]));
        assert_eq!(nons.get(&uri).await.code(), "NOT_FOUND_ERROR");
        let role_of = |id: &dyn std::fmt::Display| format!("{uri}/members/{id}");
        ada.put(&role_of(&none.id), json!({"role": "viewer"})).await.ok();
        ada.put(&role_of(&developer.id), json!({"role": "none"})).await.ok();
        assert_eq!(each(&nons.get(&list).await.ok(), "name"), ["Search"]);
        assert_eq!(nons.get(&uri).await.ok()["role"], "viewer");
        assert_eq!(nons.get(&format!("/projects/{}", second.id)).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(nons.get(&format!("/organizations/{}", world.organization.id)).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(nons.get("/organizations").await.ok()[0]["project_count"], 1);
        assert_eq!(each(&devs.get(&list).await.ok(), "name"), ["Second"]);
        assert_eq!(devs.get(&uri).await.code(), "NOT_FOUND_ERROR");
        let me = nons.get("/users/me").await.ok();
        assert_eq!(each(&me["organizations"][0]["projects"], "name"), ["Search"]);

        let members = ada.get(&format!("{uri}/members")).await.ok();
        assert_eq!(each(&members, "project_role"), ["null", "viewer", "none"]);
        assert_eq!(each(&members, "effective_role"), ["owner", "viewer", "none"]);
        assert_eq!(ada.delete(&role_of(&developer.id)).await.ok(), nothing());
        assert_eq!(ada.delete(&role_of(&developer.id)).await.ok(), nothing(), "there is none");
        assert_eq!(devs.get(&uri).await.ok()["role"], "developer");
        assert_audited(&world, &["project_member.set", "project_member.set", "project_member.clear", "access.denied denied"]).await;
    }
}

#[actix_web::test]
async fn roles_in_projects_have_their_limits() {
    for world in worlds().await {
        let lead = world.member("lea@example.com", "viewer").await;
        let admin = world.member("adm@example.com", "admin").await;
        let stranger = world.somebody("eve@example.com").await;
        let uri = format!("/projects/{}/members", world.project.id);
        let (ada, leas) = (signed_in(&world, "ada@example.com").await, signed_in(&world, "lea@example.com").await);
        let put = async |who: &super::Caller<'_>, id: crate::common::id::UserId, role: &str| {
            who.put(&format!("{uri}/{id}"), json!({"role": role})).await
        };
        assert_eq!(put(&leas, admin.id, "viewer").await.code(), "FORBIDDEN_ERROR", "a viewer");
        assert_eq!(put(&ada, lead.id, "owner").await.code(), "VALIDATION_ERROR");
        assert_eq!(put(&ada, lead.id, "emperor").await.code(), "VALIDATION_ERROR");
        assert_eq!(put(&ada, stranger.id, "viewer").await.code(), "NOT_FOUND_ERROR", "no member");
        assert_eq!(put(&ada, world.user.id, "viewer").await.code(), "FORBIDDEN_ERROR", "oneself");
        assert_eq!(put(&ada, lead.id, "admin").await.ok(), nothing());
        // An administrator of one project: there, and up to what they are themselves.
        assert_eq!(put(&leas, world.user.id, "viewer").await.code(), "CONFLICT_ERROR", "an owner is never lowered");
        assert_eq!(put(&leas, lead.id, "developer").await.code(), "FORBIDDEN_ERROR", "oneself");
        assert_eq!(leas.delete(&format!("{uri}/{}", lead.id)).await.code(), "FORBIDDEN_ERROR", "oneself");
        assert_eq!(
            put(&leas, admin.id, "viewer").await.code(),
            "FORBIDDEN_ERROR",
            "nor is an administrator of the organisation by one of a project"
        );
        let developer = world.member("dev@example.com", "developer").await;
        assert_eq!(put(&leas, developer.id, "viewer").await.ok(), nothing());
        assert_eq!(world.directory.project_role(developer.id, world.project.id).await.unwrap(), Some(Role::Viewer));
        let second = world.directory.create_project(world.db.writer(), world.organization.id, &"Second".parse().unwrap()).await.unwrap();
        let elsewhere = leas.put(&format!("/projects/{}/members/{}", second.id, admin.id), json!({"role": "viewer"})).await;
        assert_eq!(elsewhere.code(), "FORBIDDEN_ERROR");
    }
}

#[actix_web::test]
async fn projects_of_others_do_not_exist() {
    for world in worlds().await {
        let eve = world.somebody("eve@example.com").await;
        let evil = world.organizations.create(&By::system(), eve.id, &"Evil".parse().unwrap()).await.unwrap().organization;
        let eves = signed_in(&world, "eve@example.com").await;
        let uri = format!("/projects/{}", world.project.id);
        for seen in [
            eves.get(&uri).await,
            eves.patch(&uri, json!({"name": "Mine"})).await,
            eves.delete(&uri).await,
            eves.post(&format!("{uri}/archive"), nothing()).await,
            eves.post(&format!("{uri}/restore"), nothing()).await,
            eves.get(&format!("{uri}/members")).await,
            eves.put(&format!("{uri}/members/{}", eve.id), json!({"role": "admin"})).await,
            eves.get(&format!("{uri}/api-keys")).await,
            // The project is named in the path, whatever organisation the query names.
            eves.get(&format!("{uri}?organization_id={}", evil.id)).await,
        ] {
            assert_eq!((seen.code(), seen.error.as_ref().unwrap().message.as_str()), ("NOT_FOUND_ERROR", "project not found"));
        }
        assert_audited(&world, &[]).await;
    }
}
