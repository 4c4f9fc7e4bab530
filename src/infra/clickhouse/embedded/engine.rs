//! The engine as a whole: opening, the lanes, closing.

use std::{
    ffi::CString,
    fmt::Write as _,
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio_util::task::TaskTracker;

use super::{
    connection::{Connection, Pairs},
    exception::Exception,
    library::{Library, LibraryError, LibrarySearch, leave_without_destructors},
    lock::{DirectoryLock, LockError},
    pool::{Lane, Lease},
};

/// Why the engine did not open or close.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The shared library is missing or the wrong one.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Another process uses the data directory, or it cannot be written.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The engine refused the data directory or its settings.
    #[error("the ClickHouse engine could not open {}: {reason}; one process can have one data directory open", .directory.display())]
    Open {
        /// The data directory.
        directory: PathBuf,
        /// What the engine said.
        reason: Exception,
    },
    /// The data directory's name cannot be handed to the engine.
    #[error("the data directory {} cannot be used: its name contains a zero byte", .0.display())]
    Name(PathBuf),
    /// A thread could not be started or a file not be written.
    #[error("the ClickHouse engine could not be started: {0}")]
    Io(#[from] std::io::Error),
    /// Statements did not end in time at shutdown.
    #[error("{0} statements of the engine did not end in time; their data is safe, the process can exit")]
    StillRunning(usize),
}

/// How to open the engine.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Directory that belongs to the engine alone; created when missing.
    pub data_dir: PathBuf,
    /// Where to look for the library.
    pub library: LibrarySearch,
    /// Memory the engine may use in all, in bytes; statements beyond it fail with code 241.
    pub memory_limit: u64,
    /// Memory one statement may use, in bytes.
    pub statement_memory_limit: u64,
    /// Connections for reads: this many run at once.
    pub read_connections: usize,
    /// Connections for inserts: this many run at once.
    pub insert_connections: usize,
    /// Threads one statement may use.
    pub statement_threads: usize,
    /// Longest time a read may take.
    pub read_timeout: Duration,
    /// Statements that may wait for a connection of a kind before more are refused.
    pub max_waiting: usize,
    /// Flush every insert to the disk before it is acknowledged: survives power loss, costs throughput.
    pub fsync: bool,
}

impl EngineOptions {
    /// Settings for a small machine, measured on 2 cores.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, library: LibrarySearch) -> Self {
        Self {
            data_dir: data_dir.into(),
            library,
            memory_limit: 1_500_000_000,
            statement_memory_limit: 600_000_000,
            read_connections: 3,
            insert_connections: 2,
            statement_threads: 2,
            read_timeout: Duration::from_secs(30),
            max_waiting: 256,
            fsync: false,
        }
    }
}

/// Which connections a statement may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneKind {
    /// `readonly = 2`, with limits of time and memory.
    Read,
    /// INSERTs with data.
    Insert,
    /// Everything else: definitions, mutations, INSERT … SELECT.
    Change,
}

/// The open engine. Cheap to clone; closed by [`Engine::shutdown`], or when the last clone is dropped.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    library: Arc<Library>,
    data_dir: PathBuf,
    reads: Arc<Lane>,
    inserts: Arc<Lane>,
    changes: Arc<Lane>,
    kills: Mutex<Option<mpsc::Sender<Kill>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    tasks: TaskTracker,
}

/// A request to end a statement that nobody waits for any more.
struct Kill {
    condition: String,
    /// Not before then: most statements whose answer is dropped early have only their end left to say.
    not_before: Instant,
    ended: Box<dyn Fn() -> bool + Send>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("data_dir", &self.inner.data_dir).finish_non_exhaustive()
    }
}

impl Engine {
    const CHANGE_CONNECTIONS: usize = 2;
    const CONFIG_FILE: &str = "engine.xml";
    const KILL_DELAY: Duration = Duration::from_millis(50);
    const KILL_ATTEMPTS: u32 = 5;
    const KILL_PAUSE: Duration = Duration::from_millis(100);

    /// Opens the engine on a thread that may block; takes some tenths of a second.
    ///
    /// # Errors
    ///
    /// [`EngineError`], each variant with what to do about it.
    pub async fn open(options: EngineOptions) -> Result<Self, EngineError> {
        match tokio::task::spawn_blocking(move || Self::open_blocking(&options)).await {
            Ok(opened) => opened,
            Err(error) => Err(EngineError::Io(std::io::Error::other(error))),
        }
    }

