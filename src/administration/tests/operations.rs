//! Stepping in, on both databases. The routes are tried in tests/it/jobs.rs.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::administration::{Error, Operations};
use crate::audit::By;
use crate::auth::testing::audit;
use crate::common::clock::{SharedClock, SystemClock};
use crate::common::id::{JobId, MailId};
use crate::infra::bus::Bus;
use crate::infra::db::Database;
use crate::infra::db::testing::test_databases;
use crate::infra::jobs::{Filter, Jobs, PruneJobs, Queued};
use crate::infra::mail::{Mailer, Template};

fn parts(db: &Database, delivers: bool) -> (Jobs, Mailer, Operations) {
    let clock: SharedClock = Arc::new(SystemClock);
    let jobs = Jobs::new(db.clone(), clock.clone(), Bus::new());
    let mailer = Mailer::new(jobs.clone(), clock.clone()).delivering(delivers);
    let operations = Operations::new(db.clone(), jobs.clone(), mailer.clone(), audit(db, &clock));
    (jobs, mailer, operations)
}

async fn audited(db: &Database) -> Vec<(String, String)> {
    let backend: DbBackend = db.conn().get_database_backend();
    let query = "SELECT action, target_name FROM audit_logs ORDER BY created_at, id";
    let rows = db.conn().query_all_raw(Statement::from_string(backend, query)).await.unwrap();
    rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect()
}

#[tokio::test]
async fn whoever_steps_in_is_noted_and_what_is_refused_changes_nothing() {
    for db in test_databases().await {
        let (jobs, _, operations) = parts(&db, false);
        let by = By::operator();
        let id = jobs.enqueue(db.writer(), &PruneJobs {}, Queued::default()).await.unwrap().unwrap();
        assert_eq!(operations.cancel_job(&by, id).await.unwrap().status, "cancelled");
        assert!(matches!(operations.cancel_job(&by, id).await, Err(Error::NotCancelled(status)) if status == "cancelled"));
        assert_eq!(operations.retry_job(&by, id).await.unwrap().status, "queued");
        assert!(matches!(operations.retry_job(&by, JobId::fresh()).await, Err(Error::JobNotFound)));
        assert!(matches!(operations.run_schedule(&by, "none").await, Err(Error::ScheduleNotFound)));
        let lines = [("job.cancel", "prune_jobs"), ("job.retry", "prune_jobs")].map(|(action, name)| (action.to_owned(), name.to_owned()));
        assert_eq!(audited(&db).await, lines);
    }
}

#[tokio::test]
async fn a_kept_mail_is_read_and_sent_once_there_is_a_mail_server() {
    for db in test_databases().await {
        let (jobs, mailer, operations) = parts(&db, false);
        let expires_at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let template = Template::ResetPassword { link: "reset".to_owned(), expires_at, ip: String::new() };
        let id = mailer.send(db.writer(), "ada@example.com", &template).await.unwrap();
        assert!(matches!(operations.retry_mail(&By::operator(), id).await, Err(Error::NoMailServer)));
        assert!(matches!(operations.retry_mail(&By::operator(), MailId::fresh()).await, Err(Error::MailNotFound)));
        assert!(operations.read_mail(&By::operator(), id).await.unwrap().text.contains("reset"));
        let (_, _, delivering) = parts(&db, true);
        assert_eq!(
            delivering.read_mail(&By::operator(), id).await.unwrap().text,
            "",
            "where mail is delivered, nobody else reads the link"
        );
        assert_eq!(delivering.retry_mail(&By::operator(), id).await.unwrap().status, "queued");
        assert_eq!(jobs.list(&Filter::default(), None, 10).await.unwrap().len(), 1, "its job is open still");
        let actions: Vec<String> = audited(&db).await.into_iter().map(|(action, _)| action).collect();
        assert_eq!(actions, ["mail.read", "mail.read", "mail.retry"]);
    }
}
