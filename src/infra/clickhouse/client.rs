//! [`ClickHouse`]: the telemetry store as the rest of Brokle sees it.

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clickhouse::error::Error;
use clickhouse::{Client, Compression, Row, RowOwned, RowWrite};
use hyper_util::{client::legacy, rt::TokioExecutor};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::embedded::{Engine, stream::DuplexConnector};
use super::native::{Layout, NativeError};

/// Settings every statement runs under, whatever the defaults of the server's version are.
///
/// Measured: without skip indexes under FINAL one trace takes seconds instead of milliseconds, and without lazy
/// materialization lists read every column of every candidate.
const STATEMENT_SETTINGS: &[(&str, &str)] = &[
    ("async_insert", "0"),
    ("do_not_merge_across_partitions_select_final", "1"),
    ("query_plan_max_limit_for_lazy_materialization", "1000"),
    ("query_plan_optimize_lazy_materialization", "1"),
    ("use_skip_indexes_if_final", "1"),
];

/// Settings of inserts.
///
/// Without `optimize_on_insert` a ReplacingMergeTree does not merge each block with itself before it is stored. Measured,
/// that merge costs 40 % of an insert of spans; what it would replace, FINAL replaces on reading, and later merges for good.
/// Low-cardinality columns are sent as plain ones, so the Native format has to convert.
const INSERT_SETTINGS: &[(&str, &str)] =
    &[("async_insert", "0"), ("input_format_native_allow_types_conversion", "1"), ("optimize_on_insert", "0")];

/// Settings of reads on a server; the embedded engine sets the same for its readers itself.
const READ_SETTINGS: &[(&str, &str)] = &[("max_execution_time", "20"), ("readonly", "2")];

/// How long an answer to a read may take in all: longer than the store gives a statement, so that its own error comes first.
const READ_PATIENCE: Duration = Duration::from_secs(25);
/// How long the store may take no bytes of an insert.
const SEND_PATIENCE: Duration = Duration::from_secs(30);
/// How long the store may work on an insert. One that is stored after all is recognised by its token when it comes again.
const INSERT_PATIENCE: Duration = Duration::from_secs(60);

/// What went wrong between Brokle and the telemetry store.
#[derive(Debug, thiserror::Error)]
pub enum ClickHouseError {
    /// The client or the server refused.
    #[error("ClickHouse: {0}")]
    Client(#[from] clickhouse::error::Error),
    /// The server is too old for the schema.
    #[error("ClickHouse {found} is too old: Brokle needs 26.3 or newer")]
    TooOld {
        /// Version the server reports.
        found: String,
    },
    /// The server's version is not a version.
    #[error("ClickHouse reports `{0}` as its version, which cannot be read")]
    Version(String),
}

/// Where the telemetry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The engine in this process.
    Embedded,
    /// A server.
    Remote,
}

/// Room on the disks of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free bytes on the fullest local disk; `None` when the server has no local disk.
    pub free_bytes: Option<u64>,
    /// Size of that disk in bytes.
    pub total_bytes: Option<u64>,
    /// Bytes that this database's tables take.
    pub stored_bytes: u64,
}

/// The telemetry store. Cheap to clone.
#[derive(Clone)]
pub struct ClickHouse {
    base: Client,
    reads: Client,
    inserts: Client,
    kind: Kind,
    database: String,
    engine: Option<Engine>,
    layouts: Layouts,
}

/// How the rows of each kind are written to a table, asked of the store once.
type Layouts = Arc<Mutex<HashMap<(&'static str, TypeId), Arc<Layout>>>>;

impl std::fmt::Debug for ClickHouse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClickHouse").field("kind", &self.kind).field("database", &self.database).finish_non_exhaustive()
    }
}

#[derive(Row, Deserialize)]
struct Disk {
    free: u64,
    total: u64,
    remote: u8,
}

impl ClickHouse {
    /// A store on a server; nothing is sent yet.
    ///
    /// `url` is the HTTP address, for example `http://clickhouse:8123` or `https://…`.
    #[must_use]
    pub fn connect_url(url: &str, user: Option<&str>, password: Option<&SecretString>, database: &str) -> Self {
        let mut base = Client::default().with_url(url).with_database(database).with_compression(Compression::Lz4);
        if let Some(user) = user {
            base = base.with_user(user);
        }
        if let Some(password) = password {
            base = base.with_password(password.expose_secret());
        }
        Self::new(&base, Kind::Remote, database, None)
    }

