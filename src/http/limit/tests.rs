use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, body, get, post, web};
use async_trait::async_trait;
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use super::{Kind, Limits, by_address, limit};
use crate::audit::By;
use crate::auth::key_scope::Ingest;
use crate::auth::permission::TracesRead;
use crate::auth::testing::{PASSWORD, World, config};
use crate::auth::{Device, NewKey, SecretKey};
use crate::config;
use crate::error::ApiError;
use crate::http::envelope::Answer;
use crate::http::extract::{ApiKeyAuth, ProjectAccess};
use crate::http::middleware::surround;
use crate::http::proxies::TrustedProxies;
use crate::infra::bus::Bus;
use crate::infra::metrics::Metrics;
use crate::infra::rate_limit::{InProcess, RateLimiter, Subject, Unavailable, Verdict, Window};
use crate::settings::{Scope, Settings};

#[post("/v1/traces")]
async fn t_traces(_key: ApiKeyAuth<Ingest>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({})))
}

#[get("/api/v1/t/project")]
async fn t_project(_access: ProjectAccess<TracesRead>) -> Result<Answer<Value>, ApiError> {
    Ok(Answer::ok(json!({})))
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl RateLimiter for Broken {
    async fn hit(&self, _: Subject, _: u32) -> Result<Verdict, Unavailable> {
        Err(Unavailable("away".to_owned()))
    }
}

/// A world with limits.
struct Limited {
    world: World,
    settings: Settings,
    limits: Limits,
    metrics: Metrics,
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<u32> {
        self.headers.get(name).map(|value| value.to_str().unwrap().parse().unwrap())
    }

    /// Limit, what remains, seconds.
    fn left(&self) -> Option<(u32, u32, u32)> {
        Some((self.header("ratelimit-limit")?, self.header("ratelimit-remaining")?, self.header("ratelimit-reset")?))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn small() -> config::RateLimit {
    config::RateLimit { per_ip: 4, auth_per_ip: 2, per_user: 3, per_key: 3, ..config().rate_limit }
}

impl Limited {
    async fn new(config: config::RateLimit) -> Self {
        let world = World::small().await;
        let limiter = InProcess::new(Window::new(Duration::from_secs(config.window_seconds)), world.clock.clone());
        Self::with(config, world, Arc::new(limiter))
    }

    fn with(config: config::RateLimit, world: World, limiter: Arc<dyn RateLimiter>) -> Self {
        let settings = Settings::new(world.db.db.clone(), world.clock.clone(), world.audit.clone(), Bus::new());
        let metrics = Metrics::new().unwrap();
        let limits = Limits::new(config, limiter, settings.clone(), metrics.clone(), world.clock.clone());
        Self { world, settings, limits, metrics }
    }

    async fn call(&self, request: TestRequest) -> Seen {
        let app = App::new()
            .into_utoipa_app()
            .map(|app| app.configure(|config| self.world.register(config)))
            .configure(crate::auth::http::routes)
            .configure(crate::user::http::routes)
            .into_app()
            .service(t_traces)
            .service(t_project)
            .app_data(web::Data::new(self.limits.clone()))
            .app_data(web::Data::new(TrustedProxies::new(&["10.0.0.0/8".to_owned()])))
            .wrap(from_fn(limit))
            .wrap(from_fn(surround));
        let app = init_service(app).await;
        let response = match try_call_service(&app, request.to_request()).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        Seen { status, headers, body: body::to_bytes(response.into_body()).await.unwrap().to_vec() }
    }

    async fn token(&self, email: &str) -> String {
        self.world.sessions.login(email, PASSWORD, Device::default()).await.unwrap().access_token
    }

    async fn key(&self) -> SecretKey {
        self.world.api_keys.create(NewKey::new(self.world.project.id, "CI"), &By::system()).await.unwrap().1
    }

    async fn set(&self, scope: Scope, key: &str, value: u32) {
        self.settings.set(&By::system(), scope, key, &json!(value), None).await.unwrap();
    }
}

fn from(address: &str, request: TestRequest) -> TestRequest {
    request.peer_addr(format!("{address}:4711").parse().unwrap())
}

fn traces(key: &str, kind: &'static str) -> TestRequest {
    from("203.0.113.7", TestRequest::post().uri("/v1/traces").insert_header(("X-API-Key", key)).insert_header(("content-type", kind)))
}

fn as_user(token: &str, path: &str) -> TestRequest {
    from("203.0.113.7", TestRequest::get().uri(path).insert_header(("Authorization", format!("Bearer {token}"))))
}

fn login(address: &str, path: &str) -> TestRequest {
    // Another account each time: one account is locked sooner than an address is limited.
    let email = format!("nobody-{}@example.com", crate::common::id::fresh());
    from(address, TestRequest::post().uri(path).set_json(json!({"email": email, "password": "wrong"})))
}

#[test]
fn what_counts_against_an_address() {
    let (get, post) = (Method::GET, Method::POST);
    for (method, path, has_token, expected) in [
        (&post, "/api/v1/auth/login", false, Some(Kind::SignIn)),
        (&post, "/api/v1/auth/login", true, Some(Kind::SignIn)),
        (&post, "/api/v1/auth/forgot-password", false, Some(Kind::SignIn)),
        (&post, "/api/v1/auth/second-factor/disable", true, Some(Kind::SignIn)),
        (&post, "/api/v1/auth/refresh", false, Some(Kind::Address)),
        (&post, "/api/v1/auth/logout", true, Some(Kind::Address)),
        (&get, "/api/v1/auth/options", true, Some(Kind::Address)),
        (&post, "/api/v1/invitations/validate", true, Some(Kind::Address)),
        (&post, "/api/v1/invitations/accept", true, None),
        (&get, "/api/v1/users/me", true, None),
        (&get, "/api/v1/users/me", false, Some(Kind::Address)),
        (&post, "/v1/traces", false, None),
        (&get, "/health", false, None),
        (&get, "/assets/index.js", false, None),
    ] {
        assert_eq!(by_address(method, path, has_token), expected, "{method} {path}");
    }
}

#[actix_web::test]
async fn a_key_has_its_limit() {
    let limited = Limited::new(small()).await;
    let (key, other) = (limited.key().await, limited.key().await);
    for remaining in [2, 1, 0] {
        let seen = limited.call(traces(key.expose(), "application/json")).await;
        assert_eq!((seen.status, seen.left()), (StatusCode::OK, Some((3, remaining, 65))));
    }
    limited.world.clock.advance(Duration::from_millis(20_500));
    let seen = limited.call(traces(key.expose(), "application/json")).await;
    assert_eq!((seen.status, seen.left(), seen.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some((3, 0, 45)), Some(45)));
    // In the form of OTLP, in both encodings.
    let body = seen.json();
    assert_eq!((&body["code"], &body["error"]["code"]), (&json!(8), &json!("RATE_LIMIT_ERROR")));
    let seen = limited.call(traces(key.expose(), "application/x-protobuf")).await;
    let status = <crate::http::otlp::Status as prost::Message>::decode(&*seen.body).unwrap();
    assert_eq!((seen.status, status.code, seen.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, 8, Some(45)));
    assert!(status.message.contains("this API key: 3 in 60 s"), "{}", status.message);
    assert_eq!(limited.metrics.rate_limited.with_label_values(&["key"]).get(), 2);
    assert_eq!(limited.call(traces(other.expose(), "application/json")).await.status, StatusCode::OK, "another key, the same address");
    limited.world.clock.advance(Duration::from_secs(45));
    assert_eq!(limited.call(traces(key.expose(), "application/json")).await.status, StatusCode::OK);
}

#[actix_web::test]
async fn wrong_keys_count_against_the_address() {
    let limited = Limited::new(small()).await;
    let key = limited.key().await;
    for index in 0..6 {
        let wrong = format!("bk_{index}{}", "x".repeat(39));
        let seen = limited.call(traces(&wrong, "application/json")).await;
        let expected = if index < 4 { StatusCode::UNAUTHORIZED } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!((seen.status, seen.header("ratelimit-limit")), (expected, Some(4)), "{index}");
    }
    assert_eq!(limited.call(traces(key.expose(), "application/json")).await.status, StatusCode::OK, "a good key from there still works");
    // The other route that takes a key.
    let check = |key: &str| from("203.0.113.7", TestRequest::post().uri("/v1/auth/validate-key").insert_header(("X-API-Key", key)));
    assert_eq!(limited.call(check("bk_x")).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.call(check(key.expose())).await.left(), Some((3, 1, 65)));
}

#[actix_web::test]
async fn a_user_has_a_limit_wherever_they_call_from() {
    let limited = Limited::new(small()).await;
    limited.world.somebody("eve@example.com").await;
    let (ada, eve) = (limited.token("ada@example.com").await, limited.token("eve@example.com").await);
    let project = format!("/api/v1/t/project?project_id={}", limited.world.project.id);
    assert_eq!(limited.call(as_user(&ada, "/api/v1/users/me")).await.left(), Some((3, 2, 65)));
    assert_eq!(limited.call(as_user(&ada, &project)).await.left(), Some((3, 1, 65)));
    assert_eq!(limited.call(from("198.51.100.1", as_user(&ada, &project))).await.left(), Some((3, 0, 65)));
    let seen = limited.call(as_user(&ada, "/api/v1/users/me")).await;
    let body = seen.json();
    assert_eq!((seen.status, seen.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, Some(65)));
    assert_eq!(
        (&body["success"], &body["data"], &body["error"]["code"]),
        (&json!(false), &Value::Null, &json!("RATE_LIMIT_ERROR")),
        "{body}"
    );
    assert!(body["meta"]["request_id"].is_string());
    // Whoever asks for what is not theirs is counted as well.
    for (status, remaining) in [(404, 2), (404, 1), (404, 0), (429, 0)] {
        let seen = limited.call(as_user(&eve, &project)).await;
        assert_eq!((seen.status.as_u16(), seen.left()), (status, Some((3, remaining, 65))));
    }
}

#[actix_web::test]
async fn strangers_and_sign_ins_count_by_address() {
    let limited = Limited::new(small()).await;
    // The router reads %6C as the letter that it is.
    for (path, status) in
        [("/api/v1/auth/login", 401), ("/api/v1/%61uth/%6Cogin", 401), ("/api/v1/auth/login", 429), ("/api/v1/%61uth/login", 429)]
    {
        let seen = limited.call(login("203.0.113.7", path)).await;
        assert_eq!((seen.status.as_u16(), seen.header("ratelimit-limit")), (status, Some(2)), "{path}");
    }
    assert_eq!(limited.call(login("203.0.113.8", "/api/v1/auth/login")).await.status, StatusCode::UNAUTHORIZED, "another address");
    // Staying signed in is another matter.
    let refresh = || from("203.0.113.7", TestRequest::post().uri("/api/v1/auth/refresh"));
    assert_eq!(limited.call(refresh()).await.left(), Some((4, 3, 65)));
    let me = |token: Option<&str>| {
        let request = TestRequest::get().uri("/api/v1/users/me");
        from(
            "203.0.113.7",
            token.into_iter().fold(request, |request, token| request.insert_header(("Authorization", format!("Bearer {token}")))),
        )
    };
    for (token, status, remaining) in
        [(None, 401, 2), (Some("nonsense"), 401, 1), (None, 401, 0), (Some("nonsense"), 429, 0), (None, 429, 0)]
    {
        let seen = limited.call(me(token)).await;
        assert_eq!((seen.status.as_u16(), seen.left().map(|left| left.1)), (status, Some(remaining)), "{token:?}");
    }
    let ada = limited.token("ada@example.com").await;
    assert_eq!(limited.call(me(Some(&ada))).await.status, StatusCode::OK, "whoever is known has a limit of their own");
}

#[actix_web::test]
async fn behind_a_proxy_clients_are_told_apart() {
    let limited = Limited::new(small()).await;
    let through = |peer: &str, client: &str| login(peer, "/api/v1/auth/login").insert_header(("x-forwarded-for", client.to_owned()));
    for _ in 0..2 {
        assert_eq!(limited.call(through("10.0.0.1", "203.0.113.7")).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(limited.call(through("10.0.0.1", "1.1.1.1, 203.0.113.7")).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.call(login("203.0.113.7", "/api/v1/auth/login")).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.call(through("10.0.0.1", "203.0.113.9")).await.status, StatusCode::UNAUTHORIZED);
    // Nobody else is believed.
    for client in ["1.1.1.1", "1.1.1.2"] {
        assert_eq!(limited.call(through("198.51.100.1", client)).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(limited.call(through("198.51.100.1", "1.1.1.3")).await.status, StatusCode::TOO_MANY_REQUESTS);
    // One customer's network.
    for (address, status) in [("[2001:db8::1]", 401), ("[2001:db8::2]", 401), ("[2001:db8::ffff:3]", 429), ("[2001:db8:0:1::1]", 401)] {
        assert_eq!(limited.call(login(address, "/api/v1/auth/login")).await.status.as_u16(), status, "{address}");
    }
}

#[actix_web::test]
async fn settings_change_limits_and_tenants_can_only_lower_them() {
    let limited = Limited::new(small()).await;
    let key = limited.key().await;
    let (organization, project) = (limited.world.organization.id, limited.world.project.id);
    let (per_key, per_user) = ("rate_limit.requests_per_minute_per_key", "rate_limit.requests_per_minute_per_user");
    let of_key = async || limited.call(traces(key.expose(), "application/json")).await.header("ratelimit-limit");
    assert_eq!(of_key().await, Some(3));
    limited.set(Scope::Organization(organization), per_key, 100).await;
    assert_eq!(of_key().await, Some(3), "an organisation cannot lift what limits it");
    limited.set(Scope::Installation, per_key, 60).await;
    assert_eq!(of_key().await, Some(60), "the installation can");
    limited.set(Scope::Organization(organization), per_key, 50).await;
    assert_eq!(of_key().await, Some(50));
    limited.set(Scope::Project(organization, project), per_key, 40).await;
    assert_eq!(of_key().await, Some(40));
    limited.set(Scope::Project(organization, project), per_key, 55).await;
    assert_eq!(of_key().await, Some(50));

    let ada = limited.token("ada@example.com").await;
    let at = async |path: &str| limited.call(as_user(&ada, path)).await.header("ratelimit-limit");
    limited.set(Scope::Installation, per_user, 30).await;
    limited.set(Scope::Organization(organization), per_user, 20).await;
    assert_eq!(at("/api/v1/users/me").await, Some(30));
    assert_eq!(at(&format!("/api/v1/t/project?project_id={project}")).await, Some(20));

    // Settings are by the minute, whatever the window.
    let limited = Limited::new(config::RateLimit { window_seconds: 10, ..small() }).await;
    let key = limited.key().await;
    limited.set(Scope::Installation, per_key, 60).await;
    assert_eq!(limited.call(traces(key.expose(), "application/json")).await.header("ratelimit-limit"), Some(10));
}

#[actix_web::test]
async fn what_cannot_be_counted_passes_or_is_refused() {
    for (policy, statuses) in [("open", (200, 401)), ("closed", (503, 503))] {
        let world = World::small().await;
        let limited = Limited::with(config::RateLimit { on_redis_failure: policy.to_owned(), ..small() }, world, Arc::new(Broken));
        let key = limited.key().await;
        for _ in 0..5 {
            let seen = limited.call(traces(key.expose(), "application/json")).await;
            assert_eq!((seen.status.as_u16(), seen.left()), (statuses.0, None), "{policy}");
            let seen = limited.call(login("203.0.113.7", "/api/v1/auth/login")).await;
            assert_eq!((seen.status.as_u16(), seen.header("retry-after").is_some()), (statuses.1, policy == "closed"), "{policy}");
        }
        assert_eq!(limited.metrics.rate_limit_unchecked.get(), 10);
    }
}

#[actix_web::test]
async fn limits_can_be_off_altogether_or_one_by_one() {
    for config in [
        config::RateLimit { enabled: false, ..small() },
        config::RateLimit { per_ip: 0, auth_per_ip: 0, per_user: 0, per_key: 0, ..small() },
    ] {
        let limited = Limited::new(config).await;
        let key = limited.key().await;
        for _ in 0..6 {
            let seen = limited.call(traces(key.expose(), "application/json")).await;
            assert_eq!((seen.status, seen.left()), (StatusCode::OK, None));
            let seen = limited.call(from("203.0.113.7", TestRequest::get().uri("/api/v1/users/me"))).await;
            assert_eq!((seen.status, seen.left()), (StatusCode::UNAUTHORIZED, None));
        }
    }
}
