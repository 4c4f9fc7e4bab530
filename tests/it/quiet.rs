//! Brokle talks to nobody who was not configured: its sockets are watched from its start to its end.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::harness::{Api, Chance, Installation, Load, verify};

/// A socket of the watched process, as the kernel lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Socket {
    protocol: &'static str,
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    listening: bool,
}

/// Looks at the sockets of a process again and again, on a thread of its own.
struct Watcher {
    stop: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<BTreeSet<Socket>>,
}

impl Watcher {
    fn of(process: u32) -> Self {
        let (stop, looks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (asked, counted) = (Arc::clone(&stop), Arc::clone(&looks));
        let thread = std::thread::spawn(move || {
            let root = PathBuf::from(format!("/proc/{process}"));
            let mut seen = BTreeSet::new();
            while !asked.load(Ordering::Relaxed) {
                seen.extend(sockets(&root));
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(300));
            }
            seen
        });
        Self { stop, looks, thread }
    }

    /// Every socket that was seen.
    fn finish(self) -> BTreeSet<Socket> {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.thread.join().unwrap();
        assert!(self.looks.load(Ordering::Relaxed) > 100, "looked only {} times", self.looks.load(Ordering::Relaxed));
        seen
    }
}

fn sockets(process: &std::path::Path) -> Vec<Socket> {
    // The table first: a socket that is closed between the two looks is then missed, one opened between them is found next time.
    let tables: Vec<(&str, String)> = ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"]
        .into_iter()
        .filter_map(|protocol| Some((protocol, std::fs::read_to_string(process.join("net").join(protocol)).ok()?)))
        .collect();
    let inodes: HashSet<String> = std::fs::read_dir(process.join("fd"))
        .into_iter()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut found = Vec::new();
    for (protocol, table) in &tables {
        for line in table.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            if columns.len() > 9 && inodes.contains(columns[9]) {
                // 0A is LISTEN. Source: include/net/tcp_states.h of Linux.
                let listening = columns[3] == "0A";
                found.push(Socket { protocol, local: address(columns[1]), remote: address(columns[2]), listening });
            }
        }
    }
    found
}

/// `0100007F:1F90`: 32-bit words in the machine's byte order, then the port.
fn address(text: &str) -> (IpAddr, u16) {
    let (host, port) = text.split_once(':').unwrap();
    let bytes: Vec<u8> = host
        .as_bytes()
        .chunks(8)
        .flat_map(|word| u32::from_str_radix(std::str::from_utf8(word).unwrap(), 16).unwrap().to_ne_bytes())
        .collect();
    let host = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::from(four),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()).to_canonical(),
    };
    (host, u16::from_str_radix(port, 16).unwrap())
}

/// Sockets other than the one it listens on, and its clients on loopback.
fn outbound(seen: &BTreeSet<Socket>, port: u16) -> Vec<&Socket> {
    let expected = |socket: &Socket| {
        let tcp = socket.protocol.starts_with("tcp");
        tcp && socket.local.1 == port && socket.local.0.is_loopback() && (socket.listening || socket.remote.0.is_loopback())
    };
    // Bound to nothing and connected to nobody yet: it shows up again once it is.
    let unused = |socket: &Socket| socket.protocol.starts_with("tcp") && socket.local.1 == 0 && socket.remote.1 == 0;
    seen.iter().filter(|socket| !expected(socket) && !unused(socket)).collect()
}

/// What people do with a standalone Brokle, from its first start to its end.
async fn ordinary_use(settings: &[(&str, &str)]) -> (BTreeSet<Socket>, u16) {
    let mut chance = Chance::new();
    let installation = Installation::standalone().initialised();
    let mut running = installation.launch("standalone", settings);
    let watcher = Watcher::of(running.process.id());
    running.wait_until_ready().await;
    let api = Api::sign_in(&running.url).await;
    let load = Load::start(&running.url, 3, &mut chance);
    load.wait_for(100).await;
    let acknowledged = load.stop().await;
    verify(&api, &acknowledged, Duration::ZERO).await;
    for path in ["/", "/docs/", "/openapi.json", "/metrics", "/health", "/health/ready", "/traces/anything"] {
        let answer = api.client.get(format!("{}{path}", running.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(!answer.bytes().await.unwrap().is_empty(), "{path}");
    }
    // Whatever happens on a timer soon after the start.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let port = running.port();
    running.stop().await;
    (watcher.finish(), port)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_process_opens_no_connection() {
    let (seen, port) = ordinary_use(&[]).await;
    assert!(seen.iter().any(|socket| socket.local.1 == port && socket.listening), "the watcher must see it listen: {seen:?}");
    assert!(seen.iter().any(|socket| socket.local.1 == port && socket.remote.1 != 0), "the watcher must see its clients: {seen:?}");
    let outbound = outbound(&seen, port);
    assert!(outbound.is_empty(), "nobody configured these: {outbound:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn server_and_worker_talk_to_their_services_only() {
    let mut chance = Chance::new();
    let installation = Installation::split().await.initialised();
    let services = installation.services.clone().unwrap();
    let ports = [&services.database_url, &services.clickhouse_url, &services.redis_url]
        .map(|url| url.parse::<reqwest::Url>().unwrap().port_or_known_default().unwrap_or(5432));
    let (mut server, mut worker) = (installation.launch("server", &[]), installation.launch("worker", &[]));
    let watchers = [&server, &worker].map(|running| (Watcher::of(running.process.id()), running.port()));
    server.wait_until_ready().await;
    worker.wait_until_ready().await;
    let api = Api::sign_in(&server.url).await;
    let load = Load::start(&server.url, 3, &mut chance);
    load.wait_for(100).await;
    verify(&api, &load.stop().await, Duration::from_secs(30)).await;
    for path in ["/", "/docs/", "/metrics", "/health/ready"] {
        assert_eq!(api.client.get(format!("{}{path}", server.url)).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(api.client.get(format!("{}/metrics", worker.url)).send().await.unwrap().status(), 200);
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.stop().await;
    worker.stop().await;
    for (watcher, port) in watchers {
        let seen = watcher.finish();
        let outbound = outbound(&seen, port);
        for service in ports {
            assert!(outbound.iter().any(|socket| socket.remote.1 == service), "the watcher must see {service}: {outbound:?}");
        }
        let configured =
            |socket: &Socket| socket.protocol.starts_with("tcp") && socket.remote.0.is_loopback() && ports.contains(&socket.remote.1);
        let others: Vec<_> = outbound.iter().filter(|socket| !configured(socket)).collect();
        assert!(others.is_empty(), "nobody configured these: {others:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watcher_sees_a_configured_connection() {
    let collector = wiremock::MockServer::start().await;
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(wiremock::ResponseTemplate::new(200)).mount(&collector).await;
    let (seen, port) = ordinary_use(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.uri())]).await;
    assert!(!collector.received_requests().await.unwrap().is_empty(), "spans must have been sent");
    let outbound = outbound(&seen, port);
    assert!(outbound.iter().any(|socket| socket.remote.1 == collector.address().port()), "the export must be seen: {outbound:?}");
    assert!(outbound.iter().all(|socket| socket.remote.1 == collector.address().port()), "and nothing else: {outbound:?}");
}
