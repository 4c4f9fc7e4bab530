use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
use actix_web::{App, web};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use crate::administration::{OrganizationAdministration, UserAdministration};
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Device, Passwords};
use crate::common::id::UserId;
use crate::error::ApiError;

/// A world whose first person is an administrator, who is signed in.
struct Installation {
    world: World,
    token: String,
}

struct Seen {
    status: StatusCode,
    code: String,
    body: Value,
}

impl Installation {
    async fn of(world: World) -> Self {
        execute(&world, "UPDATE users SET is_admin = true").await;
        let token = token(&world, "ada@example.com").await.unwrap();
        Self { world, token }
    }

    async fn call_as(&self, token: &str, request: TestRequest) -> Seen {
        let world = &self.world;
        let (db, clock, audit) = (world.db.db.clone(), world.clock.clone(), world.audit.clone());
        let users = UserAdministration::new(
            db.clone(),
            clock.clone(),
            audit.clone(),
            world.users.clone(),
            world.sessions.clone(),
            world.accounts.clone(),
            Passwords::new(),
        );
        let app = App::new()
            .into_utoipa_app()
            .map(|app| app.configure(|config| world.register(config)))
            .configure(crate::administration::http::routes)
            .into_app()
            .app_data(web::Data::new(OrganizationAdministration::new(db.clone(), world.organizations.clone())))
            .app_data(web::Data::new(users));
        let app = init_service(app).await;
        let request = request.insert_header(("Authorization", format!("Bearer {token}"))).to_request();
        let response = try_call_service(&app, request).await.unwrap();
        let status = response.status();
        let error = response.response().error().and_then(|error| error.as_error::<ApiError>()).map(|error| error.code.name().to_owned());
        let body = if error.is_none() { read_body_json(response).await } else { Value::Null };
        Seen { status, code: error.unwrap_or_default(), body }
    }

    async fn call(&self, request: TestRequest) -> Seen {
        self.call_as(&self.token, request).await
    }

    async fn get(&self, path: &str) -> Value {
        let seen = self.call(TestRequest::get().uri(path)).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.code);
        seen.body
    }

    async fn patch(&self, user: UserId, change: Value) -> Seen {
        self.call(TestRequest::patch().uri(&format!("/api/v1/admin/users/{user}")).set_json(change)).await
    }

    async fn post(&self, user: UserId, verb: &str) -> Seen {
        self.call(TestRequest::post().uri(&format!("/api/v1/admin/users/{user}/{verb}"))).await
    }
}

async fn token(world: &World, email: &str) -> Option<String> {
    world.sessions.login(email, PASSWORD, Device::default()).await.ok().map(|session| session.access_token)
}

async fn execute(world: &World, statement: &str) {
    world.db.writer().execute_unprepared(statement).await.unwrap();
}

