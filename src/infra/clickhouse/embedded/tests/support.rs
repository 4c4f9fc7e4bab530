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
static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

extern "C" fn remove_directory() {
    if let Some(directory) = DIRECTORY.get() {
        let _ = std::fs::remove_dir_all(directory);
    }
}

pub(super) fn library() -> LibrarySearch {
    LibrarySearch::for_user(std::env::var_os("BROKLE_ENGINE_LIB").map(PathBuf::from), None)
}

pub(super) fn options(directory: &Path) -> EngineOptions {
    EngineOptions::new(directory, library())
}

/// The engine of this process; a process can have only one.
pub(super) fn engine() -> &'static Engine {
    ENGINE.get_or_init(|| {
        let directory = DIRECTORY.get_or_init(|| tempfile::Builder::new().prefix("brokle-engine-").tempdir().unwrap().keep());
        match Engine::open_blocking(&options(directory)) {
            Ok(engine) => {
                // After the engine's own handler, so that it runs before it.
                // SAFETY: the handler only removes files.
                unsafe { libc::atexit(remove_directory) };
                engine
            }
            Err(error) => panic!("{error}"),
        }
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
