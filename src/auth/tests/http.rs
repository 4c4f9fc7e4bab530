//! The routes of identity and the extractors, through a real application without the outer middleware.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
use actix_web::{App, get};
use garde::Validate;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use crate::audit::By;
use crate::auth::key_scope::Ingest;
use crate::auth::permission::{ApiKeysCreate, TracesRead};
use crate::auth::testing::{PASSWORD, World};
use crate::auth::{Device, NewKey};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::http::envelope::Answer;
use crate::http::extract::{ApiKeyAuth, Json, Path, PlatformAdmin, ProjectAccess, Query};

#[get("/t/key")]
async fn t_with_key(key: ApiKeyAuth<Ingest>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({"project": key.project_id})))
}

#[get("/t/traces")]
async fn t_traces(access: ProjectAccess<TracesRead>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({"project": access.project_id, "role": access.role.name()})))
}

#[get("/t/projects/{project_id}/keys")]
async fn t_keys(access: ProjectAccess<ApiKeysCreate>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({"project": access.project_id})))
}

#[get("/t/admin")]
async fn t_admin(_admin: PlatformAdmin) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({})))
}

#[derive(Debug, Deserialize, Validate)]
struct Wanted {
    #[garde(range(min = 1, max = 100))]
    limit: u32,
}

#[get("/t/list/{number}")]
async fn t_list(_path: Path<u32>, query: Query<Wanted>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({"limit": query.limit})))
}

#[actix_web::post("/t/body")]
async fn t_body(body: Json<Wanted>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({"limit": body.into_inner().limit})))
}

/// Status, `error.code` or `data`, cookie.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) error: Option<ApiError>,
    pub(super) data: Value,
    pub(super) cookie: Option<Cookie<'static>>,
}

pub(super) async fn call(world: &World, request: TestRequest) -> Seen {
    let app = App::new()
        .into_utoipa_app()
        .map(|app| app.configure(|config| world.register(config)))
        .configure(crate::auth::http::routes)
        .configure(crate::user::http::routes)
        .configure(crate::enterprise::routes)
        .into_app()
        .service(t_with_key)
        .service(t_traces)
        .service(t_keys)
        .service(t_admin)
        .service(t_list)
        .service(t_body);
    let app = init_service(app).await;
    match try_call_service(&app, request.to_request()).await {
        Ok(response) => {
            let error = response.response().error().and_then(|error| error.as_error::<ApiError>()).cloned();
            let status = response.status();
            let cookie = response.response().cookies().next().map(Cookie::into_owned);
            let data = if error.is_none() { read_body_json::<Value, _>(response).await["data"].take() } else { Value::Null };
            Seen { status, error, data, cookie }
        }
        Err(error) => {
            let error = error.as_error::<ApiError>().cloned();
            Seen {
                status: error.as_ref().map_or(StatusCode::IM_A_TEAPOT, |error| error.code.status()),
                error,
                data: Value::Null,
                cookie: None,
            }
        }
    }
}

impl Seen {
    pub(super) fn code(&self) -> &str {
        self.error.as_ref().map_or("", |error| error.code.name())
    }
}

pub(super) fn login(email: &str, password: &str) -> TestRequest {
    TestRequest::post().uri("/api/v1/auth/login").set_json(json!({"email": email, "password": password}))
}

pub(super) async fn token(world: &World, email: &str) -> String {
    world.sessions.login(email, PASSWORD, Device::default()).await.unwrap().access_token
}

pub(super) fn get_as(token: &str, uri: &str) -> TestRequest {
    TestRequest::get().uri(uri).insert_header(("Authorization", format!("Bearer {token}")))
}

