use std::time::Duration;

use serde_json::json;

use super::{assert_audited, each, nothing, run, signed_in, take_in};
use crate::audit::By;
use crate::auth::NewKey;
use crate::auth::testing::worlds;
use crate::common::id::OrganizationId;
use crate::common::origin::Origin;

#[actix_web::test]
async fn an_organisation_from_its_making_to_its_restoration() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let made = ada.post("/organizations", json!({"name": " Second, Inc. "})).await;
        assert_eq!(made.status, 201);
        let made = made.ok();
        assert_eq!((&made["name"], &made["slug"], &made["role"]), (&json!("Second, Inc."), &json!("second-inc"), &json!("owner")));
        assert_eq!((&made["member_count"], &made["project_count"], &made["status"]), (&json!(1), &json!(0), &json!("active")));
        let uri = format!("/organizations/{}", made["id"].as_str().unwrap());
        assert_eq!(each(&ada.get("/organizations").await.ok(), "name"), ["Acme", "Second, Inc."]);
        assert_eq!(ada.patch(&uri, json!({"name": "Third"})).await.ok()["name"], "Third");
        assert_eq!(ada.patch(&uri, json!({"name": " \n "})).await.code(), "VALIDATION_ERROR");

        assert_eq!(ada.delete(&uri).await.ok(), nothing());
        assert_eq!(ada.get(&uri).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(each(&ada.get("/organizations").await.ok(), "name"), ["Acme"]);
        assert_eq!(each(&ada.get("/organizations?status=deleted").await.ok(), "status"), ["deleted"]);
        // Only whoever owned it restores it.
        world.somebody("eve@example.com").await;
        let eve = signed_in(&world, "eve@example.com").await;
        assert_eq!(eve.post(&format!("{uri}/restore"), nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(ada.post(&format!("{uri}/restore"), nothing()).await.ok()["status"], "active");
        assert_eq!(ada.post(&format!("{uri}/restore"), nothing()).await.code(), "NOT_FOUND_ERROR", "it is not deleted");
    }
}

#[actix_web::test]
async fn what_was_deleted_cannot_be_restored_for_ever_and_only_by_owners() {
    for world in worlds().await {
        let uri = format!("/organizations/{}", world.organization.id);
        world.member("dan@example.com", "admin").await;
        assert_eq!(signed_in(&world, "dan@example.com").await.delete(&uri).await.code(), "FORBIDDEN_ERROR");
        signed_in(&world, "ada@example.com").await.delete(&uri).await.ok();
        let refused = signed_in(&world, "dan@example.com").await.post(&format!("{uri}/restore"), nothing()).await;
        assert_eq!(refused.code(), "FORBIDDEN_ERROR");
        world.clock.advance(Duration::from_hours(24 * 30 + 1));
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.post(&format!("{uri}/restore"), nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(ada.get("/organizations?status=deleted").await.ok(), json!([]));
    }
}

#[actix_web::test]
async fn strangers_learn_nothing() {
    for world in worlds().await {
        world.somebody("eve@example.com").await;
        let eve = signed_in(&world, "eve@example.com").await;
        for id in [world.organization.id, OrganizationId::fresh()] {
            for suffix in ["", "/members", "/invitations", "/roles", "/permissions", "/audit-logs", "/audit-logs/export?format=csv"] {
                let seen = eve.get(&format!("/organizations/{id}{suffix}")).await;
                assert_eq!(
                    (seen.code(), seen.error.as_ref().unwrap().message.as_str()),
                    ("NOT_FOUND_ERROR", "organization not found"),
                    "{suffix}"
                );
            }
            for suffix in ["/archive", "/unarchive", "/restore", "/leave"] {
                assert_eq!(eve.post(&format!("/organizations/{id}{suffix}"), nothing()).await.code(), "NOT_FOUND_ERROR", "{suffix}");
            }
            assert_eq!(eve.get(&format!("/projects?organization_id={id}")).await.code(), "NOT_FOUND_ERROR");
        }
        assert_eq!(eve.get("/organizations").await.ok(), json!([]));
    }
}

#[actix_web::test]
async fn who_makes_organisations_is_a_setting() {
    for world in worlds().await {
        run(
            &world,
            "INSERT INTO settings (id, scope_type, scope_id, key, value, version, created_at, updated_at) \
             SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'installation', '', 'organizations.creation_by_members', 'false', 1, created_at, created_at FROM users",
        )
        .await;
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.post("/organizations", json!({"name": "Mine"})).await.code(), "FORBIDDEN_ERROR");
        run(&world, "UPDATE users SET is_admin = true").await;
        let world = crate::auth::testing::World { sessions: world.other_server().sessions, ..world };
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.post("/organizations", json!({"name": "Mine"})).await.status, 201);
    }
}

