//! Putting in, and the order of taking.

use std::time::Duration;

use chrono::TimeDelta;

use super::support::{Plain, Urgent, plain, queues};
use crate::common::clock::Clock;
use crate::infra::jobs::{Change, Filter, Queued, Status};

#[tokio::test]
async fn a_job_is_done_once() {
    for queue in queues().await {
        let (one, other) = (queue.start("one", 2), queue.start("other", 2));
        let mut ids = Vec::new();
        for number in 0..20 {
            ids.push(queue.put(&plain(&format!("{number:02}"))).await);
        }
        queue.jobs.wake();
        for id in &ids {
            let job = queue.wait_for(*id, "done").await;
            assert_eq!((job.attempts, job.leased_by, job.finished_at), (1, None, Some(queue.clock.now())));
        }
        let mut runs = queue.told.runs();
        runs.sort();
        assert_eq!(runs, (0..20).map(|number| format!("{number:02}")).collect::<Vec<_>>());
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test]
async fn what_was_taken_back_is_never_done() {
    for queue in queues().await {
        let txn = queue.db.begin().await.unwrap();
        queue.jobs.enqueue(&txn, &plain("taken back"), Queued::default()).await.unwrap();
        txn.rollback().await.unwrap();
        let runner = queue.start("one", 2);
        let id = queue.put(&plain("kept")).await;
        queue.jobs.wake();
        queue.wait_for(id, "done").await;
        assert_eq!(queue.told.runs(), ["kept"]);
        assert_eq!(queue.jobs.list(&Filter::default(), None, 10).await.unwrap().len(), 1);
        runner.stop().await;
    }
}

#[tokio::test]
async fn of_two_open_jobs_with_a_key_there_is_one() {
    for queue in queues().await {
        let keyed = |name: &str| Plain { name: name.to_owned(), key: Some("k".to_owned()) };
        let put = async |name: &str| queue.jobs.enqueue(queue.db.writer(), &keyed(name), Queued::default()).await.unwrap();
        let first = put("first").await.unwrap();
        assert_eq!(put("second").await, None);
        // In one transaction with other work, which is kept.
        let txn = queue.db.begin().await.unwrap();
        assert_eq!(queue.jobs.enqueue(&txn, &keyed("third"), Queued::default()).await.unwrap(), None);
        let other = queue.jobs.enqueue(&txn, &plain("other"), Queued::default()).await.unwrap().unwrap();
        txn.commit().await.unwrap();

        let runner = queue.start("one", 1);
        queue.wait_for(first, "done").await;
        queue.wait_for(other, "done").await;
        let again = put("again").await.unwrap();
        queue.wait_for(again, "done").await;
        assert_eq!(queue.told.runs(), ["first", "other", "again"]);
        runner.stop().await;

        // A job that is tried again while another does the same work.
        let dead = put("dead").await.unwrap();
        assert!(matches!(queue.jobs.cancel(queue.db.writer(), dead).await.unwrap(), Change::Made(_)));
        put("open").await.unwrap();
        assert!(queue.jobs.retry(queue.db.writer(), dead).await.unwrap_err().is_duplicate());
    }
}

#[tokio::test]
async fn the_urgent_first_then_the_oldest_and_none_before_its_time() {
    for queue in queues().await {
        let later = Queued { delay: Duration::from_mins(5), ..Queued::default() };
        let delayed = queue.jobs.enqueue(queue.db.writer(), &Urgent { name: "delayed".to_owned() }, later).await.unwrap().unwrap();
        queue.put(&plain("a")).await;
        queue.clock.advance(Duration::from_secs(1));
        let last = queue.put(&plain("b")).await;
        let urgent = queue.put(&Urgent { name: "urgent".to_owned() }).await;
        let summary = queue.jobs.summary().await.unwrap();
        assert_eq!((summary.oldest_queued_seconds, summary.runners), (Some(1), 0));
        let runner = queue.start("one", 1);
        queue.wait_for(urgent, "done").await;
        queue.wait_for(last, "done").await;
        assert_eq!(queue.told.runs(), ["urgent", "a", "b"]);
        assert_eq!(queue.jobs.summary().await.unwrap().runners, 1);
        assert_eq!(queue.job(delayed).await.status, "queued");
        assert_eq!(queue.job(delayed).await.run_at, queue.clock.now() + TimeDelta::seconds(299));

        queue.advance(Duration::from_secs(299));
        queue.wait_for(delayed, "done").await;
        let summary = queue.jobs.summary().await.unwrap();
        assert_eq!(summary.oldest_queued_seconds, None);
        let counts: Vec<_> = summary.counts.iter().map(|count| (count.kind.as_str(), count.status.as_str(), count.count)).collect();
        assert_eq!(counts, [("plain", "done", 2), ("urgent", "done", 2)]);
        runner.stop().await;
        assert_eq!(queue.jobs.summary().await.unwrap().runners, 0);
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    for queue in queues().await {
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(queue.put(&plain(&number.to_string())).await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        queue.jobs.cancel(queue.db.writer(), ids[4]).await.unwrap();
        let filter = |status, kind: Option<&str>| Filter { status, kind: kind.map(str::to_owned) };
        let list = async |filter: Filter, before| {
            queue.jobs.list(&filter, before, 2).await.unwrap().into_iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(list(filter(None, None), None).await, [ids[4], ids[3]]);
        assert_eq!(list(filter(None, None), Some(ids[3])).await, [ids[2], ids[1]]);
        assert_eq!(list(filter(Some(Status::Queued), Some("plain")), None).await, [ids[3], ids[2]]);
        assert_eq!(list(filter(Some(Status::Cancelled), None), None).await, [ids[4]]);
        assert!(list(filter(None, Some("urgent")), None).await.is_empty());
    }
}

#[tokio::test]
async fn a_kind_that_nobody_here_knows_waits() {
    for queue in queues().await {
        let id = queue.put(&plain("newer")).await;
        let mut registry = crate::infra::jobs::Registry::default();
        registry.register::<Urgent>(queue.told.clone());
        let older = queue.start_with(registry, "older", 1);
        let urgent = queue.put(&Urgent { name: "urgent".to_owned() }).await;
        queue.jobs.wake();
        queue.wait_for(urgent, "done").await;
        assert_eq!(queue.job(id).await.status, "queued");
        older.stop().await;
    }
}
