//! The two set-ups: one process that does everything, and server with worker around Postgres, Redis and the engine.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use brokle::infra::clickhouse::ClickHouse;
use deadpool_redis::redis;
use rand::RngExt;
use rand::distr::Alphanumeric;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use crate::api::Api;
use crate::load::Target;
use crate::process::{Process, free_port, usage};

const EMAIL: &str = "bench@example.com";
const PATIENCE: Duration = Duration::from_mins(1);
/// After its start a process settles for so long before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(5);

/// The servers that a split set-up needs.
#[derive(Debug, Clone)]
pub struct Services {
    pub database_url: String,
    pub redis_url: String,
    pub clickhouse_url: String,
    /// Processes of theirs that can be watched, by name.
    pub processes: Vec<(&'static str, u32)>,
}

/// Start and idle figures of one process.
#[derive(Debug, Clone)]
pub struct Start {
    pub name: &'static str,
    /// With nothing there: databases and schema are made.
    pub first: Duration,
    pub again: Duration,
    pub idle_rss: u64,
    /// Percent of one core.
    pub idle_cpu: f64,
}

/// A set-up that runs.
#[derive(Debug)]
pub struct Setup {
    pub name: &'static str,
    pub target: Target,
    pub api: Api,
    /// Where spans can be counted apart from the API; `None` for the embedded engine.
    pub store: Option<ClickHouse>,
    /// What is watched, Brokle's own processes first.
    pub watched: Vec<(&'static str, u32)>,
    pub starts: Vec<Start>,
    pub processes: Vec<Process>,
    // Dropped after the processes that use it.
    _data: Option<TempDir>,
}

fn secret(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// One process of a set-up, in the form in which it is started.
struct Part {
    name: &'static str,
    port: u16,
    environment: BTreeMap<String, String>,
}

/// Starts the parts, stops them, starts them again, and lets them idle.
async fn start(parts: Vec<Part>, binary: &Path, directory: &Path, http: &reqwest::Client) -> anyhow::Result<(Vec<Process>, Vec<Start>)> {
    let mut first = Vec::new();
    let mut processes = Vec::new();
    for part in &parts {
        let mut process = Process::start(part.name, binary, &["serve"], &part.environment, directory)?;
        first.push(process.ready(http, &format!("http://127.0.0.1:{}/health/ready", part.port), PATIENCE).await?);
        processes.push(process);
    }
    for mut process in processes.drain(..).rev() {
        process.stop();
    }
    let mut again = Vec::new();
    for part in &parts {
        let mut process = Process::start(part.name, binary, &["serve"], &part.environment, directory)?;
        again.push(process.ready(http, &format!("http://127.0.0.1:{}/health/ready", part.port), PATIENCE).await?);
        processes.push(process);
    }
    tokio::time::sleep(SETTLE).await;
    let before = processes.iter().map(|process| usage(process.id())).collect::<anyhow::Result<Vec<_>>>()?;
    let begin = Instant::now();
    tokio::time::sleep(IDLE).await;
    let mut starts = Vec::new();
    for (index, process) in processes.iter().enumerate() {
        let after = usage(process.id())?;
        starts.push(Start {
            name: process.name,
            first: first[index],
            again: again[index],
            idle_rss: after.rss,
            idle_cpu: (after.cpu - before[index].cpu) / begin.elapsed().as_secs_f64() * 100.0,
        });
    }
    Ok((processes, starts))
}

/// Standalone on an empty directory.
pub async fn standalone(binary: &Path, directory: &Path, http: &reqwest::Client) -> anyhow::Result<Setup> {
    let data = tempfile::tempdir_in(directory)?;
    let port = free_port()?;
    let (api_key, password) = (format!("bk_{}", secret(40)), secret(20));
    let path: PathBuf = data.path().join("brokle");
    let environment = owned([
        ("PORT", &port.to_string()),
        ("BROKLE_DATA_DIR", path.to_str().context("the directory is no UTF-8")?),
        ("BROKLE_INIT_ORG", "Bench"),
        ("BROKLE_INIT_PROJECT", "Ingest"),
        ("BROKLE_INIT_USER_EMAIL", EMAIL),
        ("BROKLE_INIT_USER_PASSWORD", &password),
        ("BROKLE_INIT_API_KEY", &api_key),
        // Counted as always, and never refused.
        ("RATE_LIMIT_PER_KEY", "4000000000"),
        ("RATE_LIMIT_PER_USER", "4000000000"),
        ("LOG_LEVEL", "warn"),
        ("LOG_FORMAT", "json"),
    ]);
    let (processes, starts) = start(vec![Part { name: "standalone", port, environment }], binary, directory, http).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let api = Api::log_in(http, address, EMAIL, &password).await?;
    let watched = processes.iter().map(|process| (process.name, process.id())).collect();
    Ok(Setup { name: "standalone", target: Target { address, api_key }, api, store: None, watched, starts, processes, _data: Some(data) })
}

/// Server and worker on a fresh database in each of the services.
pub async fn split(binary: &Path, directory: &Path, http: &reqwest::Client, services: &Services) -> anyhow::Result<Setup> {
    let name = format!("bench_{}", secret(8).to_lowercase());
    let admin = sea_orm::Database::connect(&services.database_url).await.context("cannot connect to Postgres")?;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.context("cannot create a database in Postgres")?;
    admin.close().await?;
    let mut database_url = reqwest::Url::parse(&services.database_url).context("the URL of Postgres cannot be read")?;
    database_url.set_path(&name);

    let (port, worker_port) = (free_port()?, free_port()?);
    let (api_key, password, jwt, prefix) = (format!("bk_{}", secret(40)), secret(20), secret(48), format!("{name}:"));
    let shared = owned([
        ("DATABASE_URL", database_url.as_str()),
        ("CLICKHOUSE_URL", &services.clickhouse_url),
        ("CLICKHOUSE_DATABASE", &name),
        ("REDIS_URL", &services.redis_url),
        ("REDIS_KEY_PREFIX", &prefix),
        ("LOG_LEVEL", "warn"),
        ("LOG_FORMAT", "json"),
    ]);
    let mut server = shared.clone();
    server.extend(owned([
        ("APP_MODE", "server"),
        ("PORT", &port.to_string()),
        ("JWT_SECRET", &jwt),
        ("BROKLE_INIT_ORG", "Bench"),
        ("BROKLE_INIT_PROJECT", "Ingest"),
        ("BROKLE_INIT_USER_EMAIL", EMAIL),
        ("BROKLE_INIT_USER_PASSWORD", &password),
        ("BROKLE_INIT_API_KEY", &api_key),
        // Counted as always, and never refused.
        ("RATE_LIMIT_PER_KEY", "4000000000"),
        ("RATE_LIMIT_PER_USER", "4000000000"),
    ]));
    let mut worker = shared;
    worker.extend(owned([("APP_MODE", "worker"), ("WORKER_PORT", &worker_port.to_string())]));
    let parts = vec![Part { name: "server", port, environment: server }, Part { name: "worker", port: worker_port, environment: worker }];
    let (processes, starts) = start(parts, binary, directory, http).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let api = Api::log_in(http, address, EMAIL, &password).await?;
    let mut watched: Vec<_> = processes.iter().map(|process| (process.name, process.id())).collect();
    watched.extend(&services.processes);
    let store = Some(ClickHouse::connect_url(&services.clickhouse_url, None, None, &name));
    Ok(Setup { name: "server + worker", target: Target { address, api_key }, api, store, watched, starts, processes, _data: None })
}

impl Setup {
    /// Ends the processes and takes away what was made in the services.
    pub async fn tear_down(mut self, services: Option<&Services>) -> anyhow::Result<()> {
        for process in self.processes.iter_mut().rev() {
            process.stop();
        }
        let (Some(store), Some(services)) = (&self.store, services) else { return Ok(()) };
        let name = store.database();
        store.with_database("default").client().query(&format!("DROP DATABASE {name}")).execute().await?;
        let admin = sea_orm::Database::connect(&services.database_url).await?;
        admin.execute_unprepared(&format!("DROP DATABASE {name}")).await?;
        admin.close().await?;
        let mut connection = redis::Client::open(services.redis_url.as_str())?.get_multiplexed_async_connection().await?;
        let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{name}:*")).query_async(&mut connection).await?;
        for key in keys {
            redis::cmd("UNLINK").arg(key).query_async::<i64>(&mut connection).await?;
        }
        Ok(())
    }
}