#[actix_web::test]
async fn in_an_archived_organisation_everything_can_be_read_and_nothing_changed() {
    for world in worlds().await {
        let (organization, project) = (format!("/organizations/{}", world.organization.id), format!("/projects/{}", world.project.id));
        let bob = world.member("bob@example.com", "viewer").await;
        let (view, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        let mut heard = world.bus.outgoing();
        let ada = signed_in(&world, "ada@example.com").await;
        let archived = ada.post(&format!("{organization}/archive"), nothing()).await.ok();
        assert_eq!((&archived["status"], archived["archived_at"].is_string()), (&json!("archived"), true));

        // The key was in memory; what is said on the bus takes it out.
        take_in(&mut heard, &world.api_keys).await;
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_none());

        for uri in ["", "/members", "/invitations", "/roles", "/permissions", "/audit-logs"] {
            assert_eq!(ada.get(&format!("{organization}{uri}")).await.status, 200, "{uri}");
        }
        assert_eq!(ada.get(&project).await.status, 200);
        assert_eq!(ada.get(&format!("{project}/api-keys")).await.status, 200);
        let member = format!("{organization}/members/{}", bob.id);
        let refused = [
            ada.post(&format!("{organization}/archive"), nothing()).await,
            ada.patch(&organization, json!({"name": "New"})).await,
            ada.post(&format!("{organization}/transfer"), json!({"user_id": bob.id})).await,
            ada.patch(&member, json!({"role": "admin"})).await,
            ada.delete(&member).await,
            ada.post(&format!("{member}/suspend"), nothing()).await,
            ada.post(&format!("{organization}/invitations"), json!({"email": "new@example.com", "role": "viewer"})).await,
            ada.post(&format!("/projects?organization_id={}", world.organization.id), json!({"name": "New"})).await,
            ada.patch(&project, json!({"name": "New"})).await,
            ada.post(&format!("{project}/archive"), nothing()).await,
            ada.post(&format!("{project}/unarchive"), nothing()).await,
            ada.put(&format!("{project}/members/{}", bob.id), json!({"role": "admin"})).await,
            ada.post(&format!("{project}/api-keys"), json!({"name": "New"})).await,
            ada.patch(&format!("{project}/api-keys/{}", view.id), json!({"name": "New"})).await,
            ada.post(&format!("{project}/api-keys/{}/rotate", view.id), nothing()).await,
        ];
        for (number, seen) in refused.iter().enumerate() {
            assert_eq!(seen.code(), "CONFLICT_ERROR", "{number}: {seen:?}");
            assert!(seen.error.as_ref().unwrap().message.contains("organization is archived"), "{seen:?}");
        }
        let bobs = signed_in(&world, "bob@example.com").await;
        assert_eq!(bobs.post(&format!("{organization}/leave"), nothing()).await.status, 200);

        let mut heard = world.bus.outgoing();
        assert_eq!(ada.post(&format!("{organization}/unarchive"), nothing()).await.ok()["status"], "active");
        take_in(&mut heard, &world.api_keys).await;
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        assert_audited(&world, &["api_key.create", "organization.archive", "member.leave", "organization.unarchive"]).await;
    }
}

#[actix_web::test]
async fn keys_of_a_deleted_organisation_are_refused_by_every_server_and_come_back_with_it() {
    for world in worlds().await {
        let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
        let other = world.other_server();
        for keys in [&world.api_keys, &other.api_keys] {
            assert!(keys.authenticate(key.expose()).await.unwrap().is_some());
        }
        let (mut here, mut there) = (world.bus.outgoing(), world.bus.outgoing());
        world.organizations.delete(&By::user(world.user.id, Origin::default()), world.organization.id).await.unwrap();
        take_in(&mut here, &world.api_keys).await;
        take_in(&mut there, &other.api_keys).await;
        for keys in [&world.api_keys, &other.api_keys] {
            assert!(keys.authenticate(key.expose()).await.unwrap().is_none());
        }
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.get(&format!("/projects/{}", world.project.id)).await.code(), "NOT_FOUND_ERROR");
        world.organizations.restore(&By::user(world.user.id, Origin::default()), world.organization.id).await.unwrap();
        take_in(&mut here, &world.api_keys).await;
        assert!(world.api_keys.authenticate(key.expose()).await.unwrap().is_some());
        assert_eq!(ada.get(&format!("/projects/{}", world.project.id)).await.status, 200);
    }
}

