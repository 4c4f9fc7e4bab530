//! What the tests of accounts look at behind the API.

use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::audit::By;
use crate::auth::testing::{PASSWORD, World};
use crate::auth::{Device, UserContext};
use crate::settings::Scope;

async fn rows(world: &World, query: &str) -> Vec<QueryResult> {
    let conn = world.db.conn();
    conn.query_all_raw(Statement::from_string(conn.get_database_backend(), query)).await.unwrap()
}

/// Recipient, template and content of every mail, oldest first.
pub async fn mails(world: &World) -> Vec<(String, String, String)> {
    let found = rows(world, "SELECT recipient, template, text FROM mail_outbox ORDER BY id").await;
    let text = |row: &QueryResult, index: usize| row.try_get_by_index::<String>(index).unwrap();
    found.iter().map(|row| (text(row, 0), text(row, 1), text(row, 2))).collect()
}

/// Templates of the mails to `recipient`.
pub async fn templates(world: &World, recipient: &str) -> Vec<String> {
    mails(world).await.into_iter().filter(|(to, ..)| to == recipient).map(|(_, template, _)| template).collect()
}

/// The token of the last mail with a link to `page`.
pub async fn token(world: &World, page: &str) -> String {
    let start = format!("https://brokle.example/{page}?token=");
    let found = mails(world).await.into_iter().rev().find_map(|(_, _, content)| {
        let from = content.find(&start)? + start.len();
        Some(content[from..].chars().take_while(|character| character.is_ascii_alphanumeric() || "-_".contains(*character)).collect())
    });
    found.unwrap_or_else(|| panic!("no mail with a link to {page}"))
}

/// Actor, action and outcome of every line of the log, oldest first.
pub async fn log(world: &World) -> Vec<String> {
    let found =
        rows(world, "SELECT actor_type, action, outcome, target_id FROM audit_logs WHERE action NOT LIKE 'setting.%' ORDER BY id").await;
    found
        .iter()
        .map(|row| {
            let text = |index: usize| row.try_get_by_index::<Option<String>>(index).unwrap().unwrap_or_default();
            let target = if text(3) == world.user.id.to_string() { " ada" } else { "" };
            format!("{} {} {}{target}", text(0), text(1), text(2))
        })
        .collect()
}

/// A number that a query gives.
pub async fn number(world: &World, query: &str) -> i64 {
    rows(world, query).await[0].try_get_by_index(0).unwrap()
}

/// Runs a statement.
pub async fn execute(world: &World, statement: &str) {
    world.db.writer().execute_unprepared(statement).await.unwrap();
}

/// Signs in with everybody's password.
pub async fn signed_in(world: &World, email: &str) -> UserContext {
    let session = world.sessions.login(email, PASSWORD, Device::default()).await.unwrap();
    world.sessions.authenticate_access(&session.access_token).await.unwrap()
}

/// From an address.
pub fn from(ip: &str) -> Device {
    Device { ip: Some(ip.parse().unwrap()), ..Device::default() }
}

/// Sets a setting of the installation.
pub async fn set(world: &World, key: &str, value: &str) {
    let value = serde_json::from_str(value).unwrap();
    world.settings.set(&By::system(), Scope::Installation, key, &value, None).await.unwrap();
}