async fn count(world: &World, what: &str) -> i64 {
    let statement = Statement::from_string(world.db.writer().get_database_backend(), format!("SELECT COUNT(*) FROM {what}"));
    world.db.writer().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

fn emails(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn administrators_only() {
    let installation = Installation::of(World::small().await).await;
    let owner = installation.world.member("bob@example.com", "owner").await;
    let token = token(&installation.world, "bob@example.com").await.unwrap();
    let (user, organization) = (owner.id, installation.world.organization.id);
    let get = |path: &str| TestRequest::get().uri(path);
    let post = |path: &str| TestRequest::post().uri(path);
    let requests = [
        get("/api/v1/admin/users"),
        post("/api/v1/admin/users").set_json(json!({"email": "new@example.com"})),
        TestRequest::patch().uri(&format!("/api/v1/admin/users/{user}")).set_json(json!({"is_admin": true})),
        post(&format!("/api/v1/admin/users/{user}/revoke-sessions")),
        post(&format!("/api/v1/admin/users/{user}/unlock")),
        post(&format!("/api/v1/admin/users/{user}/reset-second-factor")),
        get("/api/v1/admin/organizations"),
        post(&format!("/api/v1/admin/organizations/{organization}/restore")),
        get("/api/v1/admin/settings"),
        TestRequest::put().uri("/api/v1/admin/settings/sign_up.mode").set_json(json!({"value": "open"})),
        TestRequest::delete().uri("/api/v1/admin/settings/sign_up.mode"),
        get("/api/v1/admin/settings/sign_up.mode/history"),
        get("/api/v1/admin/audit-logs"),
    ];
    for (index, request) in requests.into_iter().enumerate() {
        let seen = installation.call_as(&token, request).await;
        assert_eq!((seen.status, seen.code.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN_ERROR"), "request {index}");
    }
    assert_eq!(count(&installation.world, "audit_logs WHERE outcome = 'success' AND action <> 'user.sign_in'").await, 0);
}

#[actix_web::test]
async fn people_are_listed_searched_and_paged() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let world = &installation.world;
        for email in ["bob@example.com", "c_c@example.com", "cxc@example.com"] {
            world.somebody(email).await;
        }
        let all = installation.get("/api/v1/admin/users").await;
        assert_eq!(emails(&all), ["cxc@example.com", "c_c@example.com", "bob@example.com", "ada@example.com"]);
        let ada = &all["data"][3];
        assert_eq!(
            (&ada["is_admin"], &ada["status"], &ada["organization_count"], &ada["second_factor"], &ada["locked_until"]),
            (&json!(true), &json!("active"), &json!(1), &json!(false), &Value::Null)
        );
        assert!(ada["last_login_at"].is_string() && !all.to_string().contains("argon2"));
        for (search, found) in
            [("BOB@", 1), ("c_c", 1), ("c%25c", 0), ("lovelace", 4), ("Ada%20Love", 4), ("example.com", 4), ("nobody", 0)]
        {
            let list = installation.get(&format!("/api/v1/admin/users?search={search}")).await;
            assert_eq!(emails(&list).len(), found, "{search}");
        }
        assert_eq!(emails(&installation.get("/api/v1/admin/users?status=suspended").await).len(), 0);
        let first = installation.get("/api/v1/admin/users?limit=3").await;
        let pagination = &first["meta"]["pagination"];
        assert_eq!((emails(&first).len(), &pagination["limit"], &pagination["has_next"]), (3, &json!(3), &json!(true)));
        let next = installation.get(&format!("/api/v1/admin/users?limit=3&cursor={}", pagination["next_cursor"].as_str().unwrap())).await;
        assert_eq!((emails(&next), &next["meta"]["pagination"]["next_cursor"]), (vec!["ada@example.com"], &Value::Null));
        for wrong in ["limit=0", "limit=101", "cursor=nonsense", "status=gone"] {
            let seen = installation.call(TestRequest::get().uri(&format!("/api/v1/admin/users?{wrong}"))).await;
            assert_eq!(seen.code, "VALIDATION_ERROR", "{wrong}");
        }
    }
}

#[actix_web::test]
async fn people_are_added_with_an_address_that_is_vouched_for() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let add = |body: Value| installation.call(TestRequest::post().uri("/api/v1/admin/users").set_json(body));
        let seen = add(json!({"email": " Bob@Example.com ", "first_name": "Bob", "password": PASSWORD})).await;
        let user = &seen.body["data"]["user"];
        assert_eq!((seen.status, &user["email"], &user["email_verified"]), (StatusCode::CREATED, &json!("bob@example.com"), &json!(true)));
        assert!(token(&installation.world, "bob@example.com").await.is_some());
        let seen = add(json!({"email": "eve@example.com", "is_admin": true})).await;
        assert_eq!((seen.status, &seen.body["data"]["user"]["is_admin"]), (StatusCode::CREATED, &json!(true)));
        assert!(token(&installation.world, "eve@example.com").await.is_none(), "there is no password");
        assert_eq!(add(json!({"email": "BOB@example.com"})).await.code, "CONFLICT_ERROR");
        for wrong in [json!({"email": "nobody"}), json!({"email": "x@example.com", "password": "short"}), json!({"mail": "x@example.com"})]
        {
            assert_eq!(add(wrong.clone()).await.code, "VALIDATION_ERROR", "{wrong}");
        }
        let log = installation.get("/api/v1/admin/audit-logs").await;
        let lines: Vec<_> = log["data"].as_array().unwrap().iter().filter(|line| line["action"] != "user.sign_in").collect();
        let lines: Vec<_> = lines.iter().map(|line| (&line["action"], &line["target_name"], &line["actor_email"])).collect();
        let (action, ada) = (json!("user.create"), json!("ada@example.com"));
        assert_eq!(lines, [(&action, &json!("eve@example.com"), &ada), (&action, &json!("bob@example.com"), &ada)]);
        assert!(!log.to_string().contains(PASSWORD));
    }
}

