//! The services that tests run against, and what of them belongs to one test.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::Connection;

/// A variable of the test run.
#[expect(clippy::disallowed_methods, reason = "how `make test` tells tests where the services are")]
pub fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &str) -> String {
    environment_variable(name).unwrap_or_else(|| panic!("{name} is not set: run `make test`, or `make services` and set what it prints"))
}

/// A directory of its own for one test, deleted by the system's ordinary cleaning of its temporary files or by the test.
pub fn scratch_dir(name: &str) -> tempfile::TempDir {
    let base = environment_variable("BROKLE_TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
    tempfile::Builder::new().prefix(&format!("brokle-{name}-")).tempdir_in(base).unwrap()
}

/// The databases of one test.
#[derive(Debug, Clone)]
pub struct Services {
    pub database_url: String,
    pub redis_url: String,
    pub redis_prefix: String,
    pub clickhouse_url: String,
    pub clickhouse_database: String,
}

impl Services {
    /// Makes a Postgres database, and names for the rest, that no other test uses.
    #[expect(clippy::disallowed_methods, reason = "only makes names unlike")]
    pub async fn fresh() -> Self {
        let admin = required("BROKLE_TEST_DATABASE_URL");
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("t_{stamp:x}_{}", std::process::id());
        let mut connection = sqlx::PgConnection::connect(&admin).await.expect("Postgres of `make services`");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let (server, _) = admin.rsplit_once('/').unwrap();
        Self {
            database_url: format!("{server}/{name}"),
            redis_url: required("BROKLE_TEST_REDIS_URL"),
            redis_prefix: format!("{name}:"),
            clickhouse_url: required("BROKLE_TEST_CLICKHOUSE_URL"),
            clickhouse_database: name,
        }
    }

    /// The environment of a server or worker on these databases.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("DATABASE_URL", &self.database_url),
            ("REDIS_URL", &self.redis_url),
            ("REDIS_KEY_PREFIX", &self.redis_prefix),
            ("CLICKHOUSE_URL", &self.clickhouse_url),
            ("CLICKHOUSE_DATABASE", &self.clickhouse_database),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
    }
}
