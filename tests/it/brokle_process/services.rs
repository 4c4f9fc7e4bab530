//! Servers, workers and the services they need, started in any order.

use std::time::Duration;

use super::{assert_refused, text};
use crate::harness::{Api, Chance, Installation, Load, Process, Proxy, Running, environment_variable, verify};

/// A server that starts before one of its services says so, and runs as soon as the service is there.
async fn waits_for(variable: &str, name: &str, url: impl Fn(&Installation) -> String) {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::closed(&url(&installation));
    let installation = installation.with(variable, &proxy.url());
    let mut server = installation.launch("server", &[]);
    server.process.wait_for_output(name, Duration::from_secs(15)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(server.process.is_running(), "{}", server.process.output());
    proxy.open().await;
    server.wait_until_ready().await;
    let log = server.process.output();
    assert!(!log.contains("panicked"), "{log}");
    Api::sign_in(&server.url).await.traces().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_postgres() {
    waits_for("DATABASE_URL", "Postgres", |installation| installation.services.as_ref().unwrap().database_url.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_clickhouse() {
    waits_for("CLICKHOUSE_URL", "ClickHouse", |installation| installation.services.as_ref().unwrap().clickhouse_url.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waits_for_redis() {
    waits_for("REDIS_URL", "Redis", |installation| installation.services.as_ref().unwrap().redis_url.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_hangs_at_start_is_named() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    proxy.hold();
    let mut server = installation.launch("server", &[("CLICKHOUSE_URL", &proxy.url())]);
    server.process.wait_for_output("ClickHouse (CLICKHOUSE_URL) does not answer yet", Duration::from_secs(15)).await;
    assert!(server.process.output().contains("no answer within 5 s"), "{}", server.process.output());
    proxy.open().await;
    server.wait_until_ready().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_give_up_on_a_service_that_never_comes() {
    let installation = Installation::split().await;
    let port = Process::free_port();
    let away = [
        ("DATABASE_URL", format!("postgres://brokle:hunter2@127.0.0.1:{port}/none"), "Postgres"),
        ("CLICKHOUSE_URL", format!("http://127.0.0.1:{port}"), "ClickHouse"),
        ("REDIS_URL", format!("redis://:hunter2@127.0.0.1:{port}"), "Redis"),
    ];
    for (variable, url, name) in &away {
        let started = std::time::Instant::now();
        let output = installation.run(&["migrate", "--check"], "server", &[(variable, url)]);
        assert_refused(&output, &[name, variable]);
        assert!(!text(&output).contains("hunter2"), "shows a password: {}", text(&output));
        assert!(started.elapsed() < Duration::from_secs(12), "took {:?}", started.elapsed());
    }
    let (variable, url, name) = &away[2];
    let output = installation.run(&["doctor"], "server", &[(variable, url)]);
    assert_refused(&output, &[name, variable, "FAILED"]);
    assert!(!text(&output).contains("hunter2"), "shows a password: {}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_at_once() {
    let installation = Installation::split().await;
    let right = &installation.services.as_ref().unwrap().database_url;
    let mut wrong: reqwest::Url = right.parse().unwrap();
    wrong.set_password(Some("hunter2")).unwrap();
    let started = std::time::Instant::now();
    let output = installation.run(&["migrate", "--check"], "server", &[("DATABASE_URL", wrong.as_str())]);
    assert_refused(&output, &["DATABASE_URL", "password"]);
    assert!(!text(&output).contains("hunter2"), "{}", text(&output));
    assert!(started.elapsed() < Duration::from_secs(4), "waiting cannot mend it: took {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn five_servers_that_start_at_once_migrate_once() {
    let installation = Installation::split().await.initialised();
    let mut servers: Vec<_> = (0..5).map(|_| installation.launch("server", &[])).collect();
    for server in &mut servers {
        server.wait_until_ready().await;
    }
    let migrated = servers.iter().filter(|server| server.process.output().contains("database migrated")).count();
    assert_eq!(migrated, 1, "how many migrated the relational database");
    // Each step of ClickHouse's schema once, by the one that held the lock.
    let forward =
        |server: &Running| server.process.output().lines().filter(|line| line.contains("ClickHouse schema was brought forward")).count();
    let steps: Vec<usize> = servers.iter().map(forward).filter(|steps| *steps > 0).collect();
    assert_eq!(steps, [brokle::infra::clickhouse::migrate::MIGRATIONS.len()], "steps by each server that made any");
    for server in &servers {
        let log = server.process.output();
        assert!(!log.contains("\"ERROR\"") && !log.contains("panicked"), "{log}");
    }
    let output = installation.run(&["migrate", "--check"], "server", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    // All five made the same first things, once.
    let me = Api::sign_in(&servers[3].url).await.get("/api/v1/users/me").await;
    assert_eq!(me["data"]["organizations"].as_array().unwrap().len(), 1, "{me}");
    assert_eq!(me["data"]["organizations"][0]["projects"].as_array().unwrap().len(), 1, "{me}");
    // A span sent to one is found by another.
    let mut chance = Chance::new();
    let worker = installation.start("worker").await;
    let load = Load::start(&servers[0].url, 2, &mut chance);
    load.wait_for(20).await;
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&servers[4].url).await, &acknowledged, Duration::from_secs(15)).await;
    worker.stop().await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_waits_for_a_server_to_migrate() {
    let installation = Installation::split().await.initialised();
    let mut worker = installation.launch("worker", &[]);
    worker.process.wait_for_output("waiting for", Duration::from_secs(15)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(worker.process.is_running(), "{}", worker.process.output());
    assert_ne!(installation.run(&["migrate", "--check"], "worker", &[]).status.code(), Some(0), "a worker migrates nothing");
    // It says meanwhile that it lives, and what it waits for.
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().unwrap();
    assert_eq!(client.get(format!("{}/health/live", worker.url)).send().await.unwrap().status(), 200);
    let ready = client.get(format!("{}/health/ready", worker.url)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    let ready: serde_json::Value = ready.json().await.unwrap();
    assert_eq!(ready["status"], "starting", "{ready}");
    assert_eq!(ready["reason"], "waiting for a server to migrate the databases", "{ready}");
    let server = installation.start("server").await;
    worker.wait_until_ready().await;
    let log = worker.process.output();
    assert!(log.contains("migrat"), "{log}");
    server.stop().await;
    worker.stop().await;
}

/// What `make services` would start.
fn redis_server() -> &'static str {
    let path = environment_variable("PATH").unwrap_or_default();
    let installed = |name: &&str| std::env::split_paths(&path).any(|directory| directory.join(name).is_file());
    ["redis-server", "valkey-server"].into_iter().find(installed).unwrap_or("redis-server")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_may_forget_is_refused() {
    use deadpool_redis::redis::{Client, cmd};
    let installation = Installation::split().await;
    let url = installation.services.as_ref().unwrap().redis_url.clone();

    let (port, scratch) = (Process::free_port(), tempfile::tempdir().unwrap());
    // A Redis of its own, as a package installs it: memory bounded, nothing appended.
    let spawned = std::process::Command::new(redis_server())
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--maxmemory",
            "64mb",
            "--maxmemory-policy",
            "allkeys-lru",
            "--dir",
        ])
        .arg(scratch.path())
        .stdout(std::process::Stdio::null())
        .spawn();
    struct Killed(std::process::Child);
    impl Drop for Killed {
        fn drop(&mut self) {
            let _ = (self.0.kill(), self.0.wait());
        }
    }
    let _redis = Killed(spawned.unwrap_or_else(|error| panic!("Redis: {error}; run scripts/install-deps.sh, and see {url}")));
    let lax = format!("redis://127.0.0.1:{port}");
    for _ in 0..100 {
        let client = Client::open(lax.as_str()).unwrap();
        if let Ok(mut connection) = client.get_multiplexed_async_connection().await
            && cmd("PING").query_async::<String>(&mut connection).await.is_ok()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let free = Process::free_port().to_string();
    assert_refused(
        &installation.run(&[], "server", &[("REDIS_URL", &lax), ("PORT", &free)]),
        &["noeviction", "appendonly", "REDIS_DURABILITY_CHECK"],
    );
    let server = installation.start_with("server", &[("REDIS_URL", &lax), ("REDIS_DURABILITY_CHECK", "warn")]).await;
    let log = server.stop().await;
    assert!(log.contains("noeviction") && log.contains("appendonly"), "{log}");
}
