//! The commands beside `serve`.

use std::io::Write;
use std::time::Duration;

use prost::Message;
use serde_json::Value;

use super::{assert_refused, text};
use crate::harness::{Acknowledged, Api, EMAIL, Installation, PASSWORD, Process, log_in, one_span};

fn stdout(output: &std::process::Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", text(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_applies_what_check_reports() {
    let installation = Installation::split().await;
    let pending = installation.run(&["migrate", "--check"], "server", &[]);
    assert_eq!(pending.status.code(), Some(1), "{}", text(&pending));
    let pending = String::from_utf8(pending.stdout).unwrap();
    let names: Vec<&str> = pending.lines().filter_map(|line| line.strip_prefix("pending: ")).collect();
    assert!(names.iter().any(|name| name.starts_with("clickhouse")) && names.iter().any(|name| name.starts_with('m')), "{pending}");
    assert_eq!(migrates(&installation, "server"), names);
}

#[test]
fn migrate_makes_a_standalone_installation_and_check_does_not() {
    let installation = Installation::standalone();
    let check = installation.run(&["migrate", "--check"], "standalone", &[]);
    assert_eq!(check.status.code(), Some(1), "{}", text(&check));
    assert!(text(&check).contains("no installation yet") && text(&check).contains(installation.data.to_str().unwrap()), "{}", text(&check));
    assert!(!installation.data.exists(), "asking makes nothing");
    assert!(!migrates(&installation, "standalone").is_empty());
}