#[actix_web::test]
async fn a_suspension_ends_everything_at_once() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let world = &installation.world;
        let bob = world.member("bob@example.com", "viewer").await;
        let bobs = token(world, "bob@example.com").await.unwrap();
        assert!(world.sessions.authenticate_access(&bobs).await.is_ok());
        let mut revocations = world.revocations();
        let seen = installation.patch(bob.id, json!({"status": "suspended"})).await;
        assert_eq!((seen.status, &seen.body["data"]["status"]), (StatusCode::OK, &json!("suspended")));
        assert!(world.sessions.authenticate_access(&bobs).await.is_err());
        assert_eq!(revocations.take(), Some(crate::auth::Revoked::User(bob.id)), "the other servers are told");
        assert!(token(world, "bob@example.com").await.is_none());
        assert_eq!(emails(&installation.get("/api/v1/admin/users?status=suspended").await), ["bob@example.com"]);
        assert_eq!(installation.patch(bob.id, json!({"status": "suspended"})).await.status, StatusCode::OK, "again changes nothing");
        assert_eq!(installation.patch(bob.id, json!({"status": "active"})).await.body["data"]["status"], "active");
        assert!(token(world, "bob@example.com").await.is_some());
        assert!(world.sessions.authenticate_access(&bobs).await.is_err(), "what has ended stays so");
        let log = installation.get("/api/v1/admin/audit-logs").await;
        let lines: Vec<_> = log["data"].as_array().unwrap().iter().filter(|line| line["action"] != "user.sign_in").collect();
        let lines: Vec<_> = lines.iter().map(|line| (line["action"].as_str().unwrap(), &line["after"]["status"])).collect();
        assert_eq!(lines, [("user.reinstate", &json!("active")), ("user.suspend", &json!("suspended"))]);
    }
}

#[actix_web::test]
async fn nobody_locks_everybody_out() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let ada = installation.world.user.id;
        for change in [json!({"status": "suspended"}), json!({"is_admin": false})] {
            assert_eq!(installation.patch(ada, change).await.code, "CONFLICT_ERROR");
        }
        let bob = installation.world.somebody("bob@example.com").await;
        assert_eq!(installation.patch(bob.id, json!({"is_admin": true})).await.body["data"]["is_admin"], true);
        let bobs = token(&installation.world, "bob@example.com").await.unwrap();
        // Each removes the other at the same moment: one is too late.
        let change = |user: UserId| TestRequest::patch().uri(&format!("/api/v1/admin/users/{user}")).set_json(json!({"is_admin": false}));
        let (first, second) = tokio::join!(installation.call(change(bob.id)), installation.call_as(&bobs, change(ada)));
        let statuses = [first.status, second.status];
        assert!(
            statuses.contains(&StatusCode::OK) && statuses.iter().filter(|status| **status == StatusCode::OK).count() == 1,
            "{statuses:?}"
        );
        assert_eq!(count(&installation.world, "users WHERE is_admin").await, 1);
    }
}

