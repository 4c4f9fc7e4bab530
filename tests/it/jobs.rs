//! Background work: its routes, and what becomes of it when processes are killed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use brokle::common::id::{JobId, MailId};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Chance, Installation, TestApp};
use crate::on_both;

async fn post(app: &TestApp, path: &str) -> (u16, Value) {
    let answer = app.client.post(format!("{}{path}", app.url)).bearer_auth(&app.token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The newest job of a kind, once it has this status.
async fn wait_for_job(app: &TestApp, kind: &str, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let jobs = app.get(&format!("/api/v1/admin/jobs?kind={kind}")).await;
        if jobs["data"][0]["status"] == status {
            return jobs["data"][0].clone();
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no {kind} that is {status}: {jobs}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

on_both! {
    async fn administrators_look_at_background_work_and_step_in(app) {
        // Whoever does jobs may still be starting.
        let started = Instant::now();
        let summary = loop {
            let summary = app.get("/api/v1/admin/jobs/summary").await["data"].take();
            if summary["runners"] == 1 {
                break summary;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{summary}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(summary["counts"], json!([]));
        assert_eq!(summary["oldest_queued_seconds"], Value::Null);

        let schedules = app.get("/api/v1/admin/schedules").await;
        let names: Vec<&str> = schedules["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["prune-jobs", "prune-mail"]);
        assert_eq!(schedules["data"][0]["kind"], "prune_jobs");

        let (status, ran) = post(app, "/api/v1/admin/schedules/prune-jobs/run").await;
        assert_eq!((status, &ran["data"]["name"]), (200, &json!("prune-jobs")), "{ran}");
        let job = wait_for_job(app, "prune_jobs", "done").await;
        assert_eq!((&job["attempts"], &job["key"]), (&json!(1), &json!("schedule:prune-jobs")));
        assert_eq!(post(app, "/api/v1/admin/schedules/none/run").await.0, 404);

        let id = job["id"].as_str().unwrap();
        let detail = app.get(&format!("/api/v1/admin/jobs/{id}")).await;
        assert_eq!(detail["data"]["payload"], json!({}));
        let (status, refused) = post(app, &format!("/api/v1/admin/jobs/{id}/retry")).await;
        assert_eq!((status, &refused["error"]["code"]), (409, &json!("CONFLICT_ERROR")), "{refused}");
        assert_eq!(post(app, &format!("/api/v1/admin/jobs/{id}/cancel")).await.0, 409);
        assert_eq!(app.try_get(&format!("/api/v1/admin/jobs/{}", JobId::fresh())).await.0, 404);
        assert_eq!(app.try_get("/api/v1/admin/jobs/x").await.0, 400);
        for wrong in ["status=lost", "limit=0", "limit=101", "cursor=x"] {
            assert_eq!(app.try_get(&format!("/api/v1/admin/jobs?{wrong}")).await.0, 400, "{wrong}");
        }

        // A second page.
        assert_eq!(post(app, "/api/v1/admin/schedules/prune-jobs/run").await.0, 200);
        let started = Instant::now();
        let page = loop {
            let page = app.get("/api/v1/admin/jobs?limit=1&status=done").await;
            if page["meta"]["pagination"]["has_next"] == true {
                break page;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let cursor = page["meta"]["pagination"]["next_cursor"].as_str().unwrap();
        let next = app.get(&format!("/api/v1/admin/jobs?limit=1&status=done&cursor={cursor}")).await;
        assert_eq!(next["data"][0]["id"], id);
        assert_eq!(next["meta"]["pagination"]["has_next"], false);

        let mail = app.get("/api/v1/admin/outbox").await;
        assert_eq!(mail["data"], json!([]));
        assert_eq!(app.try_get("/api/v1/admin/outbox?status=lost").await.0, 400);
        assert_eq!(app.try_get(&format!("/api/v1/admin/outbox/{}", MailId::fresh())).await.0, 404);
        assert_eq!(post(app, &format!("/api/v1/admin/outbox/{}/retry", MailId::fresh())).await.0, 404);

        let worker = app.worker_url.as_ref().unwrap_or(&app.url);
        let metrics = app.client.get(format!("{worker}/metrics")).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("brokle_jobs_total{kind=\"prune_jobs\",outcome=\"done\"} 2"), "{metrics}");
    }
}

/// A mail server that takes its time, so that whoever talks to it can be killed meanwhile. How often each recipient's mail came.
#[derive(Clone, Default)]
struct SlowSink(Arc<Mutex<BTreeMap<String, u32>>>);

impl SlowSink {
    async fn open() -> (Self, u16) {
        let (sink, listener) = (Self::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (port, shared) = (listener.local_addr().unwrap().port(), sink.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(shared.clone().talk(stream));
            }
        });
        (sink, port)
    }

    async fn talk(self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 sink\r\n").await?;
        let mut to = String::new();
        while let Some(line) = lines.next_line().await? {
            if line.starts_with("RCPT") {
                to = line;
            } else if line == "DATA" {
                write.write_all(b"354 go\r\n").await?;
                while lines.next_line().await?.is_some_and(|line| line != ".") {}
                tokio::time::sleep(Duration::from_millis(150)).await;
                *self.0.lock().unwrap().entry(std::mem::take(&mut to)).or_default() += 1;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            write.write_all(b"250 ok\r\n").await?;
        }
        Ok(())
    }
}

/// Puts a mail and its job into the queue, in one transaction, as a server does.
async fn write_mail(database: &mut PgConnection, number: usize) {
    let (mail, job) = (MailId::fresh().to_string(), JobId::fresh().to_string());
    let mut txn = database.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO mail_outbox (id, recipient, template, subject, text, html, status, created_at, updated_at) \
         VALUES ($1, $2, 'test', 'Test', 'text', '<p>text</p>', 'queued', now(), now())",
    )
    .bind(&mail)
    .bind(format!("r{number}@example.com"))
    .execute(&mut *txn)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, key, payload, status, priority, run_at, attempts, max_attempts, cancel_requested, progress_done, \
         created_at, updated_at) VALUES ($1, 'send_mail', $2, $3, 'queued', 10, now(), 0, 100, false, 0, now(), now())",
    )
    .bind(&job)
    .bind(&mail)
    .bind(json!({"mail": mail}).to_string())
    .execute(&mut *txn)
    .await
    .unwrap();
    txn.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_no_job_and_end_each_once() {
    const MAILS: usize = 40;
    let mut chance = Chance::new();
    let (sink, port) = SlowSink::open().await;
    let installation = Installation::split()
        .await
        .initialised()
        .with("JOBS_LEASE_SECONDS", "2")
        .with("JOBS_CONCURRENCY", "2")
        .with("SMTP_HOST", "127.0.0.1")
        .with("SMTP_PORT", &port.to_string())
        .with("SMTP_TLS", "none")
        .with("EMAIL_FROM_ADDRESS", "brokle@example.com");
    // A server alone migrates, and does no jobs.
    let server = installation.start("server").await;
    let url = installation.services.as_ref().unwrap().database_url.clone();
    let mut database = PgConnection::connect(&url).await.unwrap();
    for number in 0..MAILS / 2 {
        write_mail(&mut database, number).await;
    }
    let (mut doomed, other) = (installation.start("worker").await, installation.start("worker").await);
    for round in 0..3 {
        chance.sleep(Duration::from_millis(100), Duration::from_millis(900)).await;
        doomed.process.kill();
        for number in 0..MAILS / 6 {
            write_mail(&mut database, 1_000 * (round + 1) + number).await;
        }
        doomed = installation.start_on(doomed.port(), "worker").await;
    }
    let written: i64 = sqlx::query_scalar("SELECT count(*) FROM mail_outbox").fetch_one(&mut database).await.unwrap();
    let started = Instant::now();
    loop {
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = 'send_mail' AND status <> 'done'")
            .fetch_one(&mut database)
            .await
            .unwrap();
        if open == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(25), "{open} jobs are open: {}", other.process.output());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let keys: Vec<(String, i64)> =
        sqlx::query_as("SELECT key, count(*) FROM jobs WHERE kind = 'send_mail' GROUP BY key").fetch_all(&mut database).await.unwrap();
    assert_eq!(i64::try_from(keys.len()).unwrap(), written);
    assert!(keys.iter().all(|(_, count)| *count == 1), "{keys:?}");
    let unsent: i64 = sqlx::query_scalar("SELECT count(*) FROM mail_outbox WHERE status <> 'sent'").fetch_one(&mut database).await.unwrap();
    assert_eq!(unsent, 0);
    let again: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs WHERE attempts > 1").fetch_one(&mut database).await.unwrap();
    let came = sink.0.lock().unwrap().clone();
    assert_eq!(came.len(), keys.len(), "every mail came: {came:?}");
    let twice = came.values().filter(|times| **times > 1).count();
    // Only what was in the hands of a killed worker may come again.
    assert!(i64::try_from(twice).unwrap() <= again, "{twice} came twice, {again} were begun again");
    database.close().await.unwrap();
    server.stop().await;
    doomed.stop().await;
    other.stop().await;
}
