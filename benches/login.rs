//! `make bench-login`: what a flood of wrong sign-ins does to everybody else. Starts the binary of `BROKLE_BIN` as a standalone
//! installation on a private port, and prints how long `GET /api/v1/users/me` takes before and during the flood.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of its own, whose result is its output")]

#[path = "ingest/process.rs"]
#[expect(dead_code, reason = "written for another benchmark, which watches more")]
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use process::{Process, free_port};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a password that nobody guesses";
const FLOOD: usize = 1_000;
const CONNECTIONS: usize = 50;
const BEFORE: Duration = Duration::from_secs(5);
/// Between two requests of the one who is measured: a person at work, not a second flood.
const PAUSE: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // cargo hands `--bench` on; there is nothing to choose here.
    let binary = PathBuf::from(std::env::var("BROKLE_BIN").context("BROKLE_BIN is not set: run make bench-login")?);
    let directory = tempfile::tempdir()?;
    let port = free_port()?;
    let mut server = Process::start("standalone", &binary, &[], &environment(port, directory.path()), directory.path())?;
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1)).build()?;
    let url = format!("http://127.0.0.1:{port}");
    server.ready(&client, &format!("{url}/health/ready"), Duration::from_mins(1)).await?;

    let login: Value = client
        .post(format!("{url}/api/v1/auth/login"))
        .json(&json!({"email": EMAIL, "password": PASSWORD}))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let token = login["data"]["access_token"].as_str().context("no access token")?.to_owned();

    let started = Instant::now();
    let before = measure(&client, &url, &token, || started.elapsed() < BEFORE).await?;

    let (next, answers, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(Answers::default()), Arc::new(AtomicBool::new(false)));
    let started = Instant::now();
    let flood: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(guess(url.clone(), Arc::clone(&next), Arc::clone(&answers)))).collect();
    let waiting = {
        let over = Arc::clone(&over);
        tokio::spawn(async move {
            for guesses in flood {
                guesses.await??;
            }
            over.store(true, Ordering::SeqCst);
            anyhow::Ok(started.elapsed())
        })
    };
    let during = measure(&client, &url, &token, || !over.load(Ordering::SeqCst) && !waiting.is_finished()).await?;
    let took = waiting.await??;
    server.alive()?;

    println!("GET /api/v1/users/me        p50 ms    p99 ms   requests");
    println!("before                    {}", line(before));
    println!("during {FLOOD} wrong sign-ins {}", line(during));
    println!(
        "{FLOOD} wrong sign-ins from {CONNECTIONS} connections in {:.1} s: {} refused as wrong, {} told to come back",
        took.as_secs_f64(),
        answers.wrong.load(Ordering::SeqCst),
        answers.later.load(Ordering::SeqCst)
    );
    ensure!(server.stop(), "the process did not stop by itself");
    Ok(())
}

#[derive(Debug, Default)]
struct Answers {
    wrong: AtomicUsize,
    /// 429 or 503.
    later: AtomicUsize,
}

fn environment(port: u16, data: &std::path::Path) -> BTreeMap<String, String> {
    let port = port.to_string();
    let data = data.join("data").to_string_lossy().into_owned();
    [
        ("HOST", "127.0.0.1"),
        ("PORT", port.as_str()),
        ("LOG_LEVEL", "warn"),
        ("BROKLE_DATA_DIR", data.as_str()),
        ("BROKLE_INIT_ORG", "Bench"),
        ("BROKLE_INIT_PROJECT", "Bench"),
        ("BROKLE_INIT_USER_EMAIL", EMAIL),
        ("BROKLE_INIT_USER_PASSWORD", PASSWORD),
        // All come from one address here, and each shall be looked at.
        ("LOGIN_IP_FREE_FAILURES", "1000000"),
        ("LOGIN_IP_LOCK_FAILURES", "1000000"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// One connection of the flood. Every guess is at another address: an account would be locked after a few.
async fn guess(url: String, next: Arc<AtomicUsize>, answers: Arc<Answers>) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(2)).pool_max_idle_per_host(1).build()?;
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= FLOOD {
            return Ok(());
        }
        let body = json!({"email": format!("somebody{number}@example.com"), "password": "a wrong password"});
        let status = client.post(format!("{url}/api/v1/auth/login")).json(&body).send().await?.status().as_u16();
        match status {
            401 => answers.wrong.fetch_add(1, Ordering::SeqCst),
            429 | 503 => answers.later.fetch_add(1, Ordering::SeqCst),
            other => anyhow::bail!("a wrong sign-in was answered with {other}"),
        };
    }
}

/// Asks who one is for as long as `go_on` says; returns how long each answer took.
async fn measure(client: &reqwest::Client, url: &str, token: &str, go_on: impl Fn() -> bool) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    while go_on() {
        let started = Instant::now();
        let answer = client.get(format!("{url}/api/v1/users/me")).bearer_auth(token).send().await?.error_for_status()?;
        answer.bytes().await?;
        times.push(started.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    ensure!(!times.is_empty(), "nothing was measured");
    Ok(times)
}

fn line(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    format!("{:>10.2} {:>9.2} {:>10}", at(50), at(99), times.len())
}
