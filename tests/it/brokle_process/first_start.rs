//! What the first start makes, and that it makes it once.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use prost::Message;

use super::text;
use crate::harness::{API_KEY, Acknowledged, Api, EMAIL, Installation, PASSWORD, one_span};

/// Every file below `directory`, but for the engine's, whose directory nobody else enters.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "clickhouse") {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else {
            found.push(path);
        }
    }
    found
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The words of `text` that are made of what secrets are made of and begin with `prefix`.
fn word(text: &str, prefix: &str) -> String {
    let start = text.find(prefix).unwrap_or_else(|| panic!("no {prefix} in {text}"));
    text[start..].chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect()
}

/// What follows the last blank of the line that names `what`.
fn value_of(text: &str, what: &str) -> String {
    let line = text.lines().find(|line| line.to_lowercase().contains(what)).unwrap_or_else(|| panic!("no {what} in {text}"));
    line.split_whitespace().last().unwrap().to_owned()
}

async fn send(url: &str, key: &str) -> u16 {
    let body = one_span(&mut Acknowledged::new()).encode_to_vec();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build().unwrap();
    let post = client.post(format!("{url}/v1/traces")).header("x-api-key", key).header("content-type", "application/x-protobuf");
    post.body(body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_it_goes_to_a_private_file() {
    let installation = Installation::standalone();
    let running = installation.start("standalone").await;
    let note = installation.file("first-start.txt");
    let told = std::fs::read_to_string(&note).unwrap();
    assert_eq!(mode(&note), 0o600);
    assert!(told.contains(&running.url) || told.contains(&running.url.replace("127.0.0.1", "localhost")), "{told}");
    assert!(told.contains("curl") && told.contains("/v1/traces"), "a snippet to paste: {told}");

    // Everything it tells works.
    let key = word(&told, "bk_");
    assert_eq!(key.len(), 43, "{key}");
    assert_eq!(send(&running.url, &key).await, 200);
    let email =
        told.split_whitespace().find(|word| word.contains('@')).unwrap().trim_matches(|character: char| !character.is_ascii_alphanumeric());
    let password = value_of(&told, "password");
    let api = Api::sign_in_as(&running.url, email, &password).await;
    assert_eq!(api.traces().await.len(), 1);
    let pasted =
        std::process::Command::new("sh").args(["-c", told.lines().find(|line| line.starts_with("curl")).unwrap()]).output().unwrap();
    assert!(pasted.status.success(), "{pasted:?}");
    assert_eq!(api.traces().await.len(), 2, "the pasted snippet: {pasted:?}");

    // Nothing secret is in the log, and no secret can be read by others.
    let log = running.process.output();
    assert!(log.contains("first-start.txt"), "the log says where it is: {log}");
    for directory in [installation.data.clone(), installation.file("clickhouse")] {
        assert_eq!(mode(&directory), 0o700, "{} can be entered by others", directory.display());
    }
    for path in files(&installation.data) {
        assert_eq!(mode(&path) & 0o077, 0, "{} can be read by others", path.display());
        let short = std::fs::metadata(&path).unwrap().len() < 1_000;
        if short
            && path != note
            && let Ok(secret) = std::fs::read_to_string(&path)
            && secret.trim().len() >= 16
        {
            assert!(!log.contains(secret.trim()), "{} is in the log", path.display());
        }
    }
    for secret in [&*key, &*password] {
        assert!(!log.contains(secret), "a secret is in the log: {log}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_makes_nothing() {
    let installation = Installation::standalone();
    let running = installation.start("standalone").await;
    let told = std::fs::read_to_string(installation.file("first-start.txt")).unwrap();
    let key = word(&told, "bk_");
    let email =
        told.split_whitespace().find(|word| word.contains('@')).unwrap().trim_matches(|character: char| !character.is_ascii_alphanumeric());
    let password = value_of(&told, "password");
    let before = Api::sign_in_as(&running.url, email, &password).await;
    let me = before.get("/api/v1/users/me").await["data"]["organizations"].clone();
    running.stop().await;

    let running = installation.start("standalone").await;
    let after = Api::sign_in_as(&running.url, email, &password).await;
    assert_eq!(after.get("/api/v1/users/me").await["data"]["organizations"], me);
    assert_eq!(send(&running.url, &key).await, 200);
    assert_eq!(std::fs::read_to_string(installation.file("first-start.txt")).unwrap(), told);
    // Signed with the same secret: who was signed in stays so.
    let answer = before.client.get(format!("{}/api/v1/users/me", running.url)).bearer_auth(&before.token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn init_variables_make_the_first_things_once() {
    let installation = Installation::standalone().initialised();
    for _ in 0..2 {
        let running = installation.start("standalone").await;
        let api = Api::sign_in(&running.url).await;
        let me = api.get("/api/v1/users/me").await["data"].clone();
        assert_eq!(me["email"], EMAIL);
        assert_eq!(me["is_admin"], true);
        let organizations = me["organizations"].as_array().unwrap();
        assert_eq!((organizations.len(), &organizations[0]["name"]), (1, &"Acme".into()), "{me}");
        let projects = organizations[0]["projects"].as_array().unwrap();
        assert_eq!((projects.len(), &projects[0]["name"]), (1, &"Chat".into()), "{me}");
        assert_eq!(send(&running.url, API_KEY).await, 200);
        let log = running.stop().await;
        assert!(!log.contains(API_KEY) && !log.contains(PASSWORD), "{log}");
    }
    // What the operator knows already need not be written down.
    let note = std::fs::read_to_string(installation.file("first-start.txt")).unwrap_or_default();
    assert!(!note.contains(PASSWORD), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_no_administrator_but_the_configured_one() {
    let installation = Installation::split().await;
    let server = installation.start("server").await;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).no_proxy().build().unwrap();
    let (status, body) = crate::harness::log_in(&client, &server.url, EMAIL, PASSWORD).await;
    assert_eq!(status, 401, "{body}");
    assert!(!installation.file("first-start.txt").exists(), "a server writes no secrets to a disk");
    server.stop().await;

    let initialised = installation.initialised();
    for _ in 0..2 {
        let server = initialised.start("server").await;
        let api = Api::sign_in(&server.url).await;
        let me = api.get("/api/v1/users/me").await;
        assert_eq!(me["data"]["organizations"].as_array().unwrap().len(), 1, "{me}");
        assert_eq!(send(&server.url, API_KEY).await, 200);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_may_come_from_files() {
    let scratch = tempfile::tempdir().unwrap();
    let (password, key) = (scratch.path().join("password"), scratch.path().join("key"));
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    std::fs::write(&key, format!("{API_KEY}\n")).unwrap();
    let installation = Installation::standalone()
        .with("BROKLE_INIT_ORG", "Acme")
        .with("BROKLE_INIT_PROJECT", "Chat")
        .with("BROKLE_INIT_USER_EMAIL", EMAIL)
        .with("BROKLE_INIT_USER_PASSWORD_FILE", password.to_str().unwrap())
        .with("BROKLE_INIT_API_KEY_FILE", key.to_str().unwrap());
    let running = installation.start("standalone").await;
    Api::sign_in(&running.url).await;
    assert_eq!(send(&running.url, API_KEY).await, 200);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_loopback_only() {
    let installation = Installation::standalone();
    let environment: Vec<(String, String)> =
        installation.environment("standalone", &[]).into_iter().filter(|(name, _)| name != "HOST").collect();
    let port = crate::harness::Process::free_port();
    let mut environment = environment;
    environment.push(("PORT".to_owned(), port.to_string()));
    let mut process = crate::harness::Process::start(&[], &environment);
    process.wait_until_ready(&format!("http://127.0.0.1:{port}"), crate::harness::START).await;
    // 0100007F is 127.0.0.1, 0A is LISTEN.
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let listening: Vec<&str> = table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            (columns.len() > 3 && columns[3] == "0A" && columns[1].ends_with(&format!(":{port:04X}"))).then(|| columns[1])
        })
        .collect();
    assert_eq!(listening, [format!("0100007F:{port:04X}")]);
    let output = installation.run(&["health", "--url", &format!("http://127.0.0.1:{port}")], "standalone", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}
