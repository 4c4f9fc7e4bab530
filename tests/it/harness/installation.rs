//! Brokle as processes of its own, on data of its own: what tests start, kill and start again.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;

use super::app::{API_KEY, EMAIL, PASSWORD};
use super::{Process, Services, scratch_dir};

/// How long a process may take from its start until it is ready, on a busy machine.
pub const START: Duration = Duration::from_secs(40);
/// How long a process may take to stop; SHUTDOWN_TIMEOUT_SECONDS is shorter.
pub const STOP: Duration = Duration::from_secs(15);
const JWT_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// The data of an installation and the settings of its processes.
pub struct Installation {
    pub services: Option<Services>,
    pub data: PathBuf,
    settings: Vec<(String, String)>,
    _scratch: tempfile::TempDir,
}

/// A process that serves HTTP.
pub struct Running {
    pub process: Process,
    pub url: String,
}

impl Installation {
    /// For one standalone process.
    pub fn standalone() -> Self {
        Self::new(None)
    }

    /// For servers and workers on fresh databases.
    pub async fn split() -> Self {
        Self::new(Some(Services::fresh().await))
    }

    fn new(services: Option<Services>) -> Self {
        let scratch = scratch_dir("installation");
        let data = scratch.path().join("data");
        let mut settings: Vec<(String, String)> = [
            ("HOST", "127.0.0.1"),
            ("BROKLE_DATA_DIR", data.to_str().unwrap()),
            ("LOG_FORMAT", "json"),
            ("SHUTDOWN_TIMEOUT_SECONDS", "10"),
            ("QUEUE_CLAIM_IDLE_MS", "1000"),
            // Everything comes from one address.
            ("RATE_LIMIT_PER_IP", "1000000"),
            ("RATE_LIMIT_AUTH_PER_IP", "1000000"),
            ("RATE_LIMIT_PER_USER", "1000000"),
            ("RATE_LIMIT_PER_KEY", "100000000"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        settings.extend(services.iter().flat_map(Services::environment));
        Self { services, data, settings, _scratch: scratch }
    }

    /// With the administrator, project and key that [`Api::sign_in`] and [`Load`](super::Load) use.
    pub fn initialised(self) -> Self {
        let init = [
            ("BROKLE_INIT_ORG", "Acme"),
            ("BROKLE_INIT_PROJECT", "Chat"),
            ("BROKLE_INIT_USER_EMAIL", EMAIL),
            ("BROKLE_INIT_USER_PASSWORD", PASSWORD),
            ("BROKLE_INIT_API_KEY", API_KEY),
        ];
        init.into_iter().fold(self, |installation, (name, value)| installation.with(name, value))
    }

    /// With a setting for all of its processes; a later one of the same name wins.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The environment of a process of `role`.
    pub fn environment(&self, role: &str, settings: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut environment = self.settings.clone();
        environment.push(("APP_MODE".to_owned(), role.to_owned()));
        if role == "server" {
            environment.push(("JWT_SECRET".to_owned(), JWT_SECRET.to_owned()));
        }
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        environment
    }

    /// Starts a process without waiting for it.
    pub fn launch(&self, role: &str, settings: &[(&str, &str)]) -> Running {
        self.launch_on(Process::free_port(), role, settings)
    }

    /// Starts a process on this port without waiting for it.
    pub fn launch_on(&self, port: u16, role: &str, settings: &[(&str, &str)]) -> Running {
        let mut environment = self.environment(role, settings);
        let variable = if role == "worker" { "WORKER_PORT" } else { "PORT" };
        environment.push((variable.to_owned(), port.to_string()));
        Running { process: Process::start(&[], &environment), url: format!("http://127.0.0.1:{port}") }
    }

    /// Starts a process and waits until it is ready.
    pub async fn start(&self, role: &str) -> Running {
        self.start_with(role, &[]).await
    }

    /// Starts a process with other settings and waits until it is ready.
    pub async fn start_with(&self, role: &str, settings: &[(&str, &str)]) -> Running {
        let mut running = self.launch(role, settings);
        running.wait_until_ready().await;
        running
    }

    /// Starts a process on this port and waits until it is ready.
    pub async fn start_on(&self, port: u16, role: &str) -> Running {
        let mut running = self.launch_on(port, role, &[]);
        running.wait_until_ready().await;
        running
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str], role: &str, settings: &[(&str, &str)]) -> Output {
        Process::run(arguments, &self.environment(role, settings))
    }

    /// A file of the data directory.
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.data.join(name)
    }
}

impl Running {
    /// Waits until it is ready; fails with its log.
    pub async fn wait_until_ready(&mut self) {
        self.process.wait_until_ready(&self.url, START).await;
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.url.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// Stops it in good order.
    pub async fn stop(mut self) -> String {
        self.process.signal(libc::SIGTERM);
        let code = self.process.exit_code(STOP).await;
        let log = self.process.output();
        assert_eq!(code, Some(0), "{log}");
        log
    }
}

/// Somebody who is signed in, and the first project they see.
#[derive(Clone)]
pub struct Api {
    pub url: String,
    pub client: reqwest::Client,
    pub token: String,
    pub project_id: String,
}

impl Api {
    /// Signs in as the administrator of [`Installation::initialised`].
    pub async fn sign_in(url: &str) -> Self {
        Self::sign_in_as(url, EMAIL, PASSWORD).await
    }

    /// Signs in.
    pub async fn sign_in_as(url: &str, email: &str, password: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).no_proxy().build().unwrap();
        let (status, body) = log_in(&client, url, email, password).await;
        assert_eq!(status, 200, "{body}");
        let token = body["data"]["access_token"].as_str().unwrap().to_owned();
        let mut api = Self { url: url.to_owned(), client, token, project_id: String::new() };
        let me = api.get("/api/v1/users/me").await;
        api.project_id = me["data"]["organizations"][0]["projects"][0]["id"].as_str().unwrap().to_owned();
        api
    }

    /// GET: 200 or a failed test.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// GET: status and body.
    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Every trace of the project of the last day, through all pages.
    pub async fn traces(&self) -> Vec<Value> {
        self.pages("/api/v1/traces?limit=100").await
    }

    /// Every span of a trace, through all pages.
    pub async fn spans(&self, trace_id: &str) -> Vec<Value> {
        self.pages(&format!("/api/v1/traces/{trace_id}/spans?limit=1000")).await
    }

    async fn pages(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}&project_id={}{cursor}", self.project_id)).await;
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["meta"]["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

/// Tries to sign in: status and body.
pub async fn log_in(client: &reqwest::Client, url: &str, email: &str, password: &str) -> (u16, Value) {
    let body = serde_json::json!({"email": email, "password": password});
    let answer = client.post(format!("{url}/api/v1/auth/login")).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