/// Migrates, and tells what was applied; afterwards nothing is left to do.
fn migrates(installation: &Installation, role: &str) -> Vec<String> {
    let applied = stdout(&installation.run(&["migrate"], role, &[]));
    stdout(&installation.run(&["migrate", "--check"], role, &[]));
    assert!(stdout(&installation.run(&["migrate"], role, &[])).contains("nothing to do"));
    applied.lines().filter_map(|line| line.strip_prefix("applied: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_examines_everything_a_role_needs() {
    let installation = Installation::split().await;
    stdout(&installation.run(&["migrate"], "server", &[]));
    let report = stdout(&installation.run(&["doctor"], "server", &[]));
    for part in ["postgres: version", "clickhouse: version", "redis: version", "schema: current", "appendfsync", "clickhouse disk"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let installation = Installation::standalone();
    let report = stdout(&installation.run(&["doctor"], "standalone", &[]));
    for part in ["installation: none yet", "engine: the library is at", "disk", "free"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(!installation.data.exists(), "asking makes nothing");
    stdout(&installation.run(&["migrate"], "standalone", &[]));
    let report = stdout(&installation.run(&["doctor"], "standalone", &[]));
    for part in ["sqlite: version", "clickhouse: version", "disk", "free", "schema: current"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    // While it runs, the directory is taken: said, and no harm done.
    let installation = installation.initialised();
    let running = installation.start("standalone").await;
    let output = installation.run(&["doctor"], "standalone", &[("PORT", &running.port().to_string())]);
    assert!(text(&output).contains("in use"), "{}", text(&output));
    Api::sign_in(&running.url).await;
    running.stop().await;
    assert_refused(&installation.run(&["doctor"], "serve", &[]), &["APP_MODE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_every_service_that_is_missing() {
    let installation = Installation::split().await;
    let pending = stdout(&installation.run(&["doctor"], "server", &[]));
    assert!(pending.contains("pending") && pending.contains("brokle migrate"), "{pending}");
    let port = Process::free_port();
    let (postgres, clickhouse) = (format!("postgres://brokle:hunter2@127.0.0.1:{port}/none"), format!("http://127.0.0.1:{port}"));
    let redis = format!("redis://:hunter2@127.0.0.1:{port}");
    let started = std::time::Instant::now();
    let output =
        installation.run(&["doctor"], "server", &[("DATABASE_URL", &postgres), ("CLICKHOUSE_URL", &clickhouse), ("REDIS_URL", &redis)]);
    assert_refused(&output, &["FAILED  postgres", "FAILED  clickhouse", "FAILED  redis"]);
    assert!(!text(&output).contains("hunter2"), "{}", text(&output));
    assert!(started.elapsed() < Duration::from_secs(12), "asked at once, not one after the other: {:?}", started.elapsed());
    // The others are examined though one is missing.
    let output = installation.run(&["doctor"], "server", &[("DATABASE_URL", &postgres)]);
    assert_refused(&output, &["FAILED  postgres", "clickhouse: version", "redis: version"]);
}

#[test]
fn config_checks_prints_and_explains() {
    let installation = Installation::standalone();
    let secret = "a-secret-that-is-long-enough-for-the-check";
    let settings = [("JWT_SECRET", secret), ("RETENTION_DAYS", "30"), ("BROKLE_RETENTION_DAYS", "30")];
    let checked = stdout(&installation.run(&["config", "check"], "standalone", &settings));
    assert!(checked.contains("standalone"), "{checked}");
    assert!(checked.contains("warning: BROKLE_RETENTION_DAYS"), "a variable that nothing reads is named: {checked}");
    let misspelt = installation.run(&["config", "check"], "standalone", &[("BROKLE_DATADIR", "/tmp")]);
    assert_refused(&misspelt, &["BROKLE_DATADIR", "BROKLE_DATA_DIR is meant"]);
    let printed = stdout(&installation.run(&["config", "print"], "standalone", &settings));
    assert!(printed.contains("retention_days = 30") && printed.contains("jwt_secret = \"***\""), "{printed}");
    assert!(!printed.contains(secret), "{printed}");
    assert_refused(
        &installation.run(&["config", "check"], "server", &[("JWT_SECRET", "")]),
        &["JWT_SECRET", "DATABASE_URL", "REDIS_URL", "CLICKHOUSE_URL"],
    );
    let docs = stdout(&installation.run(&["config", "docs"], "standalone", &[]));
    for (variable, key, _) in brokle::config::VARIABLES {
        assert!(docs.contains(&format!("`{variable}`")) && docs.contains(&format!("`{key}`")), "{variable}");
    }
}

/// What `config print` prints can be used as a configuration file.
#[test]
fn a_printed_configuration_is_one() {
    let installation = Installation::standalone().with("CORS_ALLOWED_ORIGINS", "https://a.example,https://b.example");
    let printed = stdout(&installation.run(&["config", "print"], "standalone", &[]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &printed).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let again = Process::run(&["config", "print"], &[("BROKLE_CONFIG".to_owned(), path)]);
    assert_eq!(stdout(&again), printed);
}

#[test]
fn openapi_prints_the_document() {
    // Needs no configuration at all, not even a right one.
    let output = Process::run(&["openapi"], &[("APP_MODE".to_owned(), "serve".to_owned())]);
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document, serde_json::to_value(brokle::app::openapi().unwrap()).unwrap());
    assert!(document["paths"]["/v1/traces"]["post"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_asks_a_running_process() {
    let installation = Installation::standalone().initialised();
    let free = Process::free_port().to_string();
    let nobody = installation.run(&["health"], "standalone", &[("PORT", &free)]);
    assert_refused(&nobody, &[&free]);
    let running = installation.start("standalone").await;
    let port = running.port().to_string();
    for host in ["127.0.0.1", "0.0.0.0"] {
        let answer = stdout(&installation.run(&["health"], "standalone", &[("PORT", &port), ("HOST", host)]));
        assert!(answer.contains("\"ok\"") && answer.contains("clickhouse"), "{answer}");
    }
    stdout(&installation.run(&["health", "--url", &running.url], "standalone", &[]));
    running.stop().await;
}

/// Runs a command with something on its standard input.
fn run_with_input(installation: &Installation, role: &str, arguments: &[&str], input: &str) -> std::process::Output {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_brokle"))
        .args(arguments)
        .env_clear()
        .envs(installation.environment(role, &[]))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The word after `label` in what a command printed.
fn after<'a>(printed: &'a str, label: &str) -> &'a str {
    let rest = printed.split_once(label).unwrap_or_else(|| panic!("no {label} in {printed}")).1;
    rest.split_whitespace().next().unwrap()
}

async fn administrates(installation: Installation, role: &str) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build().unwrap();
    let running = installation.start(role).await;
    let api = Api::sign_in(&running.url).await;
    let me = api.get("/api/v1/users/me").await;
    let organization = me["data"]["organizations"][0]["id"].as_str().unwrap().to_owned();

    // While the process runs, a user with a password that is made, and one with a given password.
    let made = stdout(&installation.run(
        &["admin", "create-user", "--email", "Ada@Example.com", "--organization", &organization, "--role", "viewer"],
        role,
        &[],
    ));
    let ada = Api::sign_in_as(&running.url, "ada@example.com", after(&made, "password: ")).await;
    assert_eq!(ada.get("/api/v1/users/me").await["data"]["organizations"][0]["role"], "viewer");
    let given = run_with_input(
        &installation,
        role,
        &["admin", "create-user", "--email", "bob@example.com", "--password-stdin"],
        "a long enough password\n",
    );
    assert!(!stdout(&given).contains("a long enough password"), "{}", text(&given));
    assert_eq!(log_in(&client, &running.url, "bob@example.com", "a long enough password").await.0, 200);
    let again = installation.run(&["admin", "create-user", "--email", "ADA@example.com"], role, &[]);
    assert_refused(&again, &["ada@example.com"]);
    let short = run_with_input(&installation, role, &["admin", "create-user", "--email", "eve@example.com", "--password-stdin"], "short");
    assert_refused(&short, &["password"]);

    // A new password ends the old one, and the sessions within half a minute.
    let reset = stdout(&installation.run(&["admin", "reset-password", "--email", EMAIL], role, &[]));
    assert_eq!(log_in(&client, &running.url, EMAIL, PASSWORD).await.0, 401);
    assert_eq!(log_in(&client, &running.url, EMAIL, after(&reset, "password: ")).await.0, 200);
    assert_refused(&installation.run(&["admin", "reset-password", "--email", "nobody@example.com"], role, &[]), &["nobody@example.com"]);

    // A key that works at once.
    let created = stdout(&installation.run(&["admin", "create-key", "--project", &api.project_id], role, &[]));
    let key = after(&created, "key: ");
    let body = one_span(&mut Acknowledged::new()).encode_to_vec();
    let post = client.post(format!("{}/v1/traces", running.url)).header("x-api-key", key).header("content-type", "application/x-protobuf");
    assert_eq!(post.body(body).send().await.unwrap().status(), 200);
    let foreign = installation.run(&["admin", "create-key", "--project", "01ARZ3NDEKTSV4RRFFQ69G5FAV"], role, &[]);
    assert_refused(&foreign, &["01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_works_on_a_standalone_installation() {
    administrates(Installation::standalone().initialised(), "standalone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_works_on_a_server() {
    administrates(Installation::split().await.initialised(), "server").await;
}

#[test]
fn admin_needs_an_installation() {
    let installation = Installation::standalone();
    let output = installation.run(&["admin", "create-user", "--email", "ada@example.com"], "standalone", &[]);
    assert_refused(&output, &[installation.data.to_str().unwrap(), "BROKLE_DATA_DIR"]);
}

#[test]
fn what_is_not_a_command_is_refused_with_the_commands() {
    let output = Process::run(&["start"], &[]);
    assert_refused(&output, &["start", "Usage"]);
    let help = stdout(&Process::run(&["--help"], &[]));
    for command in ["serve", "migrate", "config", "admin", "engine", "demo", "doctor", "health", "openapi"] {
        assert!(help.contains(command), "{command}: {help}");
    }
    assert!(stdout(&Process::run(&["--version"], &[])).contains(env!("CARGO_PKG_VERSION")));
}