#[actix_web::test]
async fn a_right_taken_away_is_gone_at_once() {
    let installation = Installation::of(World::small().await).await;
    let bob = installation.world.somebody("bob@example.com").await;
    let bobs = token(&installation.world, "bob@example.com").await.unwrap();
    let list = || TestRequest::get().uri("/api/v1/admin/users");
    for (admin, status) in [(true, StatusCode::OK), (false, StatusCode::FORBIDDEN)] {
        installation.call_as(&bobs, list()).await;
        assert_eq!(installation.patch(bob.id, json!({"is_admin": admin})).await.status, StatusCode::OK);
        assert_eq!(installation.call_as(&bobs, list()).await.status, status);
    }
}

#[actix_web::test]
async fn sessions_locks_and_second_factors_are_taken_away() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let world = &installation.world;
        let bob = world.somebody("bob@example.com").await;
        let (one, other) = (token(world, "bob@example.com").await.unwrap(), token(world, "bob@example.com").await.unwrap());
        assert_eq!(installation.post(bob.id, "revoke-sessions").await.body["data"], json!({"ended": 2}));
        for token in [one, other] {
            assert!(world.sessions.authenticate_access(&token).await.is_err());
        }
        let subject = crate::auth::account_subject("BOB@example.com");
        assert_eq!(subject, "a:5ff860bf1190596c7188ab851db691f0");
        let at = format!("{}203.0.113.7", crate::auth::at_prefix("BOB@example.com"));
        let lock = |subject: &str, until: &str| {
            format!(
                "INSERT INTO login_attempts (subject, drained_ms, last_failure_at, locked_until) VALUES ('{subject}', 9, '{until}', '{until}')"
            )
        };
        // The clock of this world stands in January 2027.
        let others = at.replace("5ff8", "0000");
        execute(world, &lock(&others, "2027-02-03 00:00:00+00:00")).await;
        let locked = async || installation.get("/api/v1/admin/users?search=bob").await["data"][0]["locked_until"].clone();
        assert_eq!(locked().await, Value::Null, "somebody else is");
        execute(world, &lock(&subject, "2027-02-01 00:00:00+00:00")).await;
        assert!(locked().await.as_str().unwrap().starts_with("2027-02-01"));
        execute(world, &lock(&at, "2027-02-02 00:00:00+00:00")).await;
        assert!(locked().await.as_str().unwrap().starts_with("2027-02-02"), "at one address");
        assert_eq!(installation.post(bob.id, "unlock").await.status, StatusCode::OK);
        assert_eq!(locked().await, Value::Null);
        assert_eq!(count(world, "login_attempts WHERE subject NOT LIKE 'k:%'").await, 1, "only theirs");
        execute(world, &lock(&subject, "2027-01-01 00:00:00+00:00")).await;
        assert_eq!(locked().await, Value::Null, "it is over");

        let id = crate::common::id::RecoveryCodeId::fresh();
        let time = "'2027-01-01 00:00:00+00:00'";
        for (user, code) in [(bob.id, id), (world.user.id, crate::common::id::RecoveryCodeId::fresh())] {
            execute(world, &format!("INSERT INTO user_second_factors (user_id, sealed_secret, enabled_at, created_at, updated_at) VALUES ('{user}', 'x', {time}, {time}, {time})")).await;
            execute(
                world,
                &format!("INSERT INTO user_recovery_codes (id, user_id, code_hash, created_at) VALUES ('{code}', '{user}', 'x', {time})"),
            )
            .await;
        }
        assert_eq!(installation.get("/api/v1/admin/users?search=bob").await["data"][0]["second_factor"], true);
        assert_eq!(installation.post(bob.id, "reset-second-factor").await.status, StatusCode::OK);
        assert_eq!(installation.get("/api/v1/admin/users?search=bob").await["data"][0]["second_factor"], false);
        assert_eq!((count(world, "user_second_factors").await, count(world, "user_recovery_codes").await), (1, 1), "only theirs");
        assert_eq!(count(world, "mail_outbox WHERE recipient = 'bob@example.com' AND template = 'second_factor_changed'").await, 1, "told");
        assert_eq!(installation.post(world.user.id, "reset-second-factor").await.code, "CONFLICT_ERROR", "one's own takes a code");
        assert_eq!(count(world, "user_second_factors").await, 1);
        for verb in ["revoke-sessions", "unlock", "reset-second-factor"] {
            assert_eq!(installation.post(UserId::fresh(), verb).await.code, "NOT_FOUND_ERROR", "{verb}");
        }
        assert_eq!(count(world, "audit_logs WHERE target_type = 'user' AND organization_id IS NULL AND action <> 'user.sign_in'").await, 3);
    }
}

