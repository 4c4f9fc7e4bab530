//! What takes a process of its own: locks, crashes, leaving. The test binary starts itself again for these.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clickhouse::Row;
use serde::Serialize;
use tempfile::TempDir;

use super::{
    super::{Engine, LibraryError, LibrarySearch, ListenError, ListenOptions, engine::EngineOptions},
    support::{library, options},
};
use crate::infra::clickhouse::ClickHouse;

const DIRECTORY: &str = "BROKLE_TEST_ENGINE_DIRECTORY";
const ROLE: &str = "BROKLE_TEST_ENGINE_ROLE";

fn child(role: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["infra::clickhouse::embedded::tests::process::plays_a_role", "--exact", "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Waits for a line of the child that begins so, and returns the rest of it.
fn line_of(output: &mut impl BufRead, start: &str) -> String {
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // The test harness writes the name of the test in front of the first line.
        if let Some(at) = line.find(start) {
            return line[at + start.len()..].trim().to_owned();
        }
        line.clear();
    }
    panic!("the child never said {start:?}");
}

#[derive(Row, Serialize)]
struct Number {
    n: u64,
}

async fn numbers(engine: &Engine) -> ClickHouse {
    let store = ClickHouse::embedded(engine, "default");
    let create = "CREATE TABLE IF NOT EXISTS numbers (n UInt64) ENGINE = MergeTree ORDER BY n";
    store.client().query(create).execute().await.unwrap();
    store
}

async fn write(store: &ClickHouse, n: u64) {
    let mut insert = store.insert_client().insert::<Number>("numbers").await.unwrap();
    insert.write(&Number { n }).await.unwrap();
    insert.end().await.unwrap();
}

async fn stored(store: &ClickHouse) -> Vec<u64> {
    store.client().query("SELECT n FROM numbers ORDER BY n").fetch_all().await.unwrap()
}

#[tokio::test]
#[ignore = "runs only as a child of the other tests here"]
async fn plays_a_role() {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let engine = Engine::open(options(Path::new(&directory))).await;
    match std::env::var(ROLE).unwrap().as_str() {
        "second" => println!("said: {}", engine.unwrap_err()),
        "writer" => {
            let store = numbers(&engine.unwrap()).await;
            for n in 0.. {
                write(&store, n).await;
                println!("stored: {n}");
            }
        }
        "counter" => {
            let engine = engine.unwrap();
            let stored = stored(&numbers(&engine).await).await;
            println!("holds: {}", stored.iter().map(u64::to_string).collect::<Vec<_>>().join(","));
        }
        "leaver" => {
            let engine = engine.unwrap();
            let store = numbers(&engine).await;
            for n in 0..20 {
                write(&store, n).await;
            }
            let slow = store.clone();
            let running =
                tokio::spawn(
                    async move { slow.client().query("SELECT max(sipHash64(number)) FROM numbers(1000000000000)").execute().await },
                );
            tokio::time::sleep(Duration::from_millis(200)).await;
            engine.shutdown(Duration::from_millis(100)).await.unwrap();
            assert!(running.await.unwrap().is_err());
            let refused = store.ping().await.unwrap_err().to_string();
            assert!(refused.contains("shutting down"), "{refused}");
            println!("left: well");
        }
        // Leaves without a word, connections open.
        "dropper" => {
            let store = numbers(&engine.unwrap()).await;
            write(&store, 1).await;
            println!("left: early");
        }
        role => panic!("no role {role}"),
    }
}

fn spawn(role: &str, directory: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = child(role, directory).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

#[tokio::test]
async fn what_was_acknowledged_survives_being_killed() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut output) = spawn("writer", directory.path());
    let mut acknowledged = 0;
    while acknowledged < 60 {
        acknowledged = line_of(&mut output, "stored: ").parse().unwrap();
    }
    writer.kill().unwrap();
    // What it said before it was killed counts too.
    for line in output.lines().map_while(Result::ok) {
        if let Some(number) = line.strip_prefix("stored: ") {
            acknowledged = number.parse().unwrap();
        }
    }
    writer.wait().unwrap();
    let (mut counter, mut output) = spawn("counter", directory.path());
    let stored: Vec<u64> = line_of(&mut output, "holds: ").split(',').map(|number| number.parse().unwrap()).collect();
    assert!(counter.wait().unwrap().success());
    assert!(stored.len() as u64 > acknowledged, "{} rows, {acknowledged} acknowledged", stored.len());
    // At most the one under way when it was killed is there beyond what was acknowledged.
    assert_eq!(stored, (0..stored.len() as u64).collect::<Vec<_>>());
    assert!(stored.len() as u64 <= acknowledged + 2);
}