#[actix_web::test]
async fn login_refresh_me_logout() {
    let world = World::small().await;
    let seen = call(&world, login("ada@example.com", PASSWORD)).await;
    assert_eq!(seen.status, StatusCode::OK, "{:?}", seen.error);
    assert_eq!((seen.data["token_type"].as_str(), seen.data["expires_in"].as_u64()), (Some("Bearer"), Some(900)));
    assert_eq!(seen.data["user"]["email"], "ada@example.com");
    let cookie = seen.cookie.unwrap();
    assert_eq!((cookie.name(), cookie.path()), ("brokle_refresh", Some("/api/v1/auth/refresh")));
    assert_eq!((cookie.http_only(), cookie.secure(), cookie.same_site()), (Some(true), Some(true), Some(SameSite::Strict)));
    assert_eq!(cookie.max_age().map(Duration::whole_days), Some(7));
    assert!(!seen.data.to_string().contains(cookie.value()), "the refresh token is in the cookie only");

    let by_cookie = call(&world, TestRequest::post().uri("/api/v1/auth/refresh").cookie(cookie.clone())).await;
    assert_eq!(by_cookie.status, StatusCode::OK, "{:?}", by_cookie.error);
    let by_body = call(&world, TestRequest::post().uri("/api/v1/auth/refresh").set_json(json!({"refresh_token": cookie.value()}))).await;
    assert_eq!(by_body.cookie.unwrap().value(), by_cookie.cookie.unwrap().value());

    let access = by_body.data["access_token"].as_str().unwrap();
    let me = call(&world, get_as(access, "/api/v1/users/me")).await;
    insta::assert_json_snapshot!(me.data, {".**.id" => "[id]", ".default_organization_id" => "[id]", ".**.composite_slug" => "[slug and id]"}, @r#"
    {
      "id": "[id]",
      "email": "ada@example.com",
      "first_name": "Ada",
      "last_name": "Lovelace",
      "is_admin": false,
      "email_verified": true,
      "second_factor": false,
      "default_organization_id": "[id]",
      "created_at": "2027-01-15T08:00:00Z",
      "organizations": [
        {
          "id": "[id]",
          "name": "Acme",
          "slug": "acme",
          "composite_slug": "[slug and id]",
          "role": "owner",
          "created_at": "2027-01-15T08:00:00Z",
          "projects": [
            {
              "id": "[id]",
              "name": "Search",
              "slug": "search",
              "composite_slug": "[slug and id]",
              "role": "owner",
              "status": "active",
              "created_at": "2027-01-15T08:00:00Z"
            }
          ]
        }
      ]
    }
    "#);
    assert_eq!(me.data["organizations"][0]["composite_slug"], format!("acme-{}", world.organization.id.to_string().to_lowercase()));

    let out =
        call(&world, TestRequest::post().uri("/api/v1/auth/logout").insert_header(("Authorization", format!("Bearer {access}")))).await;
    assert_eq!((out.status, &out.data), (StatusCode::OK, &json!({})));
    assert_eq!(out.cookie.unwrap().max_age().map(Duration::whole_seconds), Some(0));
    assert_eq!(call(&world, get_as(access, "/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");
}

#[actix_web::test]
async fn wrong_sign_ins_have_clear_answers() {
    let world = World::small().await;
    let wrong = call(&world, login("ada@example.com", "wrong")).await;
    assert_eq!((wrong.code(), wrong.error.as_ref().unwrap().message.as_str()), ("UNAUTHORIZED_ERROR", "wrong e-mail or password"));
    let empty = call(&world, login("", "")).await;
    assert_eq!(empty.code(), "VALIDATION_ERROR");
    assert_eq!(
        empty
            .error
            .as_ref()
            .unwrap()
            .details
            .as_ref()
            .unwrap()
            .as_array()
            .unwrap()
            .iter()
            .map(|detail| &detail["field"])
            .collect::<Vec<_>>(),
        ["email", "password"]
    );
    for request in [
        TestRequest::post().uri("/api/v1/auth/refresh"),
        TestRequest::post().uri("/api/v1/auth/refresh").cookie(Cookie::new("brokle_refresh", "brt_x")),
    ] {
        assert_eq!(call(&world, request).await.code(), "REFRESH_EXPIRED");
    }
    assert_eq!(call(&world, TestRequest::get().uri("/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");
    assert_eq!(call(&world, get_as("nonsense", "/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");
}

#[actix_web::test]
async fn an_api_key_is_taken_from_both_headers() {
    let world = World::small().await;
    let (view, key) =
        world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::user(world.user.id, Origin::default())).await.unwrap();
    let key = key.expose();
    for header in [("X-API-Key", key.to_owned()), ("Authorization", format!("Bearer {key}")), ("authorization", format!("bearer {key}"))] {
        let seen = call(&world, TestRequest::get().uri("/t/key").insert_header(header)).await;
        assert_eq!(seen.data["project"], world.project.id.to_string());
    }
    let seen = call(&world, TestRequest::post().uri("/v1/auth/validate-key").insert_header(("X-API-Key", key)).set_json(json!({}))).await;
    assert_eq!(seen.data["valid"], true);
    assert_eq!(seen.data["auth_context"], json!({"user_id": world.user.id, "api_key_id": view.id}));
    assert_eq!((&seen.data["project_id"], &seen.data["organization_id"]), (&json!(world.project.id), &json!(world.organization.id)));
    assert_eq!(seen.data["api_key"]["key_preview"], view.key_preview);
    assert!(!seen.data.to_string().contains(key));
}

#[actix_web::test]
async fn missing_and_wrong_api_keys_have_clear_answers() {
    let world = World::small().await;
    let unknown = ("X-API-Key", format!("bk_{}", "x".repeat(40)));
    assert_eq!(call(&world, TestRequest::get().uri("/t/key")).await.code(), "UNAUTHORIZED_ERROR");
    assert_eq!(call(&world, TestRequest::get().uri("/t/key").insert_header(unknown.clone())).await.code(), "UNAUTHORIZED_ERROR");
    assert_eq!(call(&world, TestRequest::post().uri("/v1/auth/validate-key")).await.code(), "BAD_REQUEST_ERROR");
    assert_eq!(call(&world, TestRequest::post().uri("/v1/auth/validate-key").insert_header(unknown)).await.code(), "UNAUTHORIZED_ERROR");
    // An access token is no API key, and the other way round.
    let token = token(&world, "ada@example.com").await;
    assert_eq!(call(&world, get_as(&token, "/t/key")).await.code(), "UNAUTHORIZED_ERROR");
    let (_, key) = world.api_keys.create(NewKey::new(world.project.id, "CI"), &By::operator()).await.unwrap();
    assert_eq!(call(&world, get_as(key.expose(), "/api/v1/users/me")).await.code(), "UNAUTHORIZED_ERROR");
}

#[actix_web::test]
async fn a_project_is_reached_by_its_members_only() {
    let world = World::small().await;
    world.member("vic@example.com", "viewer").await;
    world.somebody("eve@example.com").await;
    let (ada, vic, eve) =
        (token(&world, "ada@example.com").await, token(&world, "vic@example.com").await, token(&world, "eve@example.com").await);
    let traces = format!("/t/traces?project_id={}", world.project.id);
    let keys = format!("/t/projects/{}/keys", world.project.id);
    assert_eq!(call(&world, get_as(&ada, &traces)).await.data["role"], "owner");
    assert_eq!(call(&world, get_as(&vic, &traces)).await.data["role"], "viewer");
    assert_eq!(call(&world, get_as(&ada, &keys)).await.status, StatusCode::OK);
    let forbidden = call(&world, get_as(&vic, &keys)).await;
    assert_eq!(
        (forbidden.code(), &forbidden.error.as_ref().unwrap().details),
        ("FORBIDDEN_ERROR", &Some(json!({"permission": "api-keys:create"})))
    );
    let foreign = call(&world, get_as(&eve, &traces)).await.error.unwrap();
    let missing =
        call(&world, get_as(&ada, &format!("/t/traces?project_id={}", crate::common::id::ProjectId::fresh()))).await.error.unwrap();
    assert_eq!((foreign.code.name(), foreign.message.as_str()), ("NOT_FOUND_ERROR", "project not found"));
    assert_eq!((foreign.code, foreign.message), (missing.code, missing.message));
    for uri in ["/t/traces", "/t/traces?project_id=", "/t/traces?project_id=nonsense"] {
        let wrong = call(&world, get_as(&ada, uri)).await;
        assert_eq!(
            (wrong.code(), &wrong.error.as_ref().unwrap().details.as_ref().unwrap()[0]["field"]),
            ("VALIDATION_ERROR", &json!("project_id")),
            "{uri}"
        );
    }
    // Who is not signed in learns nothing about what is missing.
    assert_eq!(call(&world, TestRequest::get().uri("/t/traces")).await.code(), "UNAUTHORIZED_ERROR");
}

#[actix_web::test]
async fn administrators_only() {
    use sea_orm::ConnectionTrait;
    let world = World::small().await;
    assert_eq!(call(&world, get_as(&token(&world, "ada@example.com").await, "/t/admin")).await.code(), "FORBIDDEN_ERROR");
    world.db.writer().execute_unprepared("UPDATE users SET is_admin = true").await.unwrap();
    let world = World { sessions: world.other_server().sessions, ..world };
    let admin = token(&world, "ada@example.com").await;
    assert_eq!(call(&world, get_as(&admin, "/t/admin")).await.status, StatusCode::OK);

    let status = call(&world, get_as(&admin, "/api/v1/enterprise/status")).await.data;
    assert_eq!(status["edition"], crate::enterprise::EDITION);
    for seam in ["sso", "rbac", "license", "compliance", "analytics"] {
        assert!(status[seam]["available"].is_boolean() && status[seam]["detail"].is_string(), "{seam}: {status}");
    }
    let license = call(&world, get_as(&admin, "/api/v1/enterprise/license")).await;
    if crate::enterprise::EDITION == "community" {
        assert_eq!((license.status, license.code()), (StatusCode::PAYMENT_REQUIRED, "ENTERPRISE_REQUIRED"));
    } else {
        assert_eq!((license.status, &license.data["state"]), (StatusCode::OK, &json!("missing")));
    }
}

#[actix_web::test]
async fn what_is_sent_wrong_is_named() {
    let world = World::small().await;
    let details = |seen: &Seen| seen.error.as_ref().and_then(|error| error.details.clone()).map(|details| details[0]["field"].clone());
    let get = |uri: &str| TestRequest::get().uri(uri);
    assert_eq!(call(&world, get("/t/list/1?limit=5")).await.data["limit"], 5);
    for (uri, field) in
        [("/t/list/1?limit=0", "limit"), ("/t/list/1", "limit"), ("/t/list/1?limit=many", "query"), ("/t/list/x?limit=5", "path")]
    {
        let seen = call(&world, get(uri)).await;
        assert_eq!((seen.code(), details(&seen)), ("VALIDATION_ERROR", Some(json!(field))), "{uri}");
    }
    let post = || TestRequest::post().uri("/t/body");
    assert_eq!(call(&world, post().set_json(json!({"limit": 5}))).await.data["limit"], 5);
    for (body, field) in [(json!({"limit": 101}), "limit"), (json!({}), "limit"), (json!({"limit": "5"}), "body")] {
        let seen = call(&world, post().set_json(body.clone())).await;
        assert_eq!((seen.code(), details(&seen)), ("VALIDATION_ERROR", Some(json!(field))), "{body}");
    }
    let raw = |kind: &'static str, text: &'static str| post().insert_header(("Content-Type", kind)).set_payload(text);
    assert_eq!(call(&world, raw("application/json", "{")).await.code(), "BAD_REQUEST_ERROR");
    assert_eq!(call(&world, raw("text/plain", "{}")).await.code(), "unsupported_media_type");
    let large = format!("{{\"limit\": 5, \"pad\": \"{}\"}}", "x".repeat(3 << 20));
    let seen = call(&world, post().insert_header(("Content-Type", "application/json")).set_payload(large)).await;
    assert_eq!(seen.code(), "payload_too_large");
}