#[actix_web::test]
async fn organisations_are_counted_and_restored_but_not_looked_into() {
    for world in worlds().await {
        let installation = Installation::of(world).await;
        let world = &installation.world;
        world.member("bob@example.com", "owner").await;
        world.member("vic@example.com", "viewer").await;
        let list = installation.get("/api/v1/admin/organizations").await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(list["data"], {"[].id" => "[id]"}, @r#"
            [
              {
                "id": "[id]",
                "name": "Acme",
                "status": "active",
                "member_count": 3,
                "project_count": 1,
                "owner_emails": [
                  "ada@example.com",
                  "bob@example.com"
                ],
                "created_at": "2027-01-15T08:00:00Z",
                "deleted_at": null
              }
            ]
            "#);
        }
        let restore = || TestRequest::post().uri(&format!("/api/v1/admin/organizations/{}/restore", world.organization.id));
        assert_eq!(installation.call(restore()).await.code, "NOT_FOUND_ERROR", "it is not deleted");
        execute(world, "UPDATE organizations SET deleted_at = created_at, archived_at = created_at, status = 'deleted'").await;
        for (query, found) in [("status=deleted", 1), ("status=active", 0), ("status=archived", 0), ("search=ACM", 1), ("search=x", 0)] {
            let list = installation.get(&format!("/api/v1/admin/organizations?{query}")).await;
            assert_eq!(list["data"].as_array().unwrap().len(), found, "{query}");
        }
        let seen = installation.call(restore()).await;
        assert_eq!((seen.status, &seen.body["data"]["status"]), (StatusCode::OK, &json!("archived")), "as it was before");
        assert_eq!(count(world, "organizations WHERE deleted_at IS NULL AND status = 'archived'").await, 1);
        assert_eq!(
            count(world, &format!("audit_logs WHERE action = 'organization.restore' AND organization_id = '{}'", world.organization.id))
                .await,
            1
        );
    }
}

#[actix_web::test]
async fn the_installation_has_settings() {
    let installation = Installation::of(World::small().await).await;
    let put = |value: Value| installation.call(TestRequest::put().uri("/api/v1/admin/settings/sign_up.mode").set_json(value));
    assert_eq!(installation.get("/api/v1/admin/settings").await["data"][0]["value"], "invitation");
    let seen = put(json!({"value": "open", "version": 0})).await;
    assert_eq!((seen.status, &seen.body["data"]["value"], &seen.body["data"]["version"]), (StatusCode::OK, &json!("open"), &json!(1)));
    assert_eq!(put(json!({"value": "closed", "version": 0})).await.code, "CONFLICT_ERROR");
    assert_eq!(put(json!({"value": "ajar"})).await.code, "VALIDATION_ERROR");
    let reset = installation.call(TestRequest::delete().uri("/api/v1/admin/settings/sign_up.mode")).await;
    assert_eq!(reset.body["data"]["source"], "default");
    let history = installation.get("/api/v1/admin/settings/sign_up.mode/history").await;
    assert_eq!(history["data"].as_array().unwrap().len(), 2);
    assert_eq!(installation.call(TestRequest::get().uri("/api/v1/admin/settings/no.such/history")).await.code, "NOT_FOUND_ERROR");
}
