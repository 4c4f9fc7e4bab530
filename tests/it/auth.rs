//! Signing in over HTTP, CORS, and the check that SDKs make of their key.

use serde_json::{Value, json};

use crate::harness::{API_KEY, EMAIL, PASSWORD, Setup, TestApp};
use crate::on_both;

async fn post(app: &TestApp, path: &str, body: &Value, headers: &[(&str, &str)]) -> (u16, Value, Option<String>) {
    let mut post = app.client.post(format!("{}{path}", app.url)).json(body);
    for (name, value) in headers {
        post = post.header(*name, *value);
    }
    let answer = post.send().await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), answer.json().await.unwrap(), cookie)
}

on_both! {
    async fn a_session_is_opened_refreshed_and_closed(app) {
        let (status, body, cookie) = post(app, "/api/v1/auth/login", &json!({"email": EMAIL.to_uppercase(), "password": PASSWORD}), &[]).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!((body["data"]["token_type"].as_str(), body["data"]["expires_in"].as_u64()), (Some("Bearer"), Some(900)));
        let cookie = cookie.unwrap();
        for part in ["brokle_refresh=", "HttpOnly", "SameSite=Strict", "Path=/api/v1/auth/refresh"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        let pair = cookie.split(';').next().unwrap().to_owned();
        let (status, body, next) = post(app, "/api/v1/auth/refresh", &json!({}), &[("cookie", &pair)]).await;
        assert_eq!(status, 200, "{body}");
        let token = body["data"]["access_token"].as_str().unwrap().to_owned();
        let next = next.unwrap().split(';').next().unwrap().to_owned();
        assert_ne!(next, pair, "the refresh token changes at each use");

        let answer = app.client.post(format!("{}/api/v1/auth/logout", app.url)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (status, body, _) = post(app, "/api/v1/auth/refresh", &json!({}), &[("cookie", &next)]).await;
        assert_eq!((status, body["error"]["code"].as_str()), (401, Some("REFRESH_EXPIRED")), "{body}");
        let answer = app.client.get(format!("{}/api/v1/users/me", app.url)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "an access token ends with its session");
    }

    async fn wrong_credentials_do_not_tell_which(app) {
        let mut answers = Vec::new();
        for (email, password) in [(EMAIL, "wrong password"), ("nobody@example.com", PASSWORD)] {
            let (status, body, cookie) = post(app, "/api/v1/auth/login", &json!({"email": email, "password": password}), &[]).await;
            assert_eq!((status, cookie), (401, None));
            answers.push(body["error"].clone());
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn a_profile_shows_organisations_and_projects(app) {
        let me = app.get("/api/v1/users/me").await["data"].clone();
        assert_eq!((me["email"].as_str(), me["is_admin"].as_bool()), (Some(EMAIL), Some(true)));
        assert_eq!((me["organizations"][0]["name"].as_str(), me["organizations"][0]["role"].as_str()), (Some("Acme"), Some("owner")));
        assert_eq!(me["organizations"][0]["projects"][0]["name"], "Chat");
        assert!(!me.to_string().contains("password"));
    }

    async fn an_sdk_checks_its_key(app) {
        let (status, body, _) = post(app, "/v1/auth/validate-key", &json!({}), &[("x-api-key", API_KEY)]).await;
        assert_eq!((status, body["data"]["valid"].as_bool(), body["data"]["project_id"].as_str()), (200, Some(true), Some(app.project_id.as_str())), "{body}");
        assert!(!body.to_string().contains(API_KEY));
        assert_eq!(post(app, "/v1/auth/validate-key", &json!({}), &[]).await.0, 400);
        assert_eq!(post(app, "/v1/auth/validate-key", &json!({}), &[("x-api-key", "bk_0000000000000000000000000000000000000000")]).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_need_to_be_named() {
    let app = TestApp::start_with(Setup::Standalone, &[("CORS_ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let preflight = |origin: &'static str| {
        app.client
            .request(reqwest::Method::OPTIONS, format!("{}/api/v1/traces", app.url))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization")
            .send()
    };
    let allowed = preflight("https://app.example.com").await.unwrap();
    assert!(allowed.status().is_success());
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example.com");
    assert!(allowed.headers()["access-control-allow-headers"].to_str().unwrap().to_lowercase().contains("authorization"));
    let refused = preflight("https://evil.example.com").await.unwrap();
    assert!(!refused.headers().contains_key("access-control-allow-origin"));

    // The answers themselves, an error included: without these headers a browser keeps them from the page.
    let ask = |origin: &'static str, path: String, token: &str| {
        app.client.get(format!("{}{path}", app.url)).header("origin", origin).bearer_auth(token).send()
    };
    for (path, token, status) in [(app.path("/api/v1/traces"), &*app.token, 200), ("/api/v1/users/me".to_owned(), "no token", 401)] {
        let answer = ask("https://app.example.com", path.clone(), token).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com", "{path}");
        let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase();
        for name in ["x-request-id", "retry-after", "ratelimit-remaining"] {
            assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name} in {exposed}");
        }
        assert!(answer.headers().contains_key("x-request-id"), "{path}");
        assert!(answer.headers()["vary"].to_str().unwrap().to_lowercase().contains("origin"), "{path}");
        let answer = ask("https://evil.example.com", path.clone(), token).await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
    }
    app.stop().await;
}