    /// A store in the engine of this process.
    #[must_use]
    pub fn embedded(engine: &Engine, database: &str) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .pool_max_idle_per_host(16)
            .build(DuplexConnector::new(engine));
        let base = Client::with_http_client(http).with_url("http://engine").with_database(database).with_compression(Compression::None);
        Self::new(&base, Kind::Embedded, database, Some(engine.clone()))
    }

    fn new(base: &Client, kind: Kind, database: &str, engine: Option<Engine>) -> Self {
        let with =
            |settings: &[(&str, &str)]| settings.iter().fold(base.clone(), |client, (name, value)| client.with_setting(*name, *value));
        let statements = with(STATEMENT_SETTINGS);
        let reads = match kind {
            Kind::Embedded => statements.clone(),
            Kind::Remote => READ_SETTINGS.iter().fold(statements.clone(), |client, (name, value)| client.with_setting(*name, *value)),
        };
        // Rows are checked against the tables by a test; a check of every field of every row would cost the insert path
        // a good part of its rate.
        let inserts = with(INSERT_SETTINGS).with_validation(false);
        Self { base: statements, reads, inserts, kind, database: database.to_owned(), engine, layouts: Layouts::default() }
    }

    /// The same store with another database as the current one.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self {
            base: self.base.clone().with_database(database),
            reads: self.reads.clone().with_database(database),
            inserts: self.inserts.clone().with_database(database),
            kind: self.kind,
            database: database.to_owned(),
            engine: self.engine.clone(),
            layouts: Layouts::default(),
        }
    }

    /// The client for statements that change the store, without limits.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.base
    }

    /// The client for what people ask: it reads only, and not for ever. Wrap what it is asked in [`ClickHouse::within`].
    #[must_use]
    pub fn read_client(&self) -> &Client {
        &self.reads
    }

    /// The client for inserts of rows in any way but [`ClickHouse::insert`].
    #[must_use]
    pub fn insert_client(&self) -> &Client {
        &self.inserts
    }

    /// Waits for the answer to a read, as long as one may take.
    ///
    /// # Errors
    ///
    /// That of the read, or [`Error::TimedOut`] when the store hangs.
    pub async fn within<T>(&self, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::time::timeout(READ_PATIENCE, read).await.unwrap_or(Err(Error::TimedOut))
    }

    /// Inserts rows as one block, under `settings` besides those of all inserts.
    ///
    /// # Errors
    ///
    /// [`Error::Custom`] when a row does not fit the table, else what the connection or the server said.
    pub async fn insert<'a, R: RowOwned + RowWrite + serde::Serialize>(
        &self,
        table: &'static str,
        rows: impl ExactSizeIterator<Item = &'a R>,
        settings: &[(&str, &str)],
    ) -> Result<(), Error> {
        let layout = self.layout::<R>(table).await?;
        let parts = layout.encode(rows).map_err(|error| match error {
            NativeError::Value(reason) => Error::Custom(reason),
            error => Error::Other(error.into()),
        })?;
        let columns: Vec<String> = layout.names().map(|name| format!("`{name}`")).collect();
        let sql = format!("INSERT INTO `{table}` ({}) FORMAT Native", columns.join(", "));
        let mut insert = self.inserts.insert_formatted_with(sql).with_timeouts(Some(SEND_PATIENCE), Some(INSERT_PATIENCE));
        for (name, value) in settings {
            insert = insert.with_setting(*name, *value);
        }
        for part in parts {
            insert.send(part).await?;
        }
        insert.end().await
    }

    async fn layout<R: RowOwned + RowWrite>(&self, table: &'static str) -> Result<Arc<Layout>, Error> {
        let mut layouts = self.layouts.lock().await;
        if let Some(layout) = layouts.get(&(table, TypeId::of::<R>())) {
            return Ok(Arc::clone(layout));
        }
        let ask = self.base.query("SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = ?").bind(table);
        let declared: BTreeMap<String, String> = self.within(ask.fetch_all::<(String, String)>()).await?.into_iter().collect();
        let layout = Arc::new(Layout::new::<R>(table, &declared).map_err(|error| Error::Other(error.into()))?);
        layouts.insert((table, TypeId::of::<R>()), Arc::clone(&layout));
        Ok(layout)
    }

    /// Where the telemetry is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The database the statements run in.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The engine, when it is in this process.
    #[must_use]
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Whether the store answers a query, whatever database exists.
    ///
    /// # Errors
    ///
    /// [`ClickHouseError::Client`] with what the connection or the server said.
    pub async fn ping(&self) -> Result<(), ClickHouseError> {
        self.with_database("default").reads.query("SELECT 1").fetch_one::<u8>().await?;
        Ok(())
    }

    /// The version of the store, for example `26.7.2.1`.
    ///
    /// # Errors
    ///
    /// [`ClickHouseError::Client`].
    pub async fn version(&self) -> Result<String, ClickHouseError> {
        Ok(self.with_database("default").reads.query("SELECT version()").fetch_one::<String>().await?)
    }

    /// Refuses a store older than the schema needs.
    ///
    /// # Errors
    ///
    /// [`ClickHouseError::TooOld`] below 26.3, [`ClickHouseError::Version`] when the version cannot be read.
    pub async fn check_version(&self) -> Result<(), ClickHouseError> {
        const FLOOR: (u32, u32) = (26, 3);
        let found = self.version().await?;
        let mut parts = found.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= FLOOR => Ok(()),
            (Some(Ok(_)), Some(Ok(_))) => Err(ClickHouseError::TooOld { found }),
            _ => Err(ClickHouseError::Version(found)),
        }
    }

    /// Room on the disks and what the tables take of it.
    ///
    /// # Errors
    ///
    /// [`ClickHouseError::Client`].
    pub async fn disk_space(&self) -> Result<DiskSpace, ClickHouseError> {
        let disks = self
            .reads
            .query("SELECT unreserved_space AS free, total_space AS total, is_remote AS remote FROM system.disks")
            .fetch_all::<Disk>()
            .await?;
        let stored_bytes = self
            .reads
            .query("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()")
            .fetch_one::<u64>()
            .await?;
        let fullest = disks.iter().filter(|disk| disk.remote == 0).min_by_key(|disk| disk.free);
        Ok(DiskSpace { free_bytes: fullest.map(|disk| disk.free), total_bytes: fullest.map(|disk| disk.total), stored_bytes })
    }
}
