//! What keeps Brokle from starting, and what it says then.

use std::time::Duration;

use super::{assert_refused, text};
use crate::harness::{Api, Installation, Process, STOP};

/// Runs `brokle` with only these variables; it must end by itself.
fn run(variables: &[(&str, &str)]) -> std::process::Output {
    let environment: Vec<(String, String)> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Process::run(&[], &environment)
}

#[test]
fn a_role_that_does_not_exist_is_refused_with_the_choices() {
    assert_refused(&run(&[("APP_MODE", "serve")]), &["APP_MODE", "`serve`", "server", "worker", "standalone"]);
}

#[test]
fn a_server_without_jwt_secret_is_refused() {
    let variables = [
        ("APP_MODE", "server"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
        ("CLICKHOUSE_URL", "http://127.0.0.1:1"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ];
    let output = run(&variables);
    assert_refused(&output, &["JWT_SECRET", "server"]);
    assert!(text(&output).contains("1 problem"), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_runs_without_jwt_secret() {
    let installation = Installation::split().await;
    assert_eq!(installation.run(&["migrate"], "worker", &[]).status.code(), Some(0));
    let environment = installation.environment("worker", &[]);
    assert!(!environment.iter().any(|(name, _)| name == "JWT_SECRET"));
    let worker = installation.start("worker").await;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().unwrap();
    for path in ["/health", "/health/live", "/health/ready"] {
        for request in [client.get(format!("{}{path}", worker.url)), client.head(format!("{}{path}", worker.url))] {
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        }
    }
    let ready: serde_json::Value = client.get(format!("{}/health/ready", worker.url)).send().await.unwrap().json().await.unwrap();
    for name in ["database", "clickhouse", "redis"] {
        assert_eq!(ready["dependencies"][name]["status"], "ok", "{ready}");
    }
    // The queue is measured now and then.
    let mut metrics = String::new();
    for _ in 0..50 {
        metrics = client.get(format!("{}/metrics", worker.url)).send().await.unwrap().text().await.unwrap();
        if metrics.contains("brokle_queue_entries") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for name in ["brokle_spans_stored_total", "brokle_spans_dead_total", "brokle_queue_entries", "process_resident_memory_bytes"] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    assert_eq!(client.get(format!("{}/api/v1/users/me", worker.url)).send().await.unwrap().status(), 404, "a worker has no API");
    worker.stop().await;
}

#[test]
fn all_problems_of_the_configuration_are_told_at_once() {
    let variables = [
        ("APP_MODE", "server"),
        ("PORT", "eighty"),
        ("HOST", "example.com"),
        ("JWT_SECRET", "short-secret-value"),
        ("DATABASE_URL", "mysql://user:hunter2@host/name"),
        ("LOG_FORMAT", "xml"),
        ("RETENTION_DAYS", "0"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("BROKLE_INIT_API_KEY", "bk_tooshort"),
        ("CLICKHOUSE_PASSWORD_FILE", "/does/not/exist"),
    ];
    let output = run(&variables);
    let parts = [
        "PORT",
        "eighty",
        "HOST",
        "JWT_SECRET is shorter than 32 bytes",
        "DATABASE_URL must start with postgres://",
        "CLICKHOUSE_URL is not set",
        "REDIS_URL is not set",
        "LOG_FORMAT",
        "RETENTION_DAYS",
        "CORS_ALLOWED_ORIGINS",
        "BROKLE_INIT_API_KEY",
        "CLICKHOUSE_PASSWORD_FILE",
    ];
    assert_refused(&output, &parts);
    for secret in ["hunter2", "short-secret-value", "bk_tooshort"] {
        assert!(!text(&output).contains(secret), "shows a secret: {}", text(&output));
    }
}

#[test]
fn a_configuration_file_with_an_unknown_key_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[server]\nprot = 8080\n\n[storage]\nurl = \"\"\n").unwrap();
    assert_refused(&run(&[("BROKLE_CONFIG", file.path().to_str().unwrap())]), &["prot", "storage"]);
    assert_refused(&run(&[("BROKLE_CONFIG", "/does/not/exist.toml")]), &["BROKLE_CONFIG", "/does/not/exist.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_per_data_directory() {
    let installation = Installation::standalone().initialised();
    let first = installation.start("standalone").await;
    let mut second = installation.launch("standalone", &[]);
    let code = second.process.exit_code(STOP).await;
    let printed = second.process.output();
    assert!(code.is_some_and(|code| code != 0), "{code:?}: {printed}");
    for part in [installation.data.to_str().unwrap(), &first.process.id().to_string(), "in use"] {
        assert!(printed.contains(part), "says nothing of {part:?}: {printed}");
    }
    assert!(!printed.contains("panicked"), "{printed}");
    // The first one is none the worse for it.
    let api = Api::sign_in(&first.url).await;
    api.traces().await;
    first.stop().await;
    // And a clean end frees the directory.
    installation.start("standalone").await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_names_the_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let installation = Installation::standalone();
    assert_refused(&installation.run(&[], "standalone", &[("PORT", &port)]), &["PORT", &port]);
    assert!(!installation.data.join("brokle.db").exists(), "nothing is made before the port is known to be free");
    let split = Installation::split().await;
    assert_refused(&split.run(&[], "server", &[("PORT", &port)]), &["PORT", &port]);
    assert_refused(&split.run(&[], "worker", &[("WORKER_PORT", &port)]), &["WORKER_PORT", &port]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_library_that_is_missing_or_another_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let missing = scratch.path().join("missing.so");
    let note = scratch.path().join("note.so");
    std::fs::write(&note, "this is no library\n").unwrap();
    let other = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6"]
        .into_iter()
        .find(|path| std::fs::exists(path).unwrap())
        .expect("a libc.so.6 in one of the usual places");
    let cut = scratch.path().join("cut.so");
    std::fs::write(&cut, &std::fs::read(other).unwrap()[..4096]).unwrap();
    let installation = Installation::standalone();
    let port = Process::free_port().to_string();
    for path in [missing.to_str().unwrap(), scratch.path().to_str().unwrap(), note.to_str().unwrap(), cut.to_str().unwrap(), other] {
        let output = installation.run(&[], "standalone", &[("BROKLE_ENGINE_LIB", path), ("PORT", &port)]);
        assert_refused(&output, &[path, "make engine"]);
        let complaint = text(&output);
        assert_eq!(complaint.lines().filter(|line| line.contains("make engine")).count(), 1, "said once: {complaint}");
    }
    // Found nowhere: every place is named.
    let nowhere = [("BROKLE_ENGINE_LIB", ""), ("XDG_CACHE_HOME", scratch.path().to_str().unwrap()), ("PORT", &port)];
    if !std::fs::exists("/usr/local/lib/libchdb.so").unwrap() {
        assert_refused(
            &installation.run(&[], "standalone", &nowhere),
            &["make engine", "BROKLE_ENGINE_LIB", scratch.path().to_str().unwrap(), "/usr/local/lib"],
        );
    }
    // Roles that talk to a ClickHouse server do without it.
    let split = Installation::split().await;
    split.start_with("server", &[("BROKLE_ENGINE_LIB", missing.to_str().unwrap())]).await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_cannot_be_written_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    std::fs::write(&file, "").unwrap();
    let directory = file.join("data");
    let port = Process::free_port().to_string();
    let output = Installation::standalone().run(&[], "standalone", &[("BROKLE_DATA_DIR", directory.to_str().unwrap()), ("PORT", &port)]);
    assert_refused(&output, &[directory.to_str().unwrap(), "BROKLE_DATA_DIR"]);
}
