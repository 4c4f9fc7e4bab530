use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_audited, each, mailed_token, nobody, nothing, run, signed_in};
use crate::audit::By;
use crate::auth::testing::{World, worlds};
use crate::organization::{Error, Role};

const PROVEN: &str = "UPDATE users SET email_proven_at = created_at";

fn of(world: &World) -> String {
    format!("/organizations/{}/invitations", world.organization.id)
}

fn invite(email: &str, role: &str) -> Value {
    json!({"email": email, "role": role})
}

#[actix_web::test]
async fn somebody_is_invited_and_accepts_once() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let body = json!({
            "email": " Bob@Example.com", "role": "none", "project_roles": [{"project_id": world.project.id, "role": "developer"}]
        });
        let made = ada.post(&of(&world), body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.ok();
        assert_eq!((&made["email"], &made["status"], &made["sent_count"]), (&json!("bob@example.com"), &json!("pending"), &json!(1)));
        assert_eq!(made["invited_by_email"], "ada@example.com");
        assert_eq!(ada.get(&of(&world)).await.ok()[0], made);

        let token = mailed_token(&world, "bob@example.com").await;
        assert_eq!(token.len(), 43);
        assert!(!made.to_string().contains(&token), "the token is in the mail only");
        let anybody = nobody(&world);
        let valid = anybody.post("/invitations/validate", json!({"token": token})).await.ok();
        assert_eq!(
            (&valid["organization_name"], &valid["email"], &valid["account_exists"]),
            (&json!("Acme"), &json!("bob@example.com"), &json!(false))
        );
        assert_eq!(valid["invited_by"], "Ada Lovelace");
        assert_eq!(anybody.post("/invitations/validate", json!({"token": "wrong"})).await.code(), "NOT_FOUND_ERROR");

        let bob = world.somebody("bob@example.com").await;
        world.somebody("eve@example.com").await;
        let (bobs, eves) = (signed_in(&world, "bob@example.com").await, signed_in(&world, "eve@example.com").await);
        assert_eq!(anybody.post("/invitations/validate", json!({"token": token})).await.ok()["account_exists"], true);
        assert_eq!(eves.post("/invitations/accept", json!({"token": token})).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(bobs.get("/invitations").await.ok(), json!([]), "an administrator's word does not prove that the address is Bob's");
        let by_id = json!({"invitation_id": made["id"]});
        assert_eq!(bobs.post("/invitations/accept", by_id.clone()).await.code(), "FORBIDDEN_ERROR");
        run(&world, PROVEN).await;
        assert_eq!(each(&bobs.get("/invitations").await.ok(), "organization_name"), ["Acme"]);
        assert_eq!(eves.get("/invitations").await.ok(), json!([]));
        assert_eq!(eves.post("/invitations/accept", by_id.clone()).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(bobs.post("/invitations/accept", nothing()).await.code(), "VALIDATION_ERROR");
        assert_eq!(bobs.post("/invitations/accept", by_id.clone()).await.ok()["organization_id"], world.organization.id.to_string());
        for again in [json!({"token": token}), by_id] {
            assert_eq!(bobs.post("/invitations/accept", again).await.code(), "NOT_FOUND_ERROR");
        }
        assert_eq!(world.directory.organization_role(bob.id, world.organization.id).await.unwrap(), Some(Role::None));
        assert_eq!(world.directory.project_role(bob.id, world.project.id).await.unwrap(), Some(Role::Developer));
        assert_eq!(each(&ada.get(&format!("{}?status=accepted", of(&world))).await.ok(), "status"), ["accepted"]);
        assert_eq!(ada.get(&format!("{}?status=pending", of(&world))).await.ok(), json!([]));
        assert_audited(&world, &["invitation.create", "invitation.accept"]).await;
    }
}

#[actix_web::test]
async fn what_stands_in_the_tables_opens_nothing() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        use sea_orm::ConnectionTrait;
        let backend = world.db.conn().get_database_backend();
        let row =
            world.db.conn().query_one_raw(sea_orm::Statement::from_string(backend, "SELECT token_hash FROM organization_invitations"));
        let hash: String = row.await.unwrap().unwrap().try_get("", "token_hash").unwrap();
        assert_eq!(nobody(&world).post("/invitations/validate", json!({"token": hash})).await.code(), "NOT_FOUND_ERROR");
    }
}