#[actix_web::test]
async fn ownership_is_handed_to_a_member_who_counts() {
    for world in worlds().await {
        let bob = world.member("bob@example.com", "viewer").await;
        let eve = world.somebody("eve@example.com").await;
        let uri = format!("/organizations/{}", world.organization.id);
        let ada = signed_in(&world, "ada@example.com").await;
        let transfer = format!("{uri}/transfer");
        assert_eq!(ada.post(&transfer, json!({"user_id": world.user.id})).await.code(), "CONFLICT_ERROR");
        assert_eq!(ada.post(&transfer, json!({"user_id": eve.id})).await.code(), "NOT_FOUND_ERROR");
        run(&world, "UPDATE organization_members SET status = 'suspended' WHERE role = 'viewer'").await;
        assert_eq!(ada.post(&transfer, json!({"user_id": bob.id})).await.code(), "NOT_FOUND_ERROR");
        run(&world, "UPDATE organization_members SET status = 'active'").await;
        run(&world, "UPDATE users SET status = 'suspended' WHERE email = 'bob@example.com'").await;
        assert_eq!(ada.post(&transfer, json!({"user_id": bob.id})).await.code(), "CONFLICT_ERROR", "nobody could sign in as the owner");
        run(&world, "UPDATE users SET status = 'active'").await;
        assert_eq!(ada.post(&transfer, json!({"user_id": bob.id})).await.ok()["role"], "admin");
        assert_eq!(ada.post(&transfer, json!({"user_id": bob.id})).await.code(), "FORBIDDEN_ERROR");
        let members = signed_in(&world, "bob@example.com").await.get(&format!("{uri}/members")).await.ok();
        assert_eq!(each(&members, "role"), ["admin", "owner"]);
        assert_audited(&world, &["organization.transfer", "access.denied denied"]).await;
    }
}

#[actix_web::test]
async fn the_last_owner_cannot_leave() {
    for world in worlds().await {
        let leave = format!("/organizations/{}/leave", world.organization.id);
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(ada.post(&leave, nothing()).await.code(), "CONFLICT_ERROR");
        // An owner who is suspended, here or in the installation, is nobody to leave it to.
        world.member("bob@example.com", "owner").await;
        for (suspend, back) in [
            (
                "UPDATE organization_members SET status = 'suspended' WHERE user_id <> '{}'",
                "UPDATE organization_members SET status = 'active'",
            ),
            ("UPDATE users SET status = 'suspended' WHERE id <> '{}'", "UPDATE users SET status = 'active'"),
        ] {
            run(&world, &suspend.replace("{}", &world.user.id.to_string())).await;
            assert_eq!(ada.post(&leave, nothing()).await.code(), "CONFLICT_ERROR", "{suspend}");
            run(&world, back).await;
        }
        world.users.set_default_organization(world.db.writer(), world.user.id, world.organization.id).await.unwrap();
        assert_eq!(ada.post(&leave, nothing()).await.ok(), nothing());
        assert_eq!(world.users.find(world.user.id).await.unwrap().unwrap().default_organization_id, None);
        assert_eq!(ada.get("/organizations").await.ok(), json!([]));
    }
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    for world in worlds().await {
        let bob = world.member("bob@example.com", "owner").await;
        let other = world.other_server();
        let (ada, bob) = (world.user.id, bob.id);
        let (first, second) = tokio::join!(
            tokio::spawn({
                let (organizations, id) = (world.organizations.clone(), world.organization.id);
                async move { organizations.leave(&By::user(ada, Origin::default()), id, ada).await }
            }),
            tokio::spawn({
                let (organizations, id) = (other.organizations.clone(), world.organization.id);
                async move { organizations.leave(&By::user(bob, Origin::default()), id, bob).await }
            }),
        );
        let outcomes = [first.unwrap(), second.unwrap()];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(crate::organization::Error::LastOwner))), "{outcomes:?}");
        assert_eq!(world.organizations.members(world.organization.id).await.unwrap().len(), 1);
    }
}