    /// Opens the engine on this thread.
    ///
    /// # Errors
    ///
    /// As [`Engine::open`].
    pub fn open_blocking(options: &EngineOptions) -> Result<Self, EngineError> {
        let started = Instant::now();
        let library = Arc::new(Library::open(&options.library)?);
        // Before the engine touches the directory, so that the second process hears it in plain words.
        let lock = Arc::new(DirectoryLock::acquire(&options.data_dir)?);
        let data_dir = std::fs::canonicalize(&options.data_dir)?;
        let config = write_config(&data_dir, options)?;
        let arguments = arguments(&data_dir, &config)?;
        let connect = |base: &Arc<Pairs>, count: usize| {
            (0..count.max(1))
                .map(|_| Connection::open(&library, &arguments, base))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|reason| EngineError::Open { directory: data_dir.clone(), reason })
        };

        let change_settings = Arc::new(change_settings(options));
        let read_settings = Arc::new(read_settings(options));
        let inserting = connect(&change_settings, options.insert_connections)?;
        let changing = connect(&change_settings, Self::CHANGE_CONNECTIONS)?;
        let killing = Connection::open(&library, &arguments, &change_settings)
            .map_err(|reason| EngineError::Open { directory: data_dir.clone(), reason })?;
        let reading = connect(&read_settings, options.read_connections)?;

        let (inserts, mut threads) = Lane::start("insert", inserting, options.max_waiting, &lock)?;
        let (changes, more) = Lane::start("change", changing, options.max_waiting, &lock)?;
        threads.extend(more);
        let (reads, more) = Lane::start("read", reading, options.max_waiting, &lock)?;
        threads.extend(more);
        let (kills, requests) = mpsc::channel();
        threads.push(std::thread::Builder::new().name("engine-kill".to_owned()).spawn(move || {
            kill_until_closed(killing, &requests);
            drop(lock);
        })?);
        tracing::info!(
            data_dir = %data_dir.display(),
            library = %library.path().display(),
            version = library.version_text(),
            duration_ms = started.elapsed().as_millis(),
            "the embedded ClickHouse engine is open"
        );
        Ok(Self {
            inner: Arc::new(Inner {
                library,
                data_dir,
                reads,
                inserts,
                changes,
                kills: Mutex::new(Some(kills)),
                threads: Mutex::new(threads),
                tasks: TaskTracker::new(),
            }),
        })
    }

    /// The engine's directory, absolute.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// Tasks that serve this engine's connections.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.inner.tasks
    }

    /// Waits for a free connection of a kind.
    pub(super) async fn lease(&self, kind: LaneKind) -> Result<Lease, Exception> {
        match kind {
            LaneKind::Read => self.inner.reads.lease().await,
            LaneKind::Insert => self.inner.inserts.lease().await,
            LaneKind::Change => self.inner.changes.lease().await,
        }
    }

    /// Asks the engine to end the statement that ends in `tag` as a comment, until `ended` says so.
    pub(super) fn kill(&self, tag: &str, ended: impl Fn() -> bool + Send + 'static) {
        // Tags are made here, out of letters and digits; nothing from outside gets into the condition.
        self.request_kill(Kill {
            condition: format!("endsWith(query, '/*{tag}*/')"),
            not_before: Instant::now() + Self::KILL_DELAY,
            ended: Box::new(ended),
        });
    }

    fn request_kill(&self, kill: Kill) {
        if let Some(kills) = self.inner.kills.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // Fails only when the thread has ended, which it does at shutdown, after everything was killed.
            let _ = kills.send(kill);
        }
    }

    /// Closes the engine: new statements are refused, running ones get `grace` to end and are then killed.
    ///
    /// Afterwards the library cannot be opened again in this process.
    ///
    /// # Errors
    ///
    /// [`EngineError::StillRunning`] when statements survive even that. Inserts that were acknowledged are stored in any
    /// case.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), EngineError> {
        let lanes = [&self.inner.reads, &self.inner.changes, &self.inner.inserts];
        for lane in lanes {
            lane.close();
        }
        let busy = || lanes.iter().map(|lane| lane.dismiss()).sum::<usize>();
        let deadline = tokio::time::Instant::now() + grace;
        while busy() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if busy() > 0 {
            self.request_kill(Kill { condition: "1".to_owned(), not_before: Instant::now(), ended: Box::new(|| false) });
            let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
            while busy() > 0 && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        let left = busy();
        self.inner.kills.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.tasks.close();
        if left > 0 {
            return Err(EngineError::StillRunning(left));
        }
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let library = Arc::clone(&self.inner.library);
        let ended = tokio::task::spawn_blocking(move || {
            for thread in threads {
                // A thread ends in panic only when a job of it did, which was logged.
                let _ = thread.join();
            }
            // SAFETY: every connection is closed, since the threads that owned them have ended. That some threads of the
            // engine could not be stopped is not an error: they end with the process.
            let state = unsafe { (library.shutdown)() };
            leave_without_destructors();
            state
        });
        match ended.await {
            Ok(state) => tracing::debug!(state, "the embedded ClickHouse engine is closed"),
            Err(error) => return Err(EngineError::Io(std::io::Error::other(error))),
        }
        Ok(())
    }
}