#[actix_web::test]
async fn invitations_have_their_limits() {
    for world in worlds().await {
        world.member("dan@example.com", "admin").await;
        world.member("vic@example.com", "viewer").await;
        let (ada, dans, vics) = (
            signed_in(&world, "ada@example.com").await,
            signed_in(&world, "dan@example.com").await,
            signed_in(&world, "vic@example.com").await,
        );
        assert_eq!(vics.post(&of(&world), invite("new@example.com", "viewer")).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.post(&of(&world), invite("new@example.com", "owner")).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(ada.post(&of(&world), invite("new@example.com", "emperor")).await.code(), "VALIDATION_ERROR");
        assert_eq!(ada.post(&of(&world), invite("nobody", "viewer")).await.code(), "VALIDATION_ERROR");
        assert_eq!(ada.post(&of(&world), invite("VIC@example.com", "viewer")).await.code(), "CONFLICT_ERROR", "a member");
        assert_eq!(dans.post(&of(&world), invite("new@example.com", "admin")).await.status, 201);
        assert_eq!(dans.post(&of(&world), invite("NEW@example.com", "viewer")).await.code(), "CONFLICT_ERROR", "invited");
        // A project of somebody else is no project.
        let evil = world.directory.create_organization(world.db.writer(), &"Evil".parse().unwrap()).await.unwrap();
        let foreign = world.directory.create_project(world.db.writer(), evil.id, &"Theirs".parse().unwrap()).await.unwrap();
        let with = |role: &str, project: &dyn std::fmt::Display| json!({"email": "other@example.com", "role": "none", "project_roles": [{"project_id": project.to_string(), "role": role}]});
        assert_eq!(ada.post(&of(&world), with("viewer", &foreign.id)).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(ada.post(&of(&world), with("owner", &world.project.id)).await.code(), "VALIDATION_ERROR");
        // An administrator who was lowered in a project gives nothing there that they have not.
        let dan = world.users.find_by_email(&"dan@example.com".parse().unwrap()).await.unwrap().unwrap();
        ada.put(&format!("/projects/{}/members/{}", world.project.id, dan.id), json!({"role": "viewer"})).await.ok();
        assert_eq!(dans.post(&of(&world), with("admin", &world.project.id)).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(dans.post(&of(&world), with("viewer", &world.project.id)).await.status, 201);
    }
}

#[actix_web::test]
async fn sending_again_makes_the_link_before_worthless() {
    for world in worlds().await {
        let (ada, anybody) = (signed_in(&world, "ada@example.com").await, nobody(&world));
        let made = ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let (first, one) = (mailed_token(&world, "bob@example.com").await, format!("{}/{}", of(&world), made["id"].as_str().unwrap()));
        world.clock.advance(Duration::from_secs(20));
        let early = ada.post(&format!("{one}/resend"), nothing()).await;
        assert_eq!((early.code(), early.error.as_ref().unwrap().retry_after), ("RATE_LIMIT_ERROR", Some(40)));
        world.clock.advance(Duration::from_secs(40));
        let sent = ada.post(&format!("{one}/resend"), nothing()).await.ok();
        assert_eq!(sent["sent_count"], 2);
        let second = mailed_token(&world, "bob@example.com").await;
        assert_ne!(first, second);
        assert_eq!(anybody.post("/invitations/validate", json!({"token": first})).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(anybody.post("/invitations/validate", json!({"token": second})).await.status, 200);

        assert_eq!(ada.delete(&one).await.ok(), nothing());
        assert_eq!(anybody.post("/invitations/validate", json!({"token": second})).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(ada.delete(&one).await.code(), "CONFLICT_ERROR");
        assert_eq!(ada.post(&format!("{one}/resend"), nothing()).await.code(), "CONFLICT_ERROR");
        assert_eq!(ada.post(&of(&world), invite("bob@example.com", "viewer")).await.code(), "RATE_LIMIT_ERROR", "nor faster this way");
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(ada.post(&of(&world), invite("bob@example.com", "viewer")).await.status, 201, "it can be done again");
    }
}

#[actix_web::test]
async fn an_invitation_ends_after_a_week_and_can_be_made_anew() {
    for world in worlds().await {
        signed_in(&world, "ada@example.com").await.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let token = mailed_token(&world, "bob@example.com").await;
        world.clock.advance(Duration::from_hours(7 * 24));
        assert_eq!(nobody(&world).post("/invitations/validate", json!({"token": token})).await.code(), "NOT_FOUND_ERROR");
        let ada = signed_in(&world, "ada@example.com").await;
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "status"), ["expired"]);
        let again = ada.post(&of(&world), invite("bob@example.com", "viewer")).await;
        assert_eq!(again.status, 201, "{again:?}");
        assert_eq!(ada.get(&format!("{}?status=expired", of(&world))).await.ok().as_array().unwrap().len(), 1);
        assert_eq!(ada.get(&format!("{}?status=pending", of(&world))).await.ok().as_array().unwrap().len(), 1);
    }
}

#[actix_web::test]
async fn an_invitation_is_turned_down() {
    for world in worlds().await {
        let (ada, anybody) = (signed_in(&world, "ada@example.com").await, nobody(&world));
        ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let token = json!({"token": mailed_token(&world, "bob@example.com").await});
        assert_eq!(anybody.post("/invitations/decline", token.clone()).await.ok(), nothing());
        assert_eq!(anybody.post("/invitations/decline", token.clone()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(anybody.post("/invitations/validate", token).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "status"), ["declined"]);
        assert_audited(&world, &["invitation.create", "invitation.decline"]).await;
    }
}

#[actix_web::test]
async fn from_their_list_people_decline_what_is_theirs() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let made = ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        for email in ["bob@example.com", "eve@example.com"] {
            world.somebody(email).await;
        }
        run(&world, PROVEN).await;
        let (bobs, eves) = (signed_in(&world, "bob@example.com").await, signed_in(&world, "eve@example.com").await);
        let path = format!("/invitations/{}/decline", made["id"].as_str().unwrap());
        assert_eq!(eves.post(&path, nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "status"), ["pending"]);
        assert_eq!(bobs.post(&path, nothing()).await.ok(), nothing());
        assert_eq!(bobs.get("/invitations").await.ok(), json!([]));
        assert_eq!(bobs.post(&path, nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(each(&ada.get(&of(&world)).await.ok(), "status"), ["declined"]);
        assert_audited(&world, &["invitation.create", "invitation.decline"]).await;
    }
}

#[actix_web::test]
async fn an_organisation_that_takes_nobody_in_has_no_open_invitations() {
    for world in worlds().await {
        let (ada, anybody) = (signed_in(&world, "ada@example.com").await, nobody(&world));
        ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let token = mailed_token(&world, "bob@example.com").await;
        world.somebody("bob@example.com").await;
        run(&world, PROVEN).await;
        let bobs = signed_in(&world, "bob@example.com").await;
        let open = world.invitations.find_open(&token).await.unwrap().unwrap();
        for change in ["archived_at", "deleted_at"] {
            run(&world, &format!("UPDATE organizations SET {change} = created_at")).await;
            assert_eq!(anybody.post("/invitations/validate", json!({"token": token})).await.code(), "NOT_FOUND_ERROR", "{change}");
            assert_eq!(bobs.post("/invitations/accept", json!({"token": token})).await.code(), "NOT_FOUND_ERROR", "{change}");
            assert_eq!(bobs.get("/invitations").await.ok(), json!([]), "{change}");
            let txn = world.db.begin().await.unwrap();
            let late = world.invitations.accept_for(&txn, &open, world.user.id, &By::system()).await;
            assert!(matches!(late, Err(Error::InvitationNotFound)), "{late:?}");
            drop(txn);
            run(&world, &format!("UPDATE organizations SET {change} = NULL")).await;
        }
        assert_eq!(bobs.post("/invitations/accept", json!({"token": token})).await.status, 200);
    }
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_does() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let token = mailed_token(&world, "bob@example.com").await;
        let open = world.invitations.find_open(&token).await.unwrap().unwrap();
        let (bob, bert) = (world.somebody("bob@example.com").await, world.somebody("bert@example.com").await);
        let accept = |user| {
            let (invitations, db, open) = (world.invitations.clone(), world.db.db.clone(), open.clone());
            tokio::spawn(async move {
                let txn = db.begin().await.unwrap();
                let accepted = invitations.accept_for(&txn, &open, user, &By::system()).await;
                if accepted.is_ok() {
                    txn.commit().await.unwrap();
                }
                accepted
            })
        };
        let (first, second) = tokio::join!(accept(bob.id), accept(bert.id));
        let outcomes = [first.unwrap(), second.unwrap()];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(Error::InvitationNotFound))), "{outcomes:?}");
        assert_eq!(world.organizations.members(world.organization.id).await.unwrap().len(), 2);
    }
}

