//! The whole relational database as text, to see that a refused call has changed nothing.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection, Row, SqliteConnection};

use crate::harness::TestApp;

/// Changed by the program itself, or by the refusal: attempts are noted.
const TABLES_THAT_MOVE: &[&str] = &["audit_logs", "login_attempts", "jobs", "job_schedules", "seaql_migrations", "installation"];
/// Columns that move by themselves: times of use, and what becomes of a mail.
const COLUMNS_THAT_MOVE: &[&str] = &[
    "last_seen_at",
    "last_used_at",
    "last_login_at",
    "updated_at",
    "status_at",
    "sent_at",
    "last_error",
    "text",
    "html",
    "subject",
    "refresh_hash",
    "previous_hash",
    "rotation_salt",
    "rotated_at",
    "expires_at",
];

/// A connection to the installation's database.
pub enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Rows by table.
pub type Dump = BTreeMap<String, Vec<String>>;

impl Database {
    pub async fn of(app: &TestApp) -> Self {
        if let Some(services) = &app.services {
            return Self::Postgres(PgConnection::connect(&services.database_url).await.unwrap());
        }
        let file = app.data_dir().join("brokle.db");
        Self::Sqlite(SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap())
    }

    /// Every row of every table that does not move by itself.
    pub async fn dump(&mut self) -> Dump {
        let mut dump = Dump::new();
        for (table, columns) in self.tables().await {
            let mut columns: Vec<String> = columns.into_iter().filter(|column| !COLUMNS_THAT_MOVE.contains(&column.as_str())).collect();
            if table == "mail_outbox" {
                columns.retain(|column| column != "status");
            }
            let rows = match self {
                Self::Postgres(connection) => {
                    let list = columns.iter().map(|column| format!("t.\"{column}\"")).collect::<Vec<_>>().join(", ");
                    strings(connection, format!("SELECT jsonb_build_array({list})::text FROM \"{table}\" t ORDER BY 1")).await
                }
                Self::Sqlite(connection) => {
                    let list = columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
                    let statement = format!("SELECT json_array({list}) FROM \"{table}\" ORDER BY 1");
                    let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(connection).await.unwrap();
                    rows.iter().map(|row| row.get(0)).collect()
                }
            };
            dump.insert(table, rows);
        }
        assert!(dump.len() > 8, "{:?}", dump.keys());
        dump
    }

    async fn tables(&mut self) -> BTreeMap<String, Vec<String>> {
        let rows: Vec<(String, String)> = match self {
            Self::Postgres(connection) => sqlx::query_as(
                "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
            Self::Sqlite(connection) => sqlx::query_as(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
        };
        let mut tables = BTreeMap::<String, Vec<String>>::new();
        for (table, column) in rows {
            if !TABLES_THAT_MOVE.contains(&table.as_str()) {
                tables.entry(table).or_default().push(column);
            }
        }
        tables
    }
}

async fn strings(connection: &mut PgConnection, statement: String) -> Vec<String> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_all(connection).await.unwrap()
}

/// What differs between two dumps, in words; empty when nothing does.
pub fn difference(before: &Dump, after: &Dump) -> String {
    let mut text = String::new();
    for (table, rows) in after {
        let old = before.get(table).cloned().unwrap_or_default();
        for row in rows.iter().filter(|row| !old.contains(row)) {
            text.push_str(&format!("+ {table}: {row}\n"));
        }
        for row in old.iter().filter(|row| !rows.contains(row)) {
            text.push_str(&format!("- {table}: {row}\n"));
        }
    }
    text
}
