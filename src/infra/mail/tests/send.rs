//! The outbox and the mail server, on both databases.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::sink::Sink;
use crate::common::clock::{Clock, FixedClock};
use crate::common::id::MailId;
use crate::config::{Config, Environment};
use crate::infra::bus::Bus;
use crate::infra::db::testing::{TestDatabase, test_databases};
use crate::infra::jobs::{Filter, Jobs, Queued, Registry, Runner, Settings, StoredJob};
use crate::infra::mail::{MailChange, MailStatus, Mailer, Post, PruneMail, SendMail, Smtp, StoredMail, Template};
use crate::infra::metrics::Metrics;

struct Office {
    db: TestDatabase,
    clock: Arc<FixedClock>,
    jobs: Jobs,
    mailer: Mailer,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

fn mail_settings(port: u16, more: &[(&str, &str)]) -> crate::config::Mail {
    let port = port.to_string();
    let base = [
        ("SMTP_HOST", "127.0.0.1"),
        ("SMTP_PORT", port.as_str()),
        ("SMTP_TLS", "none"),
        ("EMAIL_FROM_ADDRESS", "brokle@example.org"),
        ("EMAIL_FROM_NAME", "Brokle at Acme"),
    ];
    let environment: Environment = base.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::load(&environment).unwrap().mail
}

impl Office {
    fn open(db: TestDatabase, smtp: Option<Smtp>) -> Self {
        let clock = Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()));
        let jobs = Jobs::new(db.db.clone(), clock.clone(), Bus::new());
        let mailer = Mailer::new(jobs.clone(), clock.clone()).delivering(smtp.is_some());
        let mut registry = Registry::default();
        registry.register::<SendMail>(Post::new(db.db.clone(), clock.clone(), smtp));
        registry.register::<PruneMail>(mailer.clone());
        let settings = Settings {
            name: "office".to_owned(),
            concurrency: 2,
            lease: Duration::from_secs(30),
            stop_grace: Duration::from_secs(1),
            look: Duration::from_millis(50),
            alone: false,
        };
        let (dispatcher, slots) = Runner::new(jobs.clone(), registry, settings, Metrics::new().unwrap()).split();
        let stop = CancellationToken::new();
        let mut tasks: Vec<_> = slots.into_iter().map(|slot| tokio::spawn(slot.run())).collect();
        tasks.push(tokio::spawn(dispatcher.run(stop.clone())));
        Self { db, clock, jobs, mailer, stop, tasks }
    }

    async fn close(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    async fn send(&self, to: &str) -> MailId {
        let template = Template::ResetPassword {
            link: "https://b.example/reset-password?token=t0k3n".to_owned(),
            expires_at: self.clock.now(),
            ip: "192.0.2.7".to_owned(),
        };
        let txn = self.db.begin().await.unwrap();
        let id = self.mailer.send(&txn, to, &template).await.unwrap();
        txn.commit().await.unwrap();
        self.mailer.wake();
        id
    }

    async fn mail(&self, id: MailId, status: MailStatus) -> StoredMail {
        for _ in 0..1_000 {
            let mail = self.mailer.find(id).await.unwrap().unwrap();
            if mail.status == status.name() && (status != MailStatus::Queued || mail.last_error.is_some()) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {status:?}: {:?}", self.mailer.find(id).await);
    }

    async fn job(&self, mail: MailId, status: &str) -> StoredJob {
        for _ in 0..1_000 {
            let jobs = self.jobs.list(&Filter::default(), None, 100).await.unwrap();
            let job = jobs.into_iter().find(|job| job.key.as_deref() == Some(&mail.to_string())).unwrap();
            if job.status == status {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the job never was {status}");
    }
}

#[tokio::test]
async fn a_mail_is_sent_and_its_text_forgotten_after_a_day() {
    for db in test_databases().await {
        let sink = Sink::open().await;
        let office = Office::open(db, Smtp::of(&mail_settings(sink.port, &[])).unwrap());
        assert!(office.mailer.delivers());
        let id = office.send("ada@example.com").await;
        let mail = office.mail(id, MailStatus::Sent).await;
        assert_eq!((mail.sent_at, mail.template.as_str()), (Some(office.clock.now()), "reset_password"));
        let job = office.job(id, "done").await;
        assert!(!job.payload.contains("t0k3n") && job.payload.contains(&id.to_string()), "{}", job.payload);
        let taken = sink.taken();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].from.as_str(), taken[0].to.as_str()), ("brokle@example.org", "ada@example.com"));
        let data = &taken[0].data;
        for part in [
            "From: \"Brokle at Acme\" <brokle@example.org>",
            "To: ada@example.com",
            "Subject: Reset your Brokle password",
            &format!("Message-ID: <{id}@example.org>"),
            "Date: Fri, 15 Jan 2027 08:00:00",
            "Auto-Submitted: auto-generated",
            "multipart/alternative",
            "text/html",
        ] {
            assert!(data.contains(part), "{part} is missing in {data}");
        }

        let prune = async || {
            office.jobs.enqueue(office.db.writer(), &PruneMail {}, Queued::default()).await.unwrap();
            office.jobs.wake();
            for _ in 0..500 {
                let jobs = office.jobs.list(&Filter::default(), None, 100).await.unwrap();
                if jobs.iter().all(|job| job.status == "done") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            panic!("not pruned");
        };
        office.clock.advance(Duration::from_hours(23));
        prune().await;
        assert!(office.mailer.find(id).await.unwrap().unwrap().text.contains("t0k3n"));
        office.clock.advance(Duration::from_hours(2));
        prune().await;
        let mail = office.mailer.find(id).await.unwrap().unwrap();
        assert_eq!((mail.text.as_str(), mail.html.as_str(), mail.status.as_str()), ("", "", "sent"));
        office.clock.advance(Duration::from_hours(30 * 24));
        prune().await;
        assert!(office.mailer.find(id).await.unwrap().is_none());
        office.close().await;
    }
}

#[tokio::test]
async fn a_refusal_for_good_fails_and_one_for_now_is_tried_again() {
    for db in test_databases().await {
        let sink = Sink::open().await;
        let office = Office::open(db, Smtp::of(&mail_settings(sink.port, &[])).unwrap());
        sink.answer(["550 5.1.1 no such mailbox"]);
        let id = office.send("nobody@example.com").await;
        let mail = office.mail(id, MailStatus::Failed).await;
        assert!(mail.last_error.as_deref().unwrap().contains("no such mailbox"), "{mail:?}");
        assert_eq!(office.job(id, "dead").await.attempts, 1);
        // An operator who has mended it sends it again.
        assert!(matches!(office.mailer.retry(office.db.writer(), id).await.unwrap(), MailChange::Made(_)));
        office.mailer.wake();
        office.mail(id, MailStatus::Sent).await;
        assert!(matches!(office.mailer.retry(office.db.writer(), id).await.unwrap(), MailChange::Refused(_)));

        sink.answer(["451 4.7.1 greylisted"]);
        let id = office.send("ada@example.com").await;
        let mail = office.mail(id, MailStatus::Queued).await;
        assert!(mail.last_error.as_deref().unwrap().contains("greylisted"), "{mail:?}");
        let job = office.job(id, "queued").await;
        assert!(job.run_at > office.clock.now() && job.run_at <= office.clock.now() + TimeDelta::seconds(2));
        office.clock.advance(Duration::from_secs(2));
        office.mailer.wake();
        let mail = office.mail(id, MailStatus::Sent).await;
        assert_eq!(mail.last_error, None);
        assert_eq!(sink.taken().len(), 2);
        office.close().await;
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_or_refuses_us_is_tried_again() {
    for db in test_databases().await {
        let sink = Sink::open().await;
        sink.refuse_sign_in();
        let settings = mail_settings(sink.port, &[("SMTP_USERNAME", "brokle"), ("SMTP_PASSWORD", "hunter2")]);
        let office = Office::open(db, Smtp::of(&settings).unwrap());
        let id = office.send("ada@example.com").await;
        let mail = office.mail(id, MailStatus::Queued).await;
        assert!(!mail.last_error.as_deref().unwrap().contains("hunter2"), "{mail:?}");
        assert_eq!(sink.sign_ins().len(), 1);
        office.close().await;
    }
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let office = Office::open(test_databases().await.remove(0), Smtp::of(&mail_settings(gone, &[])).unwrap());
    let id = office.send("ada@example.com").await;
    let mail = office.mail(id, MailStatus::Queued).await;
    assert!(mail.last_error.unwrap().contains(&format!("127.0.0.1:{gone}")));
    office.close().await;
}

#[tokio::test]
async fn without_a_mail_server_mail_is_kept() {
    for db in test_databases().await {
        let none = Smtp::of(&Config::load(&Environment::default()).unwrap().mail).unwrap();
        assert!(none.is_none());
        let office = Office::open(db, none);
        assert!(!office.mailer.delivers());
        let id = office.send("ada@example.com").await;
        let mail = office.mail(id, MailStatus::Kept).await;
        assert!(mail.text.contains("t0k3n"));
        office.job(id, "done").await;
        assert_eq!(office.mailer.list(Some(MailStatus::Kept), None, 10).await.unwrap().len(), 1);
        assert!(office.mailer.list(Some(MailStatus::Sent), None, 10).await.unwrap().is_empty());
        office.close().await;
    }
}

#[tokio::test]
async fn a_mail_of_a_change_that_was_taken_back_is_not_sent() {
    for db in test_databases().await {
        let sink = Sink::open().await;
        let office = Office::open(db, Smtp::of(&mail_settings(sink.port, &[])).unwrap());
        let template = Template::AlreadyRegistered { login_link: "l".to_owned(), reset_link: "r".to_owned() };
        let txn = office.db.begin().await.unwrap();
        let id = office.mailer.send(&txn, "ada@example.com", &template).await.unwrap();
        drop(txn);
        office.mailer.wake();
        let sent = office.send("bob@example.com").await;
        office.mail(sent, MailStatus::Sent).await;
        assert!(office.mailer.find(id).await.unwrap().is_none());
        assert_eq!(sink.taken().len(), 1);
        office.close().await;
    }
}