#[actix_web::test]
async fn invitations_of_another_organisation_are_out_of_reach() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        let made = ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let eve = world.somebody("eve@example.com").await;
        let evil = world.organizations.create(&By::system(), eve.id, &"Evil".parse().unwrap()).await.unwrap().organization;
        let eves = signed_in(&world, "eve@example.com").await;
        let one = format!("/organizations/{}/invitations/{}", evil.id, made["id"].as_str().unwrap());
        assert_eq!(eves.delete(&one).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(eves.post(&format!("{one}/resend"), nothing()).await.code(), "NOT_FOUND_ERROR");
        assert_eq!(eves.get(&format!("/organizations/{}/invitations", evil.id)).await.ok(), json!([]));
    }
}

#[actix_web::test]
async fn nobody_comes_in_by_who_may_not_let_them_in_any_more() {
    for world in worlds().await {
        let dan = world.member("dan@example.com", "admin").await;
        let ada = signed_in(&world, "ada@example.com").await;
        let dans = signed_in(&world, "dan@example.com").await;
        let invite_two = async || {
            for (email, role) in [("high@example.com", "admin"), ("low@example.com", "viewer")] {
                assert_eq!(dans.post(&of(&world), invite(email, role)).await.status, 201, "{email}");
            }
        };
        let open = async || each(&ada.get(&format!("{}?status=pending", of(&world))).await.ok(), "email").len();
        let member = format!("/organizations/{}/members/{}", world.organization.id, dan.id);

        invite_two().await;
        ada.patch(&member, json!({"role": "developer"})).await.ok();
        assert_eq!(open().await, 1, "what he may still give stays");
        ada.patch(&member, json!({"role": "admin"})).await.ok();
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(dans.post(&of(&world), invite("high@example.com", "admin")).await.status, 201);
        let token = mailed_token(&world, "high@example.com").await;
        // Also where his rights went another way.
        run(&world, &format!("UPDATE organization_members SET role = 'developer' WHERE user_id = '{}'", dan.id)).await;
        world.somebody("high@example.com").await;
        let high = signed_in(&world, "high@example.com").await;
        assert_eq!(high.post("/invitations/accept", json!({"token": token})).await.code(), "NOT_FOUND_ERROR");
        ada.delete(&member).await.ok();
        assert_eq!(open().await, 0, "with him all he has made are gone");
        let done = [["invitation.create"; 3].as_slice(), &["invitation.revoke"; 2], &["member.remove"], &["member.update"; 2]].concat();
        assert_audited(&world, &done).await;
    }
}

#[actix_web::test]
async fn a_token_from_the_mail_proves_the_address_for_what_comes_later() {
    for world in worlds().await {
        let ada = signed_in(&world, "ada@example.com").await;
        ada.post(&of(&world), invite("bob@example.com", "viewer")).await.ok();
        let token = mailed_token(&world, "bob@example.com").await;
        world.somebody("bob@example.com").await;
        let bobs = signed_in(&world, "bob@example.com").await;
        bobs.post("/invitations/accept", json!({"token": token})).await.ok();
        let other = ada.post("/organizations", json!({"name": "Other"})).await.ok();
        ada.post(&format!("/organizations/{}/invitations", other["id"].as_str().unwrap()), invite("bob@example.com", "viewer")).await.ok();
        assert_eq!(each(&bobs.get("/invitations").await.ok(), "organization_name"), ["Other"]);
    }
}
