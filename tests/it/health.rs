//! Health and metrics, on every role's port, and the document of the API.

use serde_json::Value;

use crate::on_both;

on_both! {
    async fn health_answers_without_credentials(app) {
        let urls = std::iter::once(&app.url).chain(&app.worker_url);
        for url in urls {
            for path in ["/health", "/health/live", "/health/ready"] {
                let answer = app.client.get(format!("{url}{path}")).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{url}{path}");
                assert_eq!(answer.json::<Value>().await.unwrap()["status"], "ok");
                let answer = app.client.head(format!("{url}{path}")).send().await.unwrap();
                assert_eq!(answer.status(), 200, "HEAD {url}{path}");
            }
            let ready: Value = app.client.get(format!("{url}/health/ready")).send().await.unwrap().json().await.unwrap();
            let names: Vec<_> = ready["dependencies"].as_object().unwrap().keys().cloned().collect();
            let expected: &[&str] = if app.worker_url.is_some() { &["database", "clickhouse", "redis"] } else { &["database", "clickhouse"] };
            assert_eq!(names, expected);
        }
    }

    async fn metrics_name_routes_and_never_ids(app) {
        app.try_get(&app.path("/api/v1/traces/0123456789abcdef0123456789abcdef")).await;
        for url in std::iter::once(&app.url).chain(&app.worker_url) {
            let answer = app.client.get(format!("{url}/metrics")).send().await.unwrap();
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
            let text = answer.text().await.unwrap();
            for name in ["process_resident_memory_bytes", "brokle_http_requests_in_flight", "brokle_spans_stored_total"] {
                assert!(text.contains(name), "{name} at {url}");
            }
            assert!(!text.contains("0123456789abcdef0123456789abcdef") && !text.contains(&app.project_id), "{text}");
        }
        let text = app.client.get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("route=\"/api/v1/traces/{trace_id}\""), "{text}");
    }

    async fn the_api_describes_itself_and_the_web_app_is_served(app) {
        let document: Value = app.client.get(format!("{}/openapi.json", app.url)).send().await.unwrap().json().await.unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        for path in ["/v1/traces", "/api/v1/traces", "/api/v1/traces/{trace_id}/spans", "/api/v1/auth/login", "/api/v1/enterprise/status"] {
            assert!(document["paths"].get(path).is_some(), "{path}");
        }
        for (path, kind) in [("/docs/", "text/html"), ("/", "text/html"), ("/projects/x/traces/y", "text/html")] {
            let answer = app.client.get(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
        }
        let index = app.client.get(&app.url).send().await.unwrap();
        let policy = index.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        for path in ["/docs/", "/docs/index.html", "/docs/swagger-ui-bundle.js"] {
            let answer = app.client.get(format!("{}{path}", app.url)).send().await.unwrap();
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        }
        let etag = index.headers()["etag"].clone();
        let again = app.client.get(&app.url).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert_eq!(app.client.get(format!("{}/assets/none.js", app.url)).send().await.unwrap().status(), 404);
    }
}
