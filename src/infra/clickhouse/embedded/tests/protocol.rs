//! The HTTP protocol over TCP, as curl and other clients use it.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};

use super::{
    super::{
        compression::{self, Decoder},
        service::{Access, digest_of},
    },
    support::{Port, database_name, empty_store, eventually},
};

async fn post(port: &Port, path_and_query: &str, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
    let answer = Client::new().post(port.url(path_and_query)).body(body).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn answers_health_checks_and_queries() {
    let port = Port::open(Access::Local).await;
    let get = |path: &str| Client::new().get(port.url(path)).send();
    assert_eq!(get("/ping").await.unwrap().text().await.unwrap(), "Ok.\n");
    assert_eq!(get("/").await.unwrap().text().await.unwrap(), "Ok.\n");
    assert_eq!(get("/nope").await.unwrap().status(), StatusCode::NOT_FOUND);
    let answer = get("/?query=SELECT%201,%27a%27&query_id=mine").await.unwrap();
    assert_eq!(answer.headers()["x-clickhouse-query-id"], "mine");
    assert_eq!(answer.headers()["x-clickhouse-format"], "TabSeparated");
    assert_eq!(answer.headers()["content-type"], "text/tab-separated-values; charset=UTF-8");
    assert_eq!(answer.text().await.unwrap(), "1\ta\n");
    for (path, body, expected) in [
        ("/", "SELECT 1;", "1\n"),
        ("/?default_format=CSV", "SELECT 'a' -- the end", "\"a\"\n"),
        ("/?query=SELECT", "2", "2\n"),
        ("/?wait_end_of_query=1", "SELECT 3", "3\n"),
        ("/", "SELECT 1 AS x FORMAT JSONEachRow", "{\"x\":1}\n"),
        ("/", "SHOW TABLES FROM system LIKE 'one'", "one\n"),
        ("/?param_x=a%5Ctb", "SELECT {x:String}", "a\\tb\n"),
        ("/?max_threads=7", "SELECT getSetting('max_threads')", "7\n"),
        ("/?database=system", "SELECT currentDatabase()", "system\n"),
        ("/", "FROM numbers(2) SELECT number", "0\n1\n"),
        ("/", "(SELECT 1)", "1\n"),
        ("/", "SELECT 1 WHERE 0", ""),
    ] {
        assert_eq!(post(&port, path, body).await, (StatusCode::OK, expected.to_owned()), "{path} {body}");
    }
    let json = post(&port, "/", "SELECT number FROM numbers(200000) FORMAT JSONCompact").await.1;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["rows"], 200_000);
}

