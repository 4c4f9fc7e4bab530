//! The routes of accounts: their answers as people and pages see them.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::http::{Seen, call, get_as, login, token as access};
use super::support::{set, templates, token};
use crate::auth::testing::{PASSWORD, World, worlds};

const ADA: &str = "ada@example.com";

fn post(path: &str, body: Value) -> TestRequest {
    TestRequest::post().uri(&format!("/api/v1/{path}")).set_json(body)
}

fn post_as(token: &str, path: &str, body: Value) -> TestRequest {
    post(path, body).insert_header(("Authorization", format!("Bearer {token}")))
}

fn field(seen: &Seen) -> String {
    let details = seen.error.as_ref().and_then(|error| error.details.clone()).unwrap_or_default();
    details[0]["field"].as_str().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn the_pages_of_signing_in_learn_what_is_possible() {
    let world = World::small().await;
    let seen = call(&world, TestRequest::get().uri("/api/v1/auth/options")).await;
    assert_eq!(seen.data, json!({"sign_up": "invitation", "mail": false, "password": {"min_length": 8, "max_length": 512}}));
}

#[actix_web::test]
async fn signing_up_answers_alike_for_free_and_taken_addresses() {
    for world in worlds().await {
        let body =
            |email: &str| json!({"email": email, "password": PASSWORD, "first_name": "B", "last_name": "B", "organization_name": "Mine"});
        assert_eq!(call(&world, post("auth/signup", body(ADA))).await.code(), "FORBIDDEN_ERROR");
        assert_eq!(call(&world, post("auth/signup", body("bob@example.com"))).await.code(), "FORBIDDEN_ERROR");
        set(&world, "sign_up.mode", "\"open\"").await;
        for email in [ADA, "bob@example.com"] {
            let seen = call(&world, post("auth/signup", body(email))).await;
            assert_eq!(
                (seen.status, seen.data.clone()),
                (StatusCode::CREATED, json!({"status": "verification_sent", "session": null})),
                "{:?}",
                seen.error
            );
            assert!(seen.cookie.is_none());
        }
        assert_eq!(
            (templates(&world, ADA).await, templates(&world, "bob@example.com").await),
            (vec!["already_registered".to_owned()], vec!["verify_email".to_owned()])
        );
        let weak =
            call(&world, post("auth/signup", json!({"email": "c@example.com", "password": "12345678", "first_name": "", "last_name": ""})))
                .await;
        assert_eq!((weak.code(), field(&weak).as_str()), ("VALIDATION_ERROR", "password"));
        let wrong =
            call(&world, post("auth/signup", json!({"email": "nonsense", "password": PASSWORD, "first_name": "", "last_name": ""}))).await;
        assert_eq!((wrong.code(), field(&wrong).as_str()), ("VALIDATION_ERROR", "email"));
        let invited = json!({"email": "c@example.com", "password": PASSWORD, "first_name": "", "last_name": "", "invitation_token": "x"});
        let invited = call(&world, post("auth/signup", invited)).await;
        assert_eq!((invited.code(), field(&invited).as_str()), ("VALIDATION_ERROR", "invitation_token"));

        let unverified = call(&world, login("bob@example.com", PASSWORD)).await;
        assert_eq!(unverified.status, StatusCode::FORBIDDEN);
        assert_eq!(unverified.error.unwrap().details, Some(json!({"reason": "email_not_verified"})));
        let proof = json!({"token": token(&world, "verify-email").await});
        assert_eq!(call(&world, post("auth/verify-email", proof.clone())).await.data, json!({}));
        let again = call(&world, post("auth/verify-email", proof)).await;
        assert_eq!((again.code(), field(&again).as_str()), ("VALIDATION_ERROR", "token"));
        assert_eq!(call(&world, login("bob@example.com", PASSWORD)).await.status, StatusCode::OK);
    }
}

#[actix_web::test]
async fn what_says_nothing_says_nothing() {
    let world = World::small().await;
    for path in ["auth/forgot-password", "auth/resend-verification"] {
        for email in [ADA, "nobody@example.com", "not an address"] {
            let seen = call(&world, post(path, json!({"email": email}))).await;
            assert_eq!((seen.status, seen.data), (StatusCode::OK, json!({})), "{path} {email}");
        }
    }
    let reset = token(&world, "reset-password").await;
    let weak = call(&world, post("auth/reset-password", json!({"token": reset, "new_password": "password"}))).await;
    assert_eq!((weak.code(), field(&weak).as_str()), ("VALIDATION_ERROR", "new_password"));
    let good = call(&world, post("auth/reset-password", json!({"token": reset, "new_password": "another good password"}))).await;
    assert_eq!((good.status, good.data), (StatusCode::OK, json!({})));
    assert_eq!(call(&world, login(ADA, "another good password")).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn too_many_failures_are_told_when_to_come_back() {
    let world = World::small().await;
    for email in [ADA, "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(call(&world, login(email, "wrong password")).await.code(), "UNAUTHORIZED_ERROR");
        }
        let seen = call(&world, login(email, "wrong password")).await;
        assert_eq!((seen.status, seen.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMIT_ERROR"));
        assert_eq!(seen.error.unwrap().retry_after, Some(1));
    }
}

#[actix_web::test]
async fn the_second_factor_over_http() {
    let world = World::small().await;
    let ada = access(&world, ADA).await;
    let status = async |token: &str| call(&world, get_as(token, "/api/v1/auth/second-factor")).await.data;
    assert_eq!(status(&ada).await, json!({"enabled": false, "enabled_at": null, "recovery_codes_left": 0}));
    let wrong = call(&world, post_as(&ada, "auth/second-factor/setup", json!({"password": "wrong password"}))).await;
    assert_eq!((wrong.code(), field(&wrong).as_str()), ("VALIDATION_ERROR", "password"));
    let setup = call(&world, post_as(&ada, "auth/second-factor/setup", json!({"password": PASSWORD}))).await;
    let secret = setup.data["secret"].as_str().unwrap();
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::try_from_base32(secret).unwrap()).build().unwrap();
    let code = || totp.generate(u64::try_from(crate::common::clock::Clock::now(&*world.clock).timestamp()).unwrap()).to_string();
    let wrong = call(&world, post_as(&ada, "auth/second-factor/enable", json!({"code": "12345"}))).await;
    assert_eq!((wrong.code(), field(&wrong).as_str()), ("VALIDATION_ERROR", "code"));
    let enabled = call(&world, post_as(&ada, "auth/second-factor/enable", json!({"code": code()}))).await;
    let recovery = enabled.data["recovery_codes"].as_array().unwrap().clone();
    assert_eq!((status(&ada).await["enabled"].clone(), status(&ada).await["recovery_codes_left"].clone()), (json!(true), json!(10)));
    assert_eq!(call(&world, get_as(&ada, "/api/v1/users/me")).await.data["second_factor"], true);

    let asked = call(&world, login(ADA, PASSWORD)).await;
    assert_eq!((asked.status, asked.code()), (StatusCode::UNAUTHORIZED, "SECOND_FACTOR_REQUIRED"));
    assert!(asked.cookie.is_none());
    let details = asked.error.unwrap().details.unwrap();
    assert_eq!(details["expires_in"], 300);
    let challenge = details["challenge"].as_str().unwrap();
    let complete = |body: Value| {
        let mut body = body;
        body["challenge"] = challenge.into();
        post("auth/second-factor", body)
    };
    assert_eq!(field(&call(&world, complete(json!({}))).await), "code");
    assert_eq!(field(&call(&world, complete(json!({"code": "123456", "recovery_code": "x"}))).await), "code");
    let used = call(&world, complete(json!({"code": code()}))).await;
    assert_eq!((used.status, used.code()), (StatusCode::UNAUTHORIZED, "UNAUTHORIZED_ERROR"));
    let seen = call(&world, complete(json!({"recovery_code": recovery[0]}))).await;
    assert_eq!((seen.status, seen.data["token_type"].as_str()), (StatusCode::OK, Some("Bearer")));
    assert_eq!(seen.cookie.unwrap().name(), "brokle_refresh");
    assert_eq!(call(&world, get_as(challenge, "/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");

    world.clock.advance(std::time::Duration::from_secs(30));
    let replaced = call(&world, post_as(&ada, "auth/second-factor/recovery-codes", json!({"password": PASSWORD, "code": code()}))).await;
    assert_eq!(replaced.data["recovery_codes"].as_array().map(Vec::len), Some(10));
    let off = json!({"password": PASSWORD, "recovery_code": replaced.data["recovery_codes"][0]});
    assert_eq!(call(&world, post_as(&ada, "auth/second-factor/disable", off.clone())).await.data, json!({}));
    assert_eq!(call(&world, post_as(&ada, "auth/second-factor/disable", off)).await.code(), "CONFLICT_ERROR");
    assert_eq!(call(&world, login(ADA, PASSWORD)).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn sessions_are_listed_and_ended() {
    let world = World::small().await;
    let (here, there) = (access(&world, ADA).await, access(&world, ADA).await);
    world.somebody("eve@example.com").await;
    let eve = access(&world, "eve@example.com").await;
    let listed = call(&world, get_as(&here, "/api/v1/auth/sessions")).await.data;
    let current: Vec<_> = listed.as_array().unwrap().iter().filter(|session| session["current"] == true).collect();
    assert_eq!((listed.as_array().unwrap().len(), current.len()), (2, 1));
    let id = current[0]["id"].as_str().unwrap();
    let revoke = |token: &str| post_as(token, &format!("auth/sessions/{id}/revoke"), json!({}));
    assert_eq!(call(&world, revoke(&eve)).await.code(), "NOT_FOUND_ERROR");
    assert_eq!(call(&world, post_as(&eve, "auth/sessions/nonsense/revoke", json!({}))).await.code(), "VALIDATION_ERROR");
    assert_eq!(call(&world, revoke(&there)).await.data, json!({}));
    assert_eq!(call(&world, get_as(&here, "/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");
    let again = access(&world, ADA).await;
    assert_eq!(call(&world, post_as(&again, "auth/sessions/revoke-all", json!({}))).await.data, json!({"ended": 1}));
    let out = call(&world, post_as(&again, "auth/logout-all", json!({}))).await;
    assert_eq!(
        (out.data, out.cookie.unwrap().max_age().map(actix_web::cookie::time::Duration::whole_seconds)),
        (json!({"ended": 1}), Some(0))
    );
    for path in ["auth/sessions/revoke-all", "auth/logout-all", "auth/second-factor/setup", "users/me/password"] {
        assert_eq!(call(&world, post(path, json!({}))).await.code(), "UNAUTHORIZED_ERROR", "{path}");
    }
}

#[actix_web::test]
async fn a_profile_is_changed_by_its_owner() {
    for world in worlds().await {
        let ada = access(&world, ADA).await;
        let as_ada = |request: TestRequest| request.insert_header(("Authorization", format!("Bearer {ada}")));
        let patch = |body: Value| as_ada(TestRequest::patch().uri("/api/v1/users/me").set_json(body));
        let seen = call(&world, patch(json!({"first_name": " Augusta "}))).await;
        assert_eq!((seen.data["first_name"].as_str(), seen.data["last_name"].as_str()), (Some("Augusta"), Some("Lovelace")));
        assert_eq!(call(&world, patch(json!({}))).await.data["first_name"], "Augusta");
        assert_eq!(field(&call(&world, patch(json!({"last_name": "x".repeat(101)}))).await), "last_name");
        let put =
            |id: String| as_ada(TestRequest::put().uri("/api/v1/users/me/default-organization").set_json(json!({"organization_id": id})));
        let own = world.organization.id.to_string();
        assert_eq!(call(&world, put(own.clone())).await.data, json!({}));
        assert_eq!(call(&world, get_as(&ada, "/api/v1/users/me")).await.data["default_organization_id"], own);
        let foreign = world.directory.create_organization(world.db.writer(), &"Other".parse().unwrap()).await.unwrap();
        for id in [foreign.id.to_string(), crate::common::id::OrganizationId::fresh().to_string()] {
            assert_eq!(call(&world, put(id)).await.code(), "NOT_FOUND_ERROR");
        }
        let log = super::support::log(&world).await;
        assert_eq!(log.iter().filter(|line| **line == "user user.update success ada").count(), 2, "{log:?}");

        let change =
            |current: &str, new: &str| post_as(&ada, "users/me/password", json!({"current_password": current, "new_password": new}));
        assert_eq!(field(&call(&world, change("wrong password", "another good password")).await), "current_password");
        assert_eq!(field(&call(&world, change(PASSWORD, "password1")).await), "new_password");
        assert_eq!(call(&world, change(PASSWORD, "another good password")).await.data, json!({}));
        assert_eq!(call(&world, login(ADA, "another good password")).await.status, StatusCode::OK);
    }
}
