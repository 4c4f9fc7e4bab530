//! The streams between server and worker.

use std::collections::HashMap;
use std::time::Duration;

use brokle::common::id::{OrganizationId, ProjectId};
use brokle::config::Config;
use brokle::infra::redis::Redis;
use brokle::observability::ingest::{PartialSuccess, Tenant};
use brokle::observability::queue::Entry;
use deadpool_redis::redis::{Value, cmd};
use prost::Message;

use crate::harness::{
    API_KEY, Api, Installation, Process, Proxy, Services, Setup, Spans, TestApp, attribute, now_ns, request, scratch_dir, span,
};

fn redis(services: &Services) -> Redis {
    let environment =
        [("REDIS_URL".to_owned(), services.redis_url.clone()), ("REDIS_KEY_PREFIX".to_owned(), services.redis_prefix.clone())];
    let config = Config::load(&environment.into_iter().collect()).unwrap();
    Redis::new(&config.redis).unwrap()
}

fn entry(app: &TestApp, body: &[u8], spans: usize) -> Entry {
    entry_of(&app.project_id, body, spans)
}

fn entry_of(project: &str, body: &[u8], spans: usize) -> Entry {
    Entry {
        tenant: Tenant { project_id: project.parse::<ProjectId>().unwrap(), organization_id: OrganizationId::fresh() },
        environment: None,
        received_at_us: now_ns() / 1_000,
        spans,
        memory: 0,
        body: body.to_vec().into(),
        digest: [0; 32],
        partial: PartialSuccess::default(),
    }
}

async fn add(redis: &Redis, stream: &str, id: &str, entry: &Entry) {
    let mut connection = redis.connection().await.unwrap();
    let mut command = cmd("XADD");
    command.arg(redis.key(stream)).arg(id);
    for (name, value) in entry.fields() {
        command.arg(name).arg(&value[..]);
    }
    command.query_async::<String>(&mut *connection).await.unwrap();
}

async fn length(redis: &Redis, stream: &str) -> usize {
    let mut connection = redis.connection().await.unwrap();
    cmd("XLEN").arg(redis.key(stream)).query_async(&mut *connection).await.unwrap()
}

