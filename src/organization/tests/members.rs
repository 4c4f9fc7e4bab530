use serde_json::json;

use super::{assert_audited, each, nothing, run, signed_in};
use crate::audit::By;
use crate::auth::NewKey;
use crate::auth::testing::worlds;
use crate::common::origin::Origin;
use crate::organization::{Error, Role};

#[actix_web::test]
async fn members_are_listed_changed_suspended_and_removed() {
    for world in worlds().await {
        let bob = world.member("bob@example.com", "developer").await;
        let (members, one) = (
            format!("/organizations/{}/members", world.organization.id),
            format!("/organizations/{}/members/{}", world.organization.id, bob.id),
        );
        let ada = signed_in(&world, "ada@example.com").await;
        ada.put(&format!("/projects/{}/members/{}", world.project.id, bob.id), json!({"role": "viewer"})).await.ok();
        let listed = ada.get(&members).await.ok();
        assert_eq!(
            (each(&listed, "email"), each(&listed, "role")),
            (vec!["ada@example.com", "bob@example.com"], vec!["owner", "developer"])
        );
        assert_eq!(listed[1]["project_roles"], json!([{"project_id": world.project.id, "project_name": "Search", "role": "viewer"}]));
        assert_eq!((&listed[0]["second_factor"], &listed[0]["status"]), (&json!(false), &json!("active")));
        assert!(listed[0]["last_login_at"].is_string() && listed[1]["last_login_at"].is_null());

        assert_eq!(ada.patch(&one, json!({"role": "admin"})).await.ok()["role"], "admin");
        assert_eq!(ada.patch(&one, json!({"role": "emperor"})).await.code(), "VALIDATION_ERROR");
        let bobs = signed_in(&world, "bob@example.com").await;
        assert_eq!(bobs.get(&members).await.status, 200);
        assert_eq!(ada.post(&format!("{one}/suspend"), nothing()).await.ok()["status"], "suspended");
        assert_eq!(bobs.get(&members).await.code(), "NOT_FOUND_ERROR", "at once");
        assert_eq!(ada.post(&format!("{one}/suspend"), nothing()).await.ok()["status"], "suspended");
        assert_eq!(ada.post(&format!("{one}/reinstate"), nothing()).await.ok()["status"], "active");
        assert_eq!(bobs.get(&members).await.status, 200);

        // What they made stays; what they were goes.
        world.users.set_default_organization(world.db.writer(), bob.id, world.organization.id).await.unwrap();
        let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "Bob's"), &By::user(bob.id, Origin::default())).await.unwrap();
        assert_eq!(ada.delete(&one).await.ok(), nothing());
        assert_eq!(ada.delete(&one).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(world.users.find(bob.id).await.unwrap().unwrap().default_organization_id, None);
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        world.directory.add_member(world.db.writer(), world.organization.id, bob.id, &Role::None).await.unwrap();
        assert_eq!(world.directory.project_role(bob.id, world.project.id).await.unwrap(), None, "the role in the project is gone");
        assert_audited(
            &world,
            &["project_member.set", "member.update", "member.suspend", "member.reinstate", "api_key.create", "member.remove"],
        )
        .await;
    }
}

