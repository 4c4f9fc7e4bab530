//! One engine for all tests of a process, a database for each test.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::super::{Engine, EngineOptions, LibrarySearch, service::Access, service::Service};
use crate::infra::clickhouse::{ClickHouse, migrate};

static ENGINE: OnceLock<Engine> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

const DIRECTORY_PREFIX: &str = "brokle-test-engine-";

/// A directory for this process. Those of processes that have ended are removed first: an engine cannot remove its own,
/// since its threads use it until the very end of the process.
fn directory() -> PathBuf {
    let parent = std::env::temp_dir();
    for entry in parent.read_dir().unwrap().filter_map(Result::ok) {
        let ended = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(DIRECTORY_PREFIX))
            .is_some_and(|process| !Path::new("/proc").join(process).exists());
        if ended {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    parent.join(format!("{DIRECTORY_PREFIX}{}", std::process::id()))
}

pub(super) fn library() -> LibrarySearch {
    LibrarySearch::for_user(std::env::var_os("BROKLE_ENGINE_LIB").map(PathBuf::from), None)
}

pub(super) fn options(directory: &Path) -> EngineOptions {
    EngineOptions::new(directory, library())
}

/// The engine of this process; a process can have only one.
pub(super) fn engine() -> &'static Engine {
    ENGINE.get_or_init(|| match Engine::open_blocking(&options(&directory())) {
        Ok(engine) => engine,
        Err(error) => panic!("{error}"),
    })
}

/// A name no other test uses.
pub(super) fn database_name() -> String {
    format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed))
}

/// A store with an empty database of its own.
pub(super) async fn empty_store() -> ClickHouse {
    let store = ClickHouse::embedded(engine(), &database_name());
    store
        .with_database("default")
        .client()
        .query("CREATE DATABASE ?")
        .bind(clickhouse::sql::Identifier(store.database()))
        .execute()
        .await
        .unwrap();
    store
}

/// A store with the whole schema.
pub(super) async fn migrated_store() -> ClickHouse {
    let store = ClickHouse::embedded(engine(), &database_name());
    migrate::run(&store).await.unwrap();
    store
}

/// The service of this process's engine on a TCP port, until dropped.
pub(super) struct Port {
    pub(super) address: SocketAddr,
    stop: CancellationToken,
}

impl Port {
    pub(super) async fn open(access: Access) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let service = Service::new(engine(), access);
        let stopped = stop.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped.cancelled() => return,
            } {
                let service = service.clone();
                let stop = stopped.clone().cancelled_owned();
                tokio::spawn(async move { service.serve_until(hyper_util::rt::TokioIo::new(stream), stop).await });
            }
        });
        Self { address, stop }
    }

    pub(super) fn url(&self, path_and_query: &str) -> String {
        format!("http://{}{path_and_query}", self.address)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Waits for something to become true, and fails when it does not.
pub(super) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never happened: {what}");
}