fn kill_until_closed(mut connection: Connection, requests: &mpsc::Receiver<Kill>) {
    while let Ok(Kill { condition, not_before, ended }) = requests.recv() {
        std::thread::sleep(not_before.saturating_duration_since(Instant::now()));
        // A statement may be asked to end before it has begun, so it is asked again.
        for _ in 0..Engine::KILL_ATTEMPTS {
            if ended() {
                break;
            }
            if let Err(error) = connection.query(&format!("KILL QUERY WHERE {condition} ASYNC"), "Null", &[]) {
                tracing::warn!(%error, "a statement could not be ended");
            }
            std::thread::sleep(Engine::KILL_PAUSE);
        }
    }
}

fn arguments(data_dir: &Path, config: &Path) -> Result<Vec<CString>, EngineError> {
    let argument = |prefix: &str, path: &Path| {
        CString::new([prefix.as_bytes(), path.as_os_str().as_bytes()].concat()).map_err(|_| EngineError::Name(path.to_owned()))
    };
    Ok(vec![c"clickhouse".to_owned(), argument("--path=", data_dir)?, argument("--config-file=", config)?])
}

/// Settings of sessions that change data.
fn change_settings(options: &EngineOptions) -> Pairs {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        set("max_threads", &options.statement_threads.to_string()),
        set("max_memory_usage", &options.statement_memory_limit.to_string()),
        // The library turns these on for interactive use; `1` is not a query to us.
        set("implicit_select", "0"),
        set("allow_introspection_functions", "0"),
        // Blocks arrive whole; parsing them on several threads only costs memory.
        set("input_format_parallel_parsing", "0"),
    ]
}

/// Settings of sessions that read: the same, bounded, and unable to change anything. `readonly` comes last.
fn read_settings(options: &EngineOptions) -> Pairs {
    let mut settings = change_settings(options);
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    settings.extend([
        set("max_execution_time", &options.read_timeout.as_secs().max(1).to_string()),
        set("max_bytes_ratio_before_external_group_by", "0.3"),
        set("max_bytes_ratio_before_external_sort", "0.3"),
        set("output_format_parallel_formatting", "0"),
        set("readonly", "2"),
    ]);
    settings
}

/// Writes the settings of the engine as a whole; the file is made anew at each start.
fn write_config(data_dir: &Path, options: &EngineOptions) -> Result<PathBuf, EngineError> {
    let mut text = String::from("<!-- Written at each start of Brokle; changes here are lost. -->\n<clickhouse>\n");
    let mut put = |indent: &str, name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{indent}<{name}>{value}</{name}>");
    };
    const CACHE: &str = "134217728";
    const SMALL_CACHE: &str = "67108864";
    for (name, value) in [
        ("timezone", "UTC"),
        ("max_server_memory_usage", options.memory_limit.to_string().as_str()),
        ("mark_cache_size", CACHE),
        ("primary_index_cache_size", CACHE),
        ("index_mark_cache_size", CACHE),
        ("uncompressed_cache_size", "0"),
        ("text_index_tokens_cache_size", SMALL_CACHE),
        ("text_index_header_cache_size", SMALL_CACHE),
        ("text_index_postings_cache_size", CACHE),
        ("vector_similarity_index_cache_size", "0"),
        ("parquet_metadata_cache_size", "0"),
        ("iceberg_metadata_files_cache_size", "0"),
        ("background_pool_size", "2"),
        ("background_schedule_pool_size", "4"),
        ("background_common_pool_size", "1"),
        ("background_move_pool_size", "1"),
        ("background_fetches_pool_size", "1"),
    ] {
        put("  ", name, value);
    }
    let fsync = if options.fsync { "1" } else { "0" };
    let text = {
        text.push_str("  <merge_tree>\n");
        // A pool of two is refused without these.
        for (name, value) in [
            ("number_of_free_entries_in_pool_to_lower_max_size_of_merge", "1"),
            ("number_of_free_entries_in_pool_to_execute_mutation", "1"),
            ("number_of_free_entries_in_pool_to_execute_optimize_entire_partition", "1"),
            ("fsync_after_insert", fsync),
            ("fsync_part_directory", fsync),
        ] {
            let _ = writeln!(text, "    <{name}>{value}</{name}>");
        }
        text.push_str("  </merge_tree>\n</clickhouse>\n");
        text
    };
    let path = data_dir.join(Engine::CONFIG_FILE);
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(path)
}