#[tokio::test]
async fn says_what_is_wrong_and_how() {
    let port = Port::open(Access::Local).await;
    for (path, body, status, code) in [
        ("/", "SELEC 1", 400, 62),
        ("/", "SELECT * FROM nope", 404, 60),
        ("/?database=nope", "SELECT 1", 404, 81),
        ("/?nope=1", "SELECT 1", 404, 115),
        ("/?a%20b=1", "SELECT 1", 404, 115),
        ("/", "SELECT 1; SELECT 2", 400, 62),
        ("/", "", 400, 62),
        ("/", "SET max_threads = 1", 501, 48),
        ("/", "USE system", 501, 48),
        ("/", "CREATE TEMPORARY TABLE t (x UInt8)", 501, 48),
        ("/", "SELECT 1 INTO OUTFILE 'x'", 501, 48),
        ("/?readonly=1", "CREATE DATABASE nope", 500, 164),
        ("/?readonly=1&query=INSERT%20INTO%20t%20FORMAT%20CSV", "1", 500, 164),
        ("/?max_execution_time=1", "SELECT max(sipHash64(number)) FROM numbers(100000000000)", 408, 159),
        ("/?max_memory_usage=1000000", "SELECT length(groupArray(number)) FROM numbers(10000000)", 500, 241),
    ] {
        let answer = Client::new().post(port.url(path)).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} {body}");
        assert_eq!(answer.headers()["x-clickhouse-exception-code"], code.to_string().as_str());
        let text = answer.text().await.unwrap();
        assert!(text.starts_with(&format!("Code: {code}. DB::Exception: ")) && text.ends_with(")\n"), "{text}");
    }
    let get = Client::new().get(port.url("/?query=CREATE%20DATABASE%20nope")).send().await.unwrap();
    assert_eq!(get.headers()["x-clickhouse-exception-code"], "164");
    let gzip = Client::new().post(port.url("/")).header("content-encoding", "gzip").body("x").send().await.unwrap();
    assert_eq!(gzip.status(), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn takes_data_in_every_way_a_server_does() {
    let port = Port::open(Access::Local).await;
    let database = database_name();
    assert_eq!(post(&port, "/", format!("CREATE DATABASE {database}")).await.0, StatusCode::OK);
    let base = format!("/?database={database}");
    let create = "CREATE TABLE t (x UInt64, s String) ENGINE = MergeTree ORDER BY x";
    assert_eq!(post(&port, &base, create).await, (StatusCode::OK, String::new()));
    let long: String = (100..60_100).map(|x| [x.to_string().as_str(), "\tlong\n"].concat()).collect();
    for (query, body) in [
        ("", "INSERT INTO t VALUES (1, 'a'), (2, 'it''s')"),
        ("INSERT INTO t FORMAT CSV", "3,c\n"),
        ("INSERT INTO t FORMAT CSV 4,d\n", ""),
        ("", "INSERT INTO t (s, x) FORMAT JSONEachRow\n{\"x\": 5, \"s\": \"INSERT; '\"}"),
        ("INSERT INTO t", "(6, 'f')"),
        ("INSERT INTO t SELECT 7, 'g'", ""),
        ("", "INSERT INTO t SETTINGS async_insert = 0 VALUES (8, 'h')"),
        ("INSERT INTO t FORMAT TSV", long.as_str()),
    ] {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = Client::new().post(port.url(&format!("{base}&query={query}"))).body(body.to_owned()).send().await.unwrap();
        assert!(answer.headers().contains_key("x-clickhouse-summary"), "{query}");
        assert_eq!((answer.status(), answer.text().await.unwrap()), (StatusCode::OK, String::new()), "{query}");
    }
    let framed = compression::compress(b"9,i\n10,j\n");
    let query = format!("{base}&decompress=1&query=INSERT%20INTO%20t%20FORMAT%20CSV");
    assert_eq!(post(&port, &query, framed.clone()).await.0, StatusCode::OK);
    let cut_off = post(&port, &query, framed.slice(..framed.len() - 1)).await;
    assert_eq!(cut_off.0, StatusCode::INTERNAL_SERVER_ERROR);
    let bad = post(&port, &format!("{base}&query=INSERT%20INTO%20t%20FORMAT%20CSV"), "x,y\n").await;
    assert_eq!(bad.0, StatusCode::BAD_REQUEST, "{}", bad.1);
    let read = "SELECT x, s FROM t WHERE x < 11 ORDER BY x FORMAT CSV";
    let expected = "1,\"a\"\n2,\"it's\"\n3,\"c\"\n4,\"d\"\n5,\"INSERT; '\"\n6,\"f\"\n7,\"g\"\n8,\"h\"\n9,\"i\"\n10,\"j\"\n";
    assert_eq!(post(&port, &base, read).await.1, expected);
    let count = post(&port, &base, "SELECT count() FROM t").await.1;
    assert_eq!(count, "60010\n");
    let framed = Client::new().post(port.url(&format!("{base}&compress=1"))).body(read).send().await.unwrap();
    let plain = Decoder::default().push(&framed.bytes().await.unwrap()).unwrap();
    assert_eq!(plain, expected.as_bytes());
}

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let port = Port::open(Access::Password { user: "default".to_owned(), digest: digest_of("secret") }).await;
    let query = || Client::new().post(port.url("/")).body("SELECT 1");
    assert_eq!(Client::new().get(port.url("/ping")).send().await.unwrap().status(), StatusCode::OK);
    let without = query().send().await.unwrap();
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    assert!(without.headers().contains_key("www-authenticate"));
    let wrong = query().basic_auth("default", Some("guess")).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    let other = query().basic_auth("root", Some("secret")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::FORBIDDEN);
    assert_eq!(query().basic_auth("default", Some("secret")).send().await.unwrap().status(), StatusCode::OK);
    let headers = query().header("x-clickhouse-user", "default").header("x-clickhouse-key", "secret");
    assert_eq!(headers.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(post(&port, "/?user=default&password=secret", "SELECT 1").await.0, StatusCode::OK);
}

#[tokio::test]
async fn web_pages_cannot_use_an_open_port() {
    let port = Port::open(Access::Local).await;
    let page = Client::new().post(port.url("/")).header("origin", "https://evil.example").body("SELECT 1");
    assert_eq!(page.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_official_client_works_over_tcp_with_compression() {
    let port = Port::open(Access::Local).await;
    let store = crate::infra::clickhouse::ClickHouse::connect_url(&port.url(""), Some("default"), None, &database_name());
    crate::infra::clickhouse::migrate::run(&store).await.unwrap();
    let row = super::store::full_row();
    let mut insert = store.insert_client().insert::<crate::observability::rows::ObservationRow>("observations").await.unwrap();
    for _ in 0..50 {
        insert.write(&row).await.unwrap();
    }
    insert.end().await.unwrap();
    let read: Vec<crate::observability::rows::ObservationRow> =
        store.client().query("SELECT ?fields FROM observations FINAL").fetch_all().await.unwrap();
    assert_eq!(read, [row]);
}

async fn running(store: &crate::infra::clickhouse::ClickHouse, mark: &str) -> u64 {
    store
        .client()
        .query("SELECT count() FROM system.processes WHERE position(query, ?) > 0 AND position(query, 'system.processes') = 0")
        .bind(mark)
        .fetch_one()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_statement_nobody_waits_for_is_ended() {
    let store = empty_store().await;
    let port = Port::open(Access::Local).await;
    for (number, statement) in [
        // Before its first block, and between blocks.
        (1, "SELECT max(sipHash64(number)) AS abandoned_1 FROM numbers(1000000000000)"),
        (2, "SELECT number AS abandoned_2 FROM numbers(1000000000000)"),
    ] {
        let mark = format!("abandoned_{number}");
        let url = port.url("/");
        let client = tokio::spawn(async move {
            let mut answer = Client::new().post(url).body(statement).send().await.unwrap();
            while answer.chunk().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        eventually("the statement runs", || async { running(&store, &mark).await == 1 }).await;
        client.abort();
        let since = Instant::now();
        eventually("the statement has ended", || async { running(&store, &mark).await == 0 }).await;
        assert!(since.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn more_clients_than_connections_are_all_served() {
    let store = empty_store().await;
    let answers = futures_util::future::join_all(
        (0..60_u64).map(|number| store.client().query("SELECT toUInt64(? + sleep(0.01))").bind(number).fetch_one::<u64>()),
    )
    .await;
    let numbers: Vec<u64> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
}