async fn until_empty(redis: &Redis, stream: &str) {
    for _ in 0..200 {
        if length(redis, stream).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{stream} still has {} entries", length(redis, stream).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_ids_on_two_streams_are_two_entries() {
    let app = TestApp::start(Setup::Split).await;
    let redis = redis(app.services.as_ref().unwrap());
    let (first, second) = (Spans::trace_id(), Spans::trace_id());
    let body = |trace_id: &[u8]| zstd::bulk::compress(&request(vec![span(trace_id, 0, now_ns())]).encode_to_vec(), 1).unwrap();
    let id = "9999999999999-0";
    let entries = [entry(&app, &body(&first), 1), entry(&app, &body(&second), 1)];
    // One after the other: in one block they would share its token, whatever that is made of.
    add(&redis, "telemetry:{0}", id, &entries[0]).await;
    app.wait_for_trace(&first, 1).await;
    add(&redis, "telemetry:{1}", id, &entries[1]).await;
    app.wait_for_trace(&second, 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_fault_of_the_entry_itself_makes_a_dead_letter() {
    let app = TestApp::start(Setup::Split).await;
    let redis = redis(app.services.as_ref().unwrap());
    let trace_id = Spans::trace_id();
    add(&redis, "telemetry:{2}", "*", &entry(&app, b"this is not zstd", 7)).await;
    let good = zstd::bulk::compress(&request(vec![span(&trace_id, 0, now_ns())]).encode_to_vec(), 1).unwrap();
    add(&redis, "telemetry:{2}", "*", &entry(&app, &good, 1)).await;
    app.wait_for_trace(&trace_id, 1).await;
    until_empty(&redis, "telemetry:{2}").await;
    assert_eq!(length(&redis, "telemetry:dlq").await, 1);

    let mut connection = redis.connection().await.unwrap();
    let letters: Vec<(String, HashMap<String, Value>)> =
        cmd("XRANGE").arg(redis.key("telemetry:dlq")).arg("-").arg("+").query_async(&mut *connection).await.unwrap();
    let text = |name: &str| deadpool_redis::redis::from_redis_value::<String>(letters[0].1[name].clone()).unwrap();
    assert!(text("reason").contains("zstd"), "{}", text("reason"));
    assert_eq!((text("project"), text("spans"), text("body")), (app.project_id.clone(), "7".to_owned(), "this is not zstd".to_owned()));
    let metrics = app.client.get(format!("{}/metrics", app.worker_url.as_ref().unwrap())).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("brokle_spans_dead_total 7"), "{metrics}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_while_it_gives_up_an_entry_leaves_one_dead_letter() {
    let installation = Installation::split().await.initialised();
    let services = installation.services.clone().unwrap();
    let proxy = Proxy::open_for(&services.redis_url).await;
    let server = installation.start("server").await;
    let mut worker = installation.start_with("worker", &[("REDIS_URL", &proxy.url())]).await;
    let project = Api::sign_in(&server.url).await.project_id;
    let redis = redis(&services);
    // Only acknowledging names the key of the waiting bytes.
    proxy.hold_at(":bytes");
    add(&redis, "telemetry:{2}", "*", &entry_of(&project, b"this is not zstd", 7)).await;
    proxy.wait_until_held(Duration::from_secs(20)).await;
    worker.process.kill();
    let worker = installation.start("worker").await;
    until_empty(&redis, "telemetry:{2}").await;
    assert_eq!(length(&redis, "telemetry:dlq").await, 1);
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_too_many_bytes_is_said_to_be_full() {
    let services = Services::fresh().await;
    let settings = [("QUEUE_MAX_BYTES", "200000"), ("QUEUE_SHARDS", "1")];
    let server = TestApp::start_roles(&["server"], Some(services.clone()), &settings).await;
    let mut accepted = Vec::new();
    let mut refused = String::new();
    for n in 0..6_u64 {
        let trace_id = Spans::trace_id();
        let mut noise = vec![0; 50_000];
        blake3::Hasher::new().update(&(now_ns() + n).to_be_bytes()).finalize_xof().fill(&mut noise);
        let mut large = span(&trace_id, 0, now_ns());
        large.attributes.push(attribute("noise", &hex::encode(noise)));
        match server.send(&request(vec![large])).await {
            (200, _) => accepted.push(trace_id),
            (503, body) => refused = String::from_utf8_lossy(&body).into_owned(),
            other => panic!("{other:?}"),
        }
    }
    assert!((1..6).contains(&accepted.len()), "{} of 50 kB each", accepted.len());
    assert!(refused.contains("bytes wait in the telemetry queue"), "{refused}");
    let app = TestApp::start_on(Setup::Split, Some(services), &[("QUEUE_SHARDS", "1")]).await;
    for trace_id in &accepted {
        app.wait_for_trace(trace_id, 1).await;
    }
    assert_eq!(server.send(&request(vec![span(&Spans::trace_id(), 0, now_ns())])).await.0, 200, "there is room again");
    app.stop().await;
    server.stop().await;
}

/// A Redis of this test alone, ended with it.
struct OwnRedis {
    process: std::process::Child,
    url: String,
    _data: tempfile::TempDir,
}

impl OwnRedis {
    async fn start() -> Self {
        let (port, data) = (Process::free_port(), scratch_dir("redis"));
        let mut command = std::process::Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--appendonly",
            "yes",
            "--maxmemory-policy",
            "noeviction",
            "--dir",
        ]);
        let process = command.arg(data.path()).stdout(std::process::Stdio::null()).spawn().unwrap();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { process, url: format!("redis://127.0.0.1:{port}/0"), _data: data }
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_refuses_spans_and_takes_them_again_later() {
    let own = OwnRedis::start().await;
    let mut services = Services::fresh().await;
    services.redis_url.clone_from(&own.url);
    let app = TestApp::start_on(Setup::Split, Some(services.clone()), &[]).await;
    let redis = redis(&services);
    let limit = async |bytes: &str| {
        let mut connection = redis.connection().await.unwrap();
        cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes).query_async::<()>(&mut *connection).await.unwrap();
    };
    let trace_id = Spans::trace_id();
    let message = request(vec![span(&trace_id, 0, now_ns())]);
    limit("1").await;
    let answer = app
        .client
        .post(format!("{}/v1/traces", app.url))
        .header("x-api-key", API_KEY)
        .header("content-type", "application/x-protobuf")
        .body(message.encode_to_vec())
        .send()
        .await
        .unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (503, true));
    limit("0").await;
    assert_eq!(app.send(&message).await.0, 200, "a failure leaves no mark");
    app.wait_for_trace(&trace_id, 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_said_to_be_full_and_nothing_is_dropped() {
    let services = Services::fresh().await;
    // No worker yet: entries stay.
    let server = TestApp::start_roles(&["server"], Some(services.clone()), &[("QUEUE_MAX_ENTRIES", "4"), ("QUEUE_SHARDS", "1")]).await;
    let mut accepted = Vec::new();
    let mut refused = 0;
    for _ in 0..8 {
        let trace_id = Spans::trace_id();
        match server.send(&request(vec![span(&trace_id, 0, now_ns())])).await.0 {
            200 => accepted.push(trace_id),
            503 => refused += 1,
            other => panic!("unexpected status {other}"),
        }
    }
    assert_eq!((accepted.len(), refused), (4, 4));
    let app = TestApp::start_on(Setup::Split, Some(services), &[("QUEUE_SHARDS", "1")]).await;
    for trace_id in &accepted {
        app.wait_for_trace(trace_id, 1).await;
    }
    assert_eq!(server.send(&request(vec![span(&Spans::trace_id(), 0, now_ns())])).await.0, 200, "there is room again");
    app.stop().await;
    server.stop().await;
}
