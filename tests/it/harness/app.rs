//! The application inside the test's own process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use brokle::app::{Application, Ending, Lifecycle};
use brokle::common::clock::SystemClock;
use brokle::config::{Config, Environment};
use brokle::infra::clickhouse::ClickHouse;
use brokle::observability::store::TelemetryStore;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;

use super::services::{Services, scratch_dir};

pub const API_KEY: &str = "bk_0123456789abcdefghijABCDEFGHIJ0123456789";
pub const EMAIL: &str = "admin@example.com";
pub const PASSWORD: &str = "correct horse battery";
/// Signs the access tokens of every installation under test.
pub const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// Which processes make up the installation under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Standalone,
    /// Server and worker over Postgres, Redis and ClickHouse.
    Split,
}

struct Part {
    lifecycle: Lifecycle,
    ended: tokio::task::JoinHandle<Ending>,
}

/// An installation with an administrator, a project and an API key.
pub struct TestApp {
    pub setup: Setup,
    pub url: String,
    pub worker_url: Option<String>,
    pub client: reqwest::Client,
    pub project_id: String,
    pub token: String,
    pub services: Option<Services>,
    clickhouse: ClickHouse,
    parts: Vec<Part>,
    data: tempfile::TempDir,
}

fn init() -> Vec<(String, String)> {
    [
        ("HOST", "127.0.0.1"),
        ("PORT", "0"),
        ("WORKER_PORT", "0"),
        ("JWT_SECRET", JWT_SECRET),
        ("BROKLE_INIT_ORG", "Acme"),
        ("BROKLE_INIT_PROJECT", "Chat"),
        ("BROKLE_INIT_USER_EMAIL", EMAIL),
        ("BROKLE_INIT_USER_PASSWORD", PASSWORD),
        ("BROKLE_INIT_API_KEY", API_KEY),
        ("QUEUE_CLAIM_IDLE_MS", "2000"),
        ("SHUTDOWN_TIMEOUT_SECONDS", "10"),
        // Everything comes from one address; tests of the limits set their own.
        ("RATE_LIMIT_PER_IP", "1000000"),
        ("RATE_LIMIT_AUTH_PER_IP", "1000000"),
        ("RATE_LIMIT_PER_USER", "1000000"),
        ("RATE_LIMIT_PER_KEY", "100000000"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

impl TestApp {
    /// Starts an installation.
    pub async fn start(setup: Setup) -> Self {
        Self::start_with(setup, &[]).await
    }

    /// Starts an installation with other settings.
    pub async fn start_with(setup: Setup, settings: &[(&str, &str)]) -> Self {
        let services = if setup == Setup::Split { Some(Services::fresh().await) } else { None };
        Self::start_on(setup, services, settings).await
    }

    /// Starts an installation on databases that exist.
    pub async fn start_on(setup: Setup, services: Option<Services>, settings: &[(&str, &str)]) -> Self {
        Self::start_on_as(setup, services, settings, (EMAIL, PASSWORD)).await
    }

    /// Starts an installation on databases that exist and signs in as somebody else than the first administrator.
    pub async fn start_on_as(setup: Setup, services: Option<Services>, settings: &[(&str, &str)], login: (&str, &str)) -> Self {
        let roles: &[&str] = if setup == Setup::Split { &["server", "worker"] } else { &["standalone"] };
        Self::start_all(setup, roles, services, settings, login).await
    }

    /// Starts these roles only.
    pub async fn start_roles(roles: &[&str], services: Option<Services>, settings: &[(&str, &str)]) -> Self {
        Self::start_all(Setup::Split, roles, services, settings, (EMAIL, PASSWORD)).await
    }

    async fn start_all(setup: Setup, roles: &[&str], services: Option<Services>, settings: &[(&str, &str)], login: (&str, &str)) -> Self {
        let data = scratch_dir("data");
        let mut environment = init();
        environment.push(("BROKLE_DATA_DIR".to_owned(), data.path().to_str().unwrap().to_owned()));
        environment.extend(services.iter().flat_map(Services::environment));
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut parts = Vec::new();
        let mut ports = Vec::new();
        let mut clickhouse = None;
        for role in roles {
            let mut environment = environment.clone();
            environment.push(("APP_MODE".to_owned(), (*role).to_owned()));
            let config = Config::load(&environment.into_iter().collect::<Environment>()).unwrap();
            let application = Application::build(config, Arc::new(SystemClock)).await.unwrap_or_else(|error| panic!("{role}: {error:#}"));
            ports.push(application.port());
            clickhouse.get_or_insert_with(|| application.clickhouse().clone());
            let lifecycle = application.lifecycle().clone();
            parts.push(Part { lifecycle, ended: tokio::task::spawn(application.run_until_stopped()) });
        }
        let mut app = Self {
            setup,
            url: format!("http://127.0.0.1:{}", ports[0]),
            worker_url: ports.get(1).map(|port| format!("http://127.0.0.1:{port}")),
            client: reqwest::Client::builder().timeout(Duration::from_secs(60)).no_proxy().build().unwrap(),
            project_id: String::new(),
            token: String::new(),
            services,
            clickhouse: clickhouse.unwrap(),
            parts,
            data,
        };
        app.token = app.log_in(login.0, login.1).await;
        app.project_id = app.get("/api/v1/users/me").await["data"]["organizations"][0]["projects"][0]["id"].as_str().unwrap().to_owned();
        app
    }

    /// Where a standalone installation keeps its files.
    pub fn data_dir(&self) -> &std::path::Path {
        self.data.path()
    }

    /// An access token.
    pub async fn log_in(&self, email: &str, password: &str) -> String {
        let answer = self
            .client
            .post(format!("{}/api/v1/auth/login", self.url))
            .json(&serde_json::json!({"email": email, "password": password}))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        answer.json::<Value>().await.unwrap()["data"]["access_token"].as_str().unwrap().to_owned()
    }

    /// GET with the administrator's token: 200 or a failed test.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// GET with the administrator's token.
    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Sends protobuf with the API key: status and body.
    pub async fn send(&self, request: &ExportTraceServiceRequest) -> (u16, Vec<u8>) {
        self.send_bytes(request.encode_to_vec(), &[("content-type", "application/x-protobuf")]).await
    }

    /// Sends a body to /v1/traces with the API key and these headers.
    pub async fn send_bytes(&self, body: Vec<u8>, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
        let mut post = self.client.post(format!("{}/v1/traces", self.url)).header("x-api-key", API_KEY).body(body);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        let answer = post.send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    /// The trace, as soon as it has `spans` spans; fails after a few seconds.
    pub async fn wait_for_trace(&self, trace_id: &[u8], spans: u64) -> Value {
        let path = format!("/api/v1/traces/{}?project_id={}", hex::encode(trace_id), self.project_id);
        let patience = if self.setup == Setup::Standalone { Duration::ZERO } else { Duration::from_secs(60) };
        let started = Instant::now();
        loop {
            let (status, body) = self.try_get(&path).await;
            if status == 200 && body["data"]["span_count"] == spans {
                return body["data"].clone();
            }
            assert!(started.elapsed() < patience, "{spans} spans expected: {status} {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A path under /api/v1 with the project's id in its query.
    pub fn path(&self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}project_id={}", self.project_id)
    }

    /// The telemetry store itself.
    pub fn store(&self) -> TelemetryStore {
        TelemetryStore::new(self.clickhouse.clone())
    }

    /// Makes the store merge all parts of a table now, as it would do some day.
    pub async fn optimize(&self, table: &str) {
        self.clickhouse.insert_client().query(&format!("OPTIMIZE TABLE {table} FINAL")).execute().await.unwrap();
    }

    /// Stops every process in order; each must end in good order.
    pub async fn stop(self) {
        drop(self.clickhouse);
        for part in self.parts {
            part.lifecycle.stop();
            assert_eq!(part.ended.await.unwrap(), Ending::Orderly);
        }
    }
}