#[tokio::test]
async fn a_second_process_hears_who_has_the_directory() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut output) = spawn("writer", directory.path());
    line_of(&mut output, "stored: ");
    let (mut second, mut said) = spawn("second", directory.path());
    let message = line_of(&mut said, "said: ");
    second.wait().unwrap();
    let holder = writer.id();
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert_eq!(
        message,
        format!(
            "the data directory {} is in use by process {holder}: stop that process, or choose another directory with BROKLE_DATA_DIR",
            directory.path().display()
        )
    );
}

#[tokio::test]
async fn leaving_is_orderly_even_with_a_statement_under_way() {
    for role in ["leaver", "dropper"] {
        let directory = TempDir::new().unwrap();
        let (mut leaver, mut output) = spawn(role, directory.path());
        line_of(&mut output, "left: ");
        let status = leaver.wait().unwrap();
        assert!(status.success(), "{role}: {status}");
    }
}

#[test]
fn a_missing_or_wrong_library_is_named() {
    let directory = TempDir::new().unwrap();
    let open = |search: LibrarySearch| {
        let data = directory.path().join("data");
        Engine::open_blocking(&EngineOptions::new(data, search)).unwrap_err().to_string()
    };
    let explicit = |path: &Path| LibrarySearch { explicit: Some(path.to_owned()), cache_home: None };
    let nowhere = LibrarySearch { explicit: None, cache_home: Some(directory.path().to_owned()) };
    if let Err(LibraryError::Missing { looked }) = nowhere.find() {
        assert_eq!(looked.len(), 3);
        let said = open(nowhere);
        assert!(said.contains("was not found in") && said.contains("run `make engine`"), "{said}");
    }
    let gone = open(explicit(&directory.path().join("gone.so")));
    assert!(gone.starts_with("BROKLE_ENGINE_LIB names ") && gone.contains("No such file"), "{gone}");
    let text = directory.path().join("text.so");
    std::fs::write(&text, "not a library").unwrap();
    let said = open(explicit(&text));
    assert!(said.contains("is not a shared library of this platform (not an ELF file"), "{said}");
    let cut_off = directory.path().join("cut.so");
    std::fs::write(&cut_off, b"\x7fELF and nothing more").unwrap();
    let said = open(explicit(&cut_off));
    assert!(said.contains("is not a shared library of this platform"), "{said}");
    let other = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let other = std::fs::read_dir(other)
        .unwrap()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "so"));
    if let Some(other) = other {
        let said = open(explicit(&other));
        assert!(said.contains("has no `chdb_version`"), "{said}");
    }
}

#[tokio::test]
async fn other_addresses_need_a_password() {
    let directory = TempDir::new().unwrap();
    let refused = super::super::serve_engine(
        ListenOptions {
            listen: "0.0.0.0:0".parse().unwrap(),
            user: "default".to_owned(),
            password: None,
            engine: EngineOptions::new(directory.path(), library()),
            grace: Duration::from_secs(1),
        },
        tokio_util::sync::CancellationToken::new(),
    )
    .await;
    assert!(matches!(refused, Err(ListenError::PasswordNeeded(_))));
    assert!(directory.path().read_dir().unwrap().next().is_none(), "nothing was opened");
}
