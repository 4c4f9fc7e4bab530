//! How a process ends when it is asked to.

use std::time::{Duration, Instant};

use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{API_KEY, Acknowledged, Api, Chance, Installation, Load, Process, STOP, one_span, verify};

/// A request of which only a part was sent.
struct SlowUpload {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl SlowUpload {
    async fn begin(port: u16, body: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {API_KEY}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let (first, rest) = body.split_at(body.len() / 2);
        stream.write_all(&[head.as_bytes(), first].concat()).await.unwrap();
        stream.flush().await.unwrap();
        // Long enough for the handler to have begun.
        tokio::time::sleep(Duration::from_millis(300)).await;
        Self { stream, rest: rest.to_vec() }
    }

    /// Sends the rest; the answer.
    async fn finish(mut self) -> String {
        self.stream.write_all(&self.rest).await.unwrap();
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// SIGTERM while a body is on its way: it is taken to its end, and no other is begun.
async fn finishes_what_is_in_flight(installation: Installation, role: &str) {
    let mut running = installation.start(role).await;
    let worker = if role == "server" { Some(installation.start("worker").await) } else { None };
    let mut acknowledged = Acknowledged::new();
    let upload = SlowUpload::begin(running.port(), &one_span(&mut acknowledged).encode_to_vec()).await;
    running.process.signal(libc::SIGTERM);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(running.process.is_running(), "it must wait for the request: {}", running.process.output());
    assert!(TcpStream::connect(("127.0.0.1", running.port())).await.is_err(), "it must take no new connection");
    let answer = upload.finish().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(running.process.exit_code(STOP).await, Some(0), "{}", running.process.output());
    let again = installation.start(role).await;
    verify(&Api::sign_in(&again.url).await, &acknowledged, Duration::from_secs(10)).await;
    again.stop().await;
    if let Some(worker) = worker {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_process_finishes_what_is_in_flight() {
    finishes_what_is_in_flight(Installation::standalone().initialised(), "standalone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_finishes_what_is_in_flight() {
    finishes_what_is_in_flight(Installation::split().await.initialised(), "server").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_loses_nothing() {
    let mut chance = Chance::new();
    let installation = Installation::standalone().initialised();
    let mut running = installation.start("standalone").await;
    // Sends again what failed, so that all is acknowledged in the end, some of it by the process that comes after.
    let load = Load::start(&running.url, 6, &mut chance);
    load.wait_for(100).await;
    chance.sleep(Duration::ZERO, Duration::from_millis(500)).await;
    let asked = Instant::now();
    running.process.signal(libc::SIGTERM);
    assert_eq!(running.process.exit_code(STOP).await, Some(0), "{}", running.process.output());
    assert!(asked.elapsed() < Duration::from_secs(12), "took {:?}", asked.elapsed());
    let log = running.process.output();
    assert!(log.contains("SIGTERM") && log.contains("stopped"), "{log}");
    let running = installation.start_on(running.port(), "standalone").await;
    load.wait_for(20).await;
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&running.url).await, &acknowledged, Duration::ZERO).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_under_load_leaves_nothing_behind() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let server = installation.start("server").await;
    let mut worker = installation.start("worker").await;
    let load = Load::start(&server.url, 6, &mut chance);
    for _ in 0..3 {
        load.wait_for(30).await;
        let log = worker.stop().await;
        assert!(!log.contains("panicked"), "{log}");
        worker = installation.start("worker").await;
    }
    let acknowledged = load.stop().await;
    verify(&Api::sign_in(&server.url).await, &acknowledged, Duration::from_secs(15)).await;
    server.stop().await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_does_not_keep_the_process() {
    let installation = Installation::standalone().initialised().with("SHUTDOWN_TIMEOUT_SECONDS", "2");
    let mut running = installation.start("standalone").await;
    let _upload = SlowUpload::begin(running.port(), &one_span(&mut Acknowledged::new()).encode_to_vec()).await;
    let asked = Instant::now();
    running.process.signal(libc::SIGTERM);
    // A client that stalls is no fault of the process: all that was accepted is stored.
    assert_eq!(running.process.exit_code(STOP).await, Some(0), "{}", running.process.output());
    assert!(asked.elapsed() < Duration::from_secs(6), "took {:?}:\n{}", asked.elapsed(), running.process.output());
    assert!(!running.process.output().contains("panicked"), "{}", running.process.output());
    installation.start("standalone").await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    for (first, second) in [(libc::SIGTERM, libc::SIGTERM), (libc::SIGINT, libc::SIGINT), (libc::SIGTERM, libc::SIGINT)] {
        let installation = Installation::standalone().initialised();
        let mut running = installation.start("standalone").await;
        let _upload = SlowUpload::begin(running.port(), &one_span(&mut Acknowledged::new()).encode_to_vec()).await;
        running.process.signal(first);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(running.process.is_running(), "{}", running.process.output());
        running.process.signal(second);
        let code = running.process.exit_code(Duration::from_millis(1_500)).await;
        assert_eq!(code, Some(130), "{}", running.process.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_process_stops_quickly() {
    let installation = Installation::standalone().initialised();
    let running = installation.start("standalone").await;
    // A browser keeps its connection open.
    let client = Api::sign_in(&running.url).await;
    let asked = Instant::now();
    running.stop().await;
    assert!(asked.elapsed() < Duration::from_secs(4), "took {:?}", asked.elapsed());
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_waits_for_its_services_stops_when_asked() {
    let installation = Installation::split().await;
    let nobody = format!("http://127.0.0.1:{}", Process::free_port());
    let mut server = installation.launch("server", &[("CLICKHOUSE_URL", &nobody)]);
    server.process.wait_for_output("ClickHouse", Duration::from_secs(15)).await;
    let asked = Instant::now();
    server.process.signal(libc::SIGTERM);
    assert_eq!(server.process.exit_code(Duration::from_secs(5)).await, Some(0), "{}", server.process.output());
    assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}: {}", asked.elapsed(), server.process.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_waits_for_migrations_stops_when_asked() {
    let installation = Installation::split().await;
    let mut worker = installation.launch("worker", &[]);
    worker.process.wait_for_output("waiting for", Duration::from_secs(15)).await;
    let asked = Instant::now();
    worker.process.signal(libc::SIGTERM);
    assert_eq!(worker.process.exit_code(Duration::from_secs(5)).await, Some(0), "{}", worker.process.output());
    assert!(asked.elapsed() < Duration::from_secs(3), "took {:?}: {}", asked.elapsed(), worker.process.output());
}