#[actix_web::test]
async fn nobody_changes_themselves_and_only_owners_touch_owners() {
    for world in worlds().await {
        let dan = world.member("dan@example.com", "admin").await;
        let vic = world.member("vic@example.com", "viewer").await;
        let uri = |id: &dyn std::fmt::Display| format!("/organizations/{}/members/{id}", world.organization.id);
        let (ada, dans, vics) = (
            signed_in(&world, "ada@example.com").await,
            signed_in(&world, "dan@example.com").await,
            signed_in(&world, "vic@example.com").await,
        );
        let (owner, admin, viewer) = (uri(&world.user.id), uri(&dan.id), uri(&vic.id));
        for (who, own) in [(&ada, &owner), (&dans, &admin)] {
            assert_eq!(who.patch(own, json!({"role": "viewer"})).await.code(), "FORBIDDEN_ERROR");
            assert_eq!(who.delete(own).await.code(), "FORBIDDEN_ERROR");
            assert_eq!(who.post(&format!("{own}/suspend"), nothing()).await.code(), "FORBIDDEN_ERROR");
        }
        assert_eq!(dans.patch(&owner, json!({"role": "viewer"})).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.delete(&owner).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.post(&format!("{owner}/suspend"), nothing()).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.patch(&viewer, json!({"role": "owner"})).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.patch(&viewer, json!({"role": "admin"})).await.ok()["role"], "admin");
        assert_eq!(vics.patch(&admin, json!({"role": "viewer"})).await.ok()["role"], "viewer");
        assert_eq!(dans.patch(&viewer, json!({"role": "viewer"})).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(ada.patch(&admin, json!({"role": "owner"})).await.ok()["role"], "owner");
        assert_eq!(dans.patch(&owner, json!({"role": "viewer"})).await.ok()["role"], "viewer");
        assert_eq!(ada.get(&format!("/organizations/{}/audit-logs", world.organization.id)).await.code(), "FORBIDDEN_ERROR");
    }
}

#[tokio::test]
async fn two_owners_who_remove_each_other_leave_one() {
    for world in worlds().await {
        let bob = world.member("bob@example.com", "owner").await;
        let (ada, bob, id) = (world.user.id, bob.id, world.organization.id);
        let (here, there) = (world.organizations.clone(), world.other_server().organizations);
        let (first, second) = tokio::join!(
            tokio::spawn(async move { here.remove(&By::user(ada, Origin::default()), id, bob).await }),
            tokio::spawn(async move { there.change_role(&By::user(bob, Origin::default()), id, ada, &Role::Viewer).await }),
        );
        let outcomes = [first.unwrap(), second.unwrap()];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let owners = world.organizations.members(id).await.unwrap().into_iter().filter(|member| member.role == Role::Owner);
        assert_eq!(owners.count(), 1);
    }
}

#[tokio::test]
async fn the_last_owner_is_not_lowered_suspended_or_removed_by_anything() {
    for world in worlds().await {
        let (by, id, ada) = (By::operator(), world.organization.id, world.user.id);
        assert!(matches!(world.organizations.change_role(&by, id, ada, &Role::Admin).await, Err(Error::LastOwner)));
        assert!(matches!(world.organizations.suspend(&by, id, ada).await, Err(Error::LastOwner)));
        assert!(matches!(world.organizations.remove(&by, id, ada).await, Err(Error::LastOwner)));
        world.organizations.change_role(&by, id, ada, &Role::Owner).await.unwrap();
    }
}

#[actix_web::test]
async fn roles_and_permissions_are_listed() {
    for world in worlds().await {
        let uri = format!("/organizations/{}", world.organization.id);
        run(
            &world,
            &format!(
                "INSERT INTO roles (id, scope_type, scope_id, name, description, permissions, created_at, updated_at) \
                 SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'organization', '{}', 'auditor', 'Looks', '[\"audit-logs:read\"]', created_at, created_at FROM users",
                world.organization.id
            ),
        )
        .await;
        let ada = signed_in(&world, "ada@example.com").await;
        let roles = ada.get(&format!("{uri}/roles")).await.ok();
        assert_eq!(each(&roles, "name"), ["owner", "admin", "developer", "viewer", "none", "auditor"]);
        assert_eq!((&roles[4]["permissions"], &roles[5]["permissions"]), (&json!([]), &json!(["audit-logs:read"])));
        assert_eq!((&roles[0]["built_in"], &roles[5]["built_in"]), (&json!(true), &json!(false)));
        let permissions = ada.get(&format!("{uri}/permissions")).await.ok();
        assert_eq!(permissions.as_array().unwrap().len(), roles[0]["permissions"].as_array().unwrap().len());
    }
}
