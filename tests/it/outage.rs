//! Services that go away, hang and come back, and a disk that is full: nothing acknowledged is lost, nothing is given up, and
//! what is away is named.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use deadpool_redis::redis::{Client, cmd};
use prost::Message;
use serde_json::Value;
use sqlx::Connection;

use crate::harness::{
    API_KEY, Acknowledged, Api, Chance, EMAIL, Installation, Load, PASSWORD, Proxy, Services, Spans, attribute, generation, log_in, now_ns,
    one_span, request, scratch_dir, verify,
};

/// How long a worker may take to store what piled up.
const DRAINED: Duration = Duration::from_secs(30);
/// QUEUE_CLAIM_IDLE_MS where workers must keep their claims, also on a busy machine.
const CLAIM_IDLE_MS: &str = "2000";
/// More than five times that, so that entries would be delivered again and again.
const LONG_OUTAGE: Duration = Duration::from_millis(11_000);
/// How long a process may take to notice that a service is back.
const RECOVERED: Duration = Duration::from_secs(15);

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap()
}

/// The answer of /health/ready.
async fn readiness(url: &str) -> (u16, Value) {
    let answer = client().get(format!("{url}/health/ready")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Waits until /health/ready says that only `name` is away.
async fn wait_until_named(url: &str, name: &str) {
    let started = Instant::now();
    loop {
        let (status, body) = readiness(url).await;
        let away: Vec<&String> =
            body["dependencies"].as_object().unwrap().iter().filter(|(_, state)| state["status"] != "ok").map(|(name, _)| name).collect();
        if status == 503 && away == [name] {
            assert!(!body["dependencies"][name]["reason"].as_str().unwrap().is_empty(), "{body}");
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{name} is away: {status} {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn wait_until_ready(url: &str) {
    let started = Instant::now();
    loop {
        let (status, body) = readiness(url).await;
        if status == 200 {
            return;
        }
        assert!(started.elapsed() < RECOVERED, "everything is back: {status} {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Status, Retry-After and body of a request to /v1/traces.
async fn send(url: &str, key: &str, body: Vec<u8>) -> (u16, Option<String>, String) {
    let post = client().post(format!("{url}/v1/traces")).header("x-api-key", key).header("content-type", "application/x-protobuf");
    let answer = post.body(body).send().await.unwrap();
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), retry_after, String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned())
}

async fn dead_letters(services: &Services) -> u64 {
    let mut redis = Client::open(services.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    cmd("XLEN").arg(format!("{}telemetry:dlq", services.redis_prefix)).query_async(&mut redis).await.unwrap()
}

/// ClickHouse is away for longer than five claim periods, and `restore` brings it back. Both of two workers hold entries all the time,
/// and neither takes one from the other.
async fn clickhouse_goes_away(take_away: impl AsyncFn(&Proxy), restore: impl AsyncFn(&Proxy)) {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let services = installation.services.clone().unwrap();
    let proxy = Proxy::open_for(&services.clickhouse_url).await;
    let installation = installation.with("CLICKHOUSE_URL", &proxy.url()).with("QUEUE_CLAIM_IDLE_MS", CLAIM_IDLE_MS);
    let (server, worker) = (installation.start("server").await, installation.start("worker").await);
    let other = installation.start("worker").await;
    let api = Api::sign_in(&server.url).await;
    let load = Load::start(&server.url, 4, &mut chance);
    load.wait_for(50).await;

    take_away(&proxy).await;
    let outage = Instant::now();
    wait_until_named(&server.url, "clickhouse").await;
    wait_until_named(&worker.url, "clickhouse").await;
    load.wait_for(100).await;
    tokio::time::sleep(LONG_OUTAGE.saturating_sub(outage.elapsed())).await;
    assert_eq!(load.failures(), 0, "the queue takes spans without ClickHouse");
    assert_eq!(dead_letters(&services).await, 0, "an outage is no fault of an entry");

    restore(&proxy).await;
    wait_until_ready(&server.url).await;
    wait_until_ready(&worker.url).await;
    wait_until_ready(&other.url).await;
    load.wait_for(20).await;
    let acknowledged = load.stop().await;
    verify(&api, &acknowledged, DRAINED).await;
    assert_eq!(dead_letters(&services).await, 0, "an outage is no fault of an entry");
    server.stop().await;
    for worker in [worker, other] {
        let log = worker.stop().await;
        assert!(log.contains("holding them"), "both had entries in hand: {log}");
        assert!(!log.contains("took over"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_is_down() {
    clickhouse_goes_away(Proxy::cut, Proxy::open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_hangs() {
    let hold = async |proxy: &Proxy| proxy.hold();
    let back = async |proxy: &Proxy| {
        proxy.disconnect();
        proxy.open().await;
    };
    clickhouse_goes_away(hold, back).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_say_that_clickhouse_is_away() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    let server = installation.start_with("server", &[("CLICKHOUSE_URL", &proxy.url())]).await;
    let api = Api::sign_in(&server.url).await;
    proxy.cut().await;
    let path = format!("/api/v1/traces?project_id={}", api.project_id);
    let (status, body) = api.try_get(&path).await;
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("SERVICE_UNAVAILABLE_ERROR")), "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("telemetry store"), "{body}");
    proxy.open().await;
    wait_until_ready(&server.url).await;
    api.get(&path).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_does_not_wait_for_ever_for_a_store_that_hangs() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    let server = installation.start_with("server", &[("CLICKHOUSE_URL", &proxy.url())]).await;
    let api = Api::sign_in(&server.url).await;
    let path = format!("/api/v1/traces?project_id={}", api.project_id);
    api.get(&path).await;
    proxy.hold();
    let (status, body) = api.try_get(&path).await;
    assert_eq!((status, body["error"]["code"].as_str()), (503, Some("SERVICE_UNAVAILABLE_ERROR")), "{body}");
    proxy.disconnect();
    proxy.open().await;
    wait_until_ready(&server.url).await;
    api.get(&path).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stops_in_time_while_clickhouse_is_away() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().clickhouse_url).await;
    let server = installation.start("server").await;
    let worker = installation.start_with("worker", &[("CLICKHOUSE_URL", &proxy.url())]).await;
    proxy.cut().await;
    let load = Load::start(&server.url, 2, &mut chance);
    load.wait_for(50).await;
    let acknowledged = load.stop().await;
    // What it holds is not acknowledged: the next worker gets it.
    worker.stop().await;
    let worker = installation.start("worker").await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, DRAINED).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_down() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().redis_url).await;
    let installation = installation.with("REDIS_URL", &proxy.url());
    let (server, worker) = (installation.start("server").await, installation.start("worker").await);
    let api = Api::sign_in(&server.url).await;
    // Anything but 200 and 503 with Retry-After fails the load.
    let load = Load::start(&server.url, 4, &mut chance);
    load.wait_for(50).await;

    proxy.cut().await;
    let (status, retry_after, body) = send(&server.url, API_KEY, one_span(&mut Acknowledged::new()).encode_to_vec()).await;
    assert_eq!(status, 503, "{body}");
    assert!(retry_after.is_some_and(|seconds| seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0)), "Retry-After");
    wait_until_named(&server.url, "redis").await;
    wait_until_named(&worker.url, "redis").await;
    api.get(&format!("/api/v1/traces?project_id={}", api.project_id)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(load.failures() > 0);

    proxy.open().await;
    wait_until_ready(&server.url).await;
    wait_until_ready(&worker.url).await;
    load.wait_for(50).await;
    verify(&api, &load.stop().await, DRAINED).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_hangs() {
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().redis_url).await;
    let installation = installation.with("REDIS_URL", &proxy.url());
    let (server, worker) = (installation.start("server").await, installation.start("worker").await);
    let api = Api::sign_in(&server.url).await;
    let mut acknowledged = Acknowledged::new();
    let first = one_span(&mut acknowledged).encode_to_vec();
    assert_eq!(send(&server.url, API_KEY, first).await.0, 200);

    proxy.hold();
    let second = one_span(&mut acknowledged).encode_to_vec();
    let started = Instant::now();
    let (status, retry_after, body) = send(&server.url, API_KEY, second.clone()).await;
    assert_eq!(status, 503, "{body}");
    assert!(retry_after.is_some());
    assert!(started.elapsed() < Duration::from_secs(13), "an answer after {:?}", started.elapsed());
    wait_until_named(&server.url, "redis").await;

    // What hung is delivered after all: the client, which was told 503, sends the same again.
    proxy.open().await;
    wait_until_ready(&server.url).await;
    let (status, _, body) = send(&server.url, API_KEY, second).await;
    assert_eq!(status, 200, "{body}");
    verify(&api, &acknowledged, DRAINED).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_down() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let proxy = Proxy::open_for(&installation.services.as_ref().unwrap().database_url).await;
    let settings = [("DATABASE_URL", &*proxy.url()), ("DATABASE_ACQUIRE_TIMEOUT_SECONDS", "2")];
    let server = installation.start_with("server", &settings).await;
    let worker = installation.start_with("worker", &settings).await;
    let api = Api::sign_in(&server.url).await;
    let load = Load::start(&server.url, 4, &mut chance);
    load.wait_for(50).await;

    proxy.cut().await;
    wait_until_named(&server.url, "database").await;
    wait_until_named(&worker.url, "database").await;
    load.wait_for(100).await;
    assert_eq!(load.failures(), 0, "a key that was looked up is good for a while");
    let unknown = "bk_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";
    let body = one_span(&mut Acknowledged::new()).encode_to_vec();
    let (status, retry_after, answer) = send(&server.url, unknown, body.clone()).await;
    assert_eq!(status, 503, "nobody knows whether the key is good: {answer}");
    assert!(retry_after.is_some());
    let (status, answer) = log_in(&client(), &server.url, EMAIL, PASSWORD).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (503, Some("SERVICE_UNAVAILABLE_ERROR")), "{answer}");
    let (status, answer) = api.try_get("/api/v1/users/me").await;
    assert_eq!(status, 503, "{answer}");

    proxy.open().await;
    wait_until_ready(&server.url).await;
    wait_until_ready(&worker.url).await;
    assert_eq!(send(&server.url, unknown, body).await.0, 401, "now it is known that nobody made it");
    assert_eq!(log_in(&client(), &server.url, EMAIL, PASSWORD).await.0, 200);
    verify(&api, &load.stop().await, DRAINED).await;
    server.stop().await;
    worker.stop().await;
}

/// Waits until `ask` yields `status`; fails after `patience`.
async fn wait_for_status(what: &str, status: u16, patience: Duration, ask: impl AsyncFn() -> u16) {
    let started = Instant::now();
    loop {
        let found = ask().await;
        if found == status {
            return;
        }
        assert!(started.elapsed() < patience, "{what}: {found} after {patience:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_revokes_every_server_refuses() {
    let installation = Installation::split().await.initialised();
    let services = installation.services.clone().unwrap();
    let proxy = Proxy::open_for(&services.redis_url).await;
    let here = installation.start("server").await;
    let there = installation.start_with("server", &[("REDIS_URL", &proxy.url())]).await;
    let log_out = async |api: &Api| {
        let answer = api.client.post(format!("{}/api/v1/auth/logout", here.url)).bearer_auth(&api.token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(api.try_get("/api/v1/users/me").await.0, 401, "the server that was asked refuses at once");
    };
    let ask_there = async |token: &str| {
        let answer = client().get(format!("{}/api/v1/users/me", there.url)).bearer_auth(token).send().await.unwrap();
        answer.status().as_u16()
    };

    let first = Api::sign_in(&here.url).await;
    assert_eq!(ask_there(&first.token).await, 200, "and it is kept in memory there");
    log_out(&first).await;
    wait_for_status("a session that ended elsewhere", 401, Duration::from_secs(1), async || ask_there(&first.token).await).await;

    // While it cannot hear of it, it cannot know; once it hears again, it must.
    let second = Api::sign_in(&here.url).await;
    assert_eq!(ask_there(&second.token).await, 200);
    let span = one_span(&mut Acknowledged::new()).encode_to_vec();
    assert_eq!(send(&there.url, API_KEY, span).await.0, 200, "the key is kept in memory there");
    proxy.cut().await;
    log_out(&second).await;
    let mut postgres = sqlx::PgConnection::connect(&services.database_url).await.unwrap();
    let revoked = sqlx::query("UPDATE api_keys SET revoked_at = now()").execute(&mut postgres).await.unwrap();
    assert_eq!(revoked.rows_affected(), 1);
    assert_eq!(ask_there(&second.token).await, 200, "else this test proves nothing");
    proxy.open().await;
    wait_for_status("a session that ended unheard", 401, Duration::from_secs(5), async || ask_there(&second.token).await).await;
    let span = one_span(&mut Acknowledged::new()).encode_to_vec();
    wait_for_status("a key revoked unheard", 401, Duration::from_secs(5), async || send(&there.url, API_KEY, span.clone()).await.0).await;
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_an_operator_revokes_is_refused_by_every_server_at_once() {
    let installation = Installation::split().await.initialised();
    let (here, there) = (installation.start("server").await, installation.start("server").await);
    let ask = async |url: &str| send(url, API_KEY, one_span(&mut Acknowledged::new()).encode_to_vec()).await.0;
    for server in [&here, &there] {
        assert_eq!(ask(&server.url).await, 200, "and it is kept in memory for a minute");
    }
    // While Redis is away the command says so, and can be run again.
    let away = [("REDIS_URL", "redis://127.0.0.1:1")];
    let output = installation.run(&["admin", "revoke-key", API_KEY], "server", &away);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("60 s") && told.contains("REDIS_URL"), "{told}");
    assert_eq!(ask(&there.url).await, 200, "else this test proves nothing");
    let output = installation.run(&["admin", "revoke-key", API_KEY], "server", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for server in [&here, &there] {
        wait_for_status("a revoked key", 401, Duration::from_secs(1), async || ask(&server.url).await).await;
    }
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_an_operator_revokes_is_refused_by_a_standalone_process_soon() {
    let installation = Installation::standalone().initialised();
    let running = installation.start("standalone").await;
    let ask = async || send(&running.url, API_KEY, one_span(&mut Acknowledged::new()).encode_to_vec()).await.0;
    assert_eq!(ask().await, 200);
    let output = installation.run(&["admin", "revoke-key", API_KEY], "standalone", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // A second of memory, and a slow machine.
    wait_for_status("a revoked key", 401, Duration::from_secs(3), ask).await;
    running.stop().await;
}

/// A small disk that only this thread and the processes it starts can see, so that it is gone with them however they end.
struct SmallDisk {
    directory: tempfile::TempDir,
}

const MAY_NOT_MOUNT: &str =
    "this test needs a small disk and may not mount one: run the tests as root, or in a container with CAP_SYS_ADMIN";

impl SmallDisk {
    fn new(megabytes: u32) -> Self {
        // SAFETY: gives the calling thread a view of the mounts of its own; nothing in memory changes.
        let apart = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        assert_eq!(apart, 0, "{MAY_NOT_MOUNT}: {}", std::io::Error::last_os_error());
        // Else the mount would show up outside after all.
        Self::mount(&["--make-rprivate"], Path::new("/"));
        let directory = scratch_dir("small-disk");
        Self::mount(&["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"], directory.path());
        Self { directory }
    }

    fn grow(&self, megabytes: u32) {
        Self::mount(&["-o", &format!("remount,size={megabytes}m")], self.directory.path());
    }

    fn mount(arguments: &[&str], path: &Path) {
        let output = Command::new("mount").args(arguments).arg(path).output().unwrap();
        assert!(output.status.success(), "{MAY_NOT_MOUNT}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.directory.path()).status();
    }
}

/// Text that no codec shrinks by more than a quarter.
fn noise(chance: &mut Chance, bytes: usize) -> String {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().update(&chance.below(u64::MAX).to_be_bytes()).finalize_xof().fill(&mut noise);
    base64::engine::general_purpose::STANDARD.encode(noise)
}

// On one thread: only that one sees the disk.
#[tokio::test]
async fn a_full_disk_stops_ingestion_and_loses_nothing() {
    let mut chance = Chance::new();
    let disk = SmallDisk::new(64);
    let installation =
        Installation::standalone().initialised().with("BROKLE_DATA_DIR", disk.directory.path().join("data").to_str().unwrap());
    let mut running = installation.start("standalone").await;
    let api = Api::sign_in(&running.url).await;
    let mut acknowledged = Acknowledged::new();
    let trace_ids: Vec<_> = (0..4).map(|_| Spans::trace_id()).collect();
    let started_ns = now_ns();
    let body = |n: u64, chance: &mut Chance| {
        let trace_id = &trace_ids[usize::try_from(n % 4).unwrap()];
        let mut span = generation(trace_id, n, started_ns + n * 1_000);
        span.attributes.push(attribute("ballast", &noise(chance, 600_000)));
        (trace_id.clone(), request(vec![span]).encode_to_vec())
    };

    let mut n = 0;
    let refused = loop {
        assert!(n < 2_000, "the disk must be full by now");
        let (trace_id, sent) = body(n, &mut chance);
        let (status, retry_after, text) = send(&running.url, API_KEY, sent.clone()).await;
        match status {
            200 => acknowledged.entry(trace_id).or_default().insert(n),
            503 => {
                assert!(retry_after.is_some(), "{text}");
                break (trace_id, sent);
            }
            _ => panic!("{status}: {text}"),
        };
        n += 1;
    };
    assert!(n > 20, "only {n} spans fit");
    // Refused again and again, and it keeps running and answering.
    for _ in 0..5 {
        let (status, _, text) = send(&running.url, API_KEY, refused.1.clone()).await;
        if status == 200 {
            break;
        }
        assert_eq!(status, 503, "{text}");
    }
    assert!(running.process.is_running(), "{}", running.process.output());
    for (trace_id, numbers) in &acknowledged {
        let spans = api.spans(&hex::encode(trace_id)).await;
        assert!(spans.len() >= numbers.len(), "{} of {} spans", spans.len(), numbers.len());
    }

    disk.grow(256);
    let started = Instant::now();
    loop {
        let (status, _, text) = send(&running.url, API_KEY, refused.1.clone()).await;
        if status == 200 {
            break;
        }
        assert!(status == 503 && started.elapsed() < RECOVERED, "there is room again: {status} {text}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    acknowledged.entry(refused.0).or_default().insert(n);
    for n in n + 1..n + 20 {
        let (trace_id, sent) = body(n, &mut chance);
        let (status, _, text) = send(&running.url, API_KEY, sent).await;
        assert_eq!(status, 200, "{text}");
        acknowledged.entry(trace_id).or_default().insert(n);
    }
    verify(&api, &acknowledged, Duration::ZERO).await;

    running.process.kill();
    let running = installation.start("standalone").await;
    verify(&Api::sign_in(&running.url).await, &acknowledged, Duration::ZERO).await;
    running.stop().await;
}
