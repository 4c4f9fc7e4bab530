//! Limits on requests, and settings that change them while everything runs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{API_KEY, EMAIL, Services, Setup, Spans, TestApp, generation, now_ns, request};

/// Each set-up with these settings.
async fn both(settings: &[(&str, &str)]) -> Vec<TestApp> {
    vec![TestApp::start_with(Setup::Standalone, settings).await, TestApp::start_with(Setup::Split, settings).await]
}

fn number(answer: &reqwest::Response, name: &str) -> u64 {
    answer.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().parse().unwrap()
}

async fn put(app: &TestApp, path: &str, body: &Value) -> (u16, Value) {
    let answer = app.client.put(format!("{}{path}", app.url)).bearer_auth(&app.token).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_with_a_key_are_refused() {
    for app in both(&[("RATE_LIMIT_PER_KEY", "5")]).await {
        let spans = request(vec![generation(&Spans::trace_id(), 0, now_ns())]);
        let body = prost::Message::encode_to_vec(&spans);
        let send = |kind: &'static str, body: Vec<u8>| {
            app.client.post(format!("{}/v1/traces", app.url)).header("x-api-key", API_KEY).header("content-type", kind).body(body).send()
        };
        for left in (0..5).rev() {
            let answer = send("application/x-protobuf", body.clone()).await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining")),
                (200, 5, left)
            );
        }
        let answer = send("application/x-protobuf", body.clone()).await.unwrap();
        assert_eq!((answer.status().as_u16(), number(&answer, "ratelimit-remaining")), (429, 0));
        assert!((1..=65).contains(&number(&answer, "retry-after")));
        assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
        let answer = send("application/json", b"{}".to_vec()).await.unwrap();
        let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
        assert_eq!((status, &body["error"]["code"], &body["code"]), (429, &json!("RATE_LIMIT_ERROR"), &json!(8)), "{body}");
        let metrics = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("brokle_rate_limited_total{limit=\"key\"} 2"), "{metrics}");
        app.get("/api/v1/users/me").await;
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_sign_ins_are_refused() {
    // The harness itself has signed in once.
    for app in both(&[("RATE_LIMIT_AUTH_PER_IP", "4")]).await {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let answer = app
                .client
                .post(format!("{}/api/v1/auth/login", app.url))
                .json(&json!({"email": EMAIL, "password": "wrong password"}))
                .send()
                .await
                .unwrap();
            statuses.push(answer.status().as_u16());
            if answer.status() == 429 {
                assert!((1..=65).contains(&number(&answer, "retry-after")));
                let body: Value = answer.json().await.unwrap();
                assert_eq!((&body["success"], &body["error"]["code"]), (&json!(false), &json!("RATE_LIMIT_ERROR")), "{body}");
            }
        }
        assert_eq!(statuses[..1], [401]);
        assert_eq!(statuses[3..], [429, 429], "{statuses:?}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_counts_at_once() {
    for app in both(&[]).await {
        let limit = async || {
            number(&app.client.get(format!("{}/api/v1/users/me", app.url)).bearer_auth(&app.token).send().await.unwrap(), "ratelimit-limit")
        };
        assert_eq!(limit().await, 1_000_000);
        let (status, body) =
            put(&app, "/api/v1/admin/settings/rate_limit.requests_per_minute_per_user", &json!({"value": 77, "version": 0})).await;
        assert_eq!((status, &body["data"]["value"], &body["data"]["updated_by_email"]), (200, &json!(77), &json!(EMAIL)), "{body}");
        assert_eq!(limit().await, 77);
        let project = app.project_id.clone();
        let path = format!("/api/v1/projects/{project}/settings/rate_limit.requests_per_minute_per_key");
        assert_eq!(put(&app, &path, &json!({"value": 9})).await.0, 200);
        let answer = app.client.post(format!("{}/v1/auth/validate-key", app.url)).header("x-api-key", API_KEY).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), number(&answer, "ratelimit-limit")), (200, 9));
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_count_together_and_tell_each_other_of_settings() {
    let services = Services::fresh().await;
    let settings = [("RATE_LIMIT_PER_USER", "1000")];
    let first = TestApp::start_on(Setup::Split, Some(services.clone()), &settings).await;
    let second = TestApp::start_roles(&["server"], Some(services), &settings).await;
    let left = async |app: &TestApp| {
        let answer = app.client.get(format!("{}/api/v1/users/me", app.url)).bearer_auth(&first.token).send().await.unwrap();
        (number(&answer, "ratelimit-limit"), number(&answer, "ratelimit-remaining"))
    };
    let before = left(&first).await;
    assert_eq!(left(&second).await, (1000, before.1 - 1), "one count for both");
    let (status, body) = put(&first, "/api/v1/admin/settings/rate_limit.requests_per_minute_per_user", &json!({"value": 500})).await;
    assert_eq!(status, 200, "{body}");
    let changed = Instant::now();
    while left(&second).await.0 != 500 {
        assert!(changed.elapsed() < Duration::from_secs(5), "the other server does not notice");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.stop().await;
    second.stop().await;
}
