//! `kill -9` under load: what was acknowledged is there afterwards, once in every total.
//!
//! Clients send small batches over several connections into shared and own traces, send again what failed and now and then what
//! did not. The moment of each kill is random; the seed is printed, and BROKLE_TEST_SEED repeats it.

use std::time::Duration;

use deadpool_redis::redis::{Client, cmd};

use crate::harness::{Api, Chance, Installation, Load, Proxy, Running, verify};

const CONNECTIONS: usize = 6;
/// How long a worker may take to store what is queued, taking over from a dead one included.
const DRAINED: Duration = Duration::from_secs(20);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Kills a process at a random moment and starts it again on the same port.
async fn kill_and_restart(installation: &Installation, role: &str, mut running: Running, chance: &mut Chance) -> Running {
    chance.sleep(ms(150), ms(1_500)).await;
    running.process.kill();
    // Clients find nobody for a while.
    chance.sleep(ms(0), ms(200)).await;
    installation.start_on(running.port(), role).await
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_loses_nothing() {
    let mut chance = Chance::new();
    let installation = Installation::standalone().initialised();
    let mut running = installation.start("standalone").await;
    let load = Load::start(&running.url, CONNECTIONS, &mut chance);
    for _ in 0..3 {
        load.wait_for(20).await;
        running = kill_and_restart(&installation, "standalone", running, &mut chance).await;
    }
    load.wait_for(20).await;
    assert!(load.failures() > 0, "the kills must have hit requests");
    let acknowledged = load.stop().await;
    // Acknowledged is queryable: no patience.
    verify(&Api::sign_in(&running.url).await, &acknowledged, Duration::ZERO).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_survives_being_killed_in_its_first_start() {
    let mut chance = Chance::new();
    let installation = Installation::standalone().initialised();
    for _ in 0..6 {
        let mut running = installation.launch("standalone", &[]);
        chance.sleep(ms(20), ms(700)).await;
        running.process.kill();
    }
    let running = installation.start("standalone").await;
    let api = Api::sign_in(&running.url).await;
    let me = api.get("/api/v1/users/me").await;
    let organizations = me["data"]["organizations"].as_array().unwrap();
    assert_eq!(organizations.len(), 1, "{me}");
    assert_eq!(organizations[0]["projects"].as_array().unwrap().len(), 1, "{me}");
    let load = Load::start(&running.url, 2, &mut chance);
    load.wait_for(10).await;
    verify(&api, &load.stop().await, Duration::ZERO).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let mut server = installation.start("server").await;
    let worker = installation.start("worker").await;
    let load = Load::start(&server.url, CONNECTIONS, &mut chance);
    for _ in 0..3 {
        load.wait_for(20).await;
        server = kill_and_restart(&installation, "server", server, &mut chance).await;
    }
    load.wait_for(20).await;
    assert!(load.failures() > 0, "the kills must have hit requests");
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, DRAINED).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_loses_nothing() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let server = installation.start("server").await;
    let mut worker = installation.start("worker").await;
    let load = Load::start(&server.url, CONNECTIONS, &mut chance);
    for _ in 0..4 {
        load.wait_for(20).await;
        worker = kill_and_restart(&installation, "worker", worker, &mut chance).await;
    }
    load.wait_for(20).await;
    assert_eq!(load.failures(), 0, "a server takes spans without a worker");
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, DRAINED).await;
    assert_queue_is_empty(&installation).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_workers_is_killed_and_the_other_takes_over() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let server = installation.start("server").await;
    let (mut doomed, other) = (installation.start("worker").await, installation.start("worker").await);
    let load = Load::start(&server.url, CONNECTIONS, &mut chance);
    chance.sleep(ms(500), ms(1_500)).await;
    doomed.process.kill();
    load.wait_for(50).await;
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, DRAINED).await;
    assert_queue_is_empty(&installation).await;
    server.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_between_insert_and_acknowledgement_counts_nothing_twice() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let services = installation.services.clone().unwrap();
    let server = installation.start("server").await;
    let proxy = Proxy::open_for(&services.redis_url).await;
    let mut doomed = installation.start_with("worker", &[("REDIS_URL", &proxy.url())]).await;
    // The only scripts that a worker runs are acknowledgements.
    proxy.hold_at("EVALSHA");
    let load = Load::start(&server.url, CONNECTIONS, &mut chance);
    load.wait_for(100).await;
    proxy.wait_until_held(Duration::from_secs(10)).await;
    let acknowledged = load.stop().await;
    let api = Api::sign_in(&server.url).await;
    let stored: u64 = api.traces().await.iter().map(|trace| trace["span_count"].as_u64().unwrap()).sum();
    assert!(stored > 0, "what is about to be acknowledged is stored already");
    assert!(queued(&installation).await > 0, "and still queued");
    doomed.process.kill();
    proxy.cut().await;

    let worker = installation.start("worker").await;
    verify(&api, &acknowledged, DRAINED).await;
    assert_queue_is_empty(&installation).await;
    verify(&api, &acknowledged, Duration::ZERO).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_killed_at_once_loses_nothing() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let (mut server, mut worker) = (installation.start("server").await, installation.start("worker").await);
    let load = Load::start(&server.url, CONNECTIONS, &mut chance);
    for _ in 0..2 {
        load.wait_for(20).await;
        chance.sleep(ms(150), ms(1_500)).await;
        server.process.kill();
        worker.process.kill();
        server = installation.start_on(server.port(), "server").await;
        worker = installation.start_on(worker.port(), "worker").await;
    }
    load.wait_for(20).await;
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, DRAINED).await;
    assert_queue_is_empty(&installation).await;
    server.stop().await;
    worker.stop().await;
}

/// Entries in all streams of the installation.
async fn queued(installation: &Installation) -> u64 {
    let services = installation.services.as_ref().unwrap();
    let mut redis = Client::open(services.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut entries = 0;
    for shard in 0..4 {
        let stream = format!("{}telemetry:{{{shard}}}", services.redis_prefix);
        entries += cmd("XLEN").arg(stream).query_async::<u64>(&mut redis).await.unwrap();
    }
    entries
}

/// Nothing waits, and nothing was given up.
async fn assert_queue_is_empty(installation: &Installation) {
    let services = installation.services.as_ref().unwrap();
    let mut redis = Client::open(services.redis_url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let dead: u64 = cmd("XLEN").arg(format!("{}telemetry:dlq", services.redis_prefix)).query_async(&mut redis).await.unwrap();
    assert_eq!(dead, 0, "dead letters");
    for _ in 0..200 {
        if queued(installation).await == 0 {
            for shard in 0..4 {
                let bytes = format!("{}telemetry:{{{shard}}}:bytes", services.redis_prefix);
                let waiting: Option<u64> = cmd("GET").arg(bytes).query_async(&mut redis).await.unwrap();
                assert_eq!(waiting.unwrap_or(0), 0, "bytes that wait in shard {shard}");
            }
            return;
        }
        tokio::time::sleep(ms(50)).await;
    }
    panic!("{} entries are still queued", queued(installation).await);
}
