//! How jobs end.

use std::time::Duration;

use chrono::TimeDelta;

use super::support::{Panicking, plain, queues, waiting};
use crate::common::clock::Clock;
use crate::infra::jobs::{Change, Failure, PruneJobs, Queued};

#[tokio::test]
async fn a_failed_job_is_tried_again_until_it_is_dead_and_then_by_hand() {
    for queue in queues().await {
        let soon = Failure::Retry { reason: "in a minute".to_owned(), after: Some(Duration::from_mins(1)) };
        queue.told.fail("a", [Failure::retry("busy"), soon, Failure::retry("still busy")]);
        let id = queue.put(&plain("a")).await;
        let runner = queue.start("one", 1);
        queue.until(|told| told.runs().len() == 1).await;
        let job = queue.wait_for(id, "queued").await;
        assert_eq!((job.attempts, job.last_error.as_deref(), job.leased_by), (1, Some("busy"), None));
        let pause = job.run_at - queue.clock.now();
        assert!(pause >= TimeDelta::seconds(1) && pause <= TimeDelta::milliseconds(1_250), "{pause}");

        queue.advance(Duration::from_secs(2));
        queue.until(|told| told.runs().len() == 2).await;
        let job = queue.wait_for(id, "queued").await;
        assert_eq!((job.attempts, job.run_at), (2, queue.clock.now() + TimeDelta::minutes(1)), "the job says when");
        queue.advance(Duration::from_mins(1));
        let job = queue.wait_for(id, "dead").await;
        assert_eq!((job.attempts, job.last_error.as_deref()), (3, Some("still busy")));
        assert_eq!(job.finished_at, Some(queue.clock.now()));

        assert!(matches!(queue.jobs.retry(queue.db.writer(), id).await.unwrap(), Change::Made(before) if before.status == "dead"));
        queue.jobs.wake();
        let job = queue.wait_for(id, "done").await;
        assert_eq!((job.attempts, queue.told.runs().len()), (1, 4));
        assert!(matches!(queue.jobs.retry(queue.db.writer(), id).await.unwrap(), Change::Refused(_)), "what is done is done");
        assert_eq!(runner.metrics.jobs.with_label_values(&["plain", "retried"]).get(), 2);
        assert_eq!(runner.metrics.jobs.with_label_values(&["plain", "dead"]).get(), 1);
        assert_eq!(runner.metrics.jobs.with_label_values(&["plain", "done"]).get(), 1);
        runner.stop().await;
    }
}

#[tokio::test]
async fn what_can_never_succeed_is_dead_at_once() {
    for queue in queues().await {
        queue.told.fail("a", [Failure::Fatal("no such thing".to_owned())]);
        let id = queue.put(&plain("a")).await;
        let runner = queue.start("one", 1);
        let job = queue.wait_for(id, "dead").await;
        assert_eq!((job.attempts, job.last_error.as_deref()), (1, Some("no such thing")));
        runner.stop().await;
    }
}

#[tokio::test]
async fn a_panic_is_a_failure_like_another() {
    for queue in queues().await {
        let id = queue.put(&Panicking {}).await;
        let runner = queue.start("one", 1);
        queue.until(|told| told.runs().len() == 1).await;
        let job = queue.wait_for(id, "queued").await;
        assert_eq!((job.attempts, job.last_error.as_deref()), (1, Some("panicked: oh no")));
        queue.advance(Duration::from_secs(5));
        queue.wait_for(id, "dead").await;
        // The process lives on.
        let other = queue.put(&plain("after")).await;
        queue.wait_for(other, "done").await;
        runner.stop().await;
    }
}

#[tokio::test]
async fn progress_is_seen_while_a_job_runs_and_after() {
    for queue in queues().await {
        let id = queue.put(&plain("a")).await;
        let runner = queue.start("one", 1);
        let job = queue.wait_for(id, "done").await;
        assert_eq!((job.progress_done, job.progress_total, job.progress_note.as_deref()), (1, Some(2), Some("half")));
        runner.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_waits_is_cancelled_at_once_and_one_that_runs_when_it_hears_of_it() {
    for queue in queues().await {
        let queued = queue.put(&plain("never")).await;
        assert!(matches!(queue.jobs.cancel(queue.db.writer(), queued).await.unwrap(), Change::Made(_)));
        assert_eq!(queue.job(queued).await.status, "cancelled");
        assert!(matches!(queue.jobs.cancel(queue.db.writer(), queued).await.unwrap(), Change::Refused(_)));

        let runner = queue.start("one", 1);
        let id = queue.put(&waiting("polite", true)).await;
        queue.until(|told| told.runs() == ["polite"]).await;
        assert!(matches!(queue.jobs.cancel(queue.db.writer(), id).await.unwrap(), Change::Made(_)));
        queue.jobs.tell_change(&id.to_string());
        queue.wait_for(id, "cancelled").await;
        assert_eq!(queue.told.ended(), ["polite"]);

        // Tried again, it is a job like any other.
        queue.jobs.retry(queue.db.writer(), id).await.unwrap();
        queue.until(|told| told.runs().len() == 2).await;
        queue.told.go();
        queue.wait_for(id, "done").await;
        runner.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_does_not_listen_is_ended_where_it_stands() {
    // One database: it waits for some seconds.
    let queue = queues().await.remove(0);
    let runner = queue.start("one", 1);
    let id = queue.put(&waiting("deaf", false)).await;
    queue.until(|told| told.runs() == ["deaf"]).await;
    queue.jobs.cancel(queue.db.writer(), id).await.unwrap();
    queue.jobs.tell_change(&id.to_string());
    queue.wait_for(id, "cancelled").await;
    assert_eq!(queue.told.ended(), ["deaf"]);
    runner.stop().await;
}

#[tokio::test]
async fn old_jobs_are_forgotten() {
    for queue in queues().await {
        queue.told.fail("dead", [Failure::Fatal("no".to_owned())]);
        let (done, dead, cancelled) = (queue.put(&plain("done")).await, queue.put(&plain("dead")).await, queue.put(&plain("x")).await);
        queue.jobs.cancel(queue.db.writer(), cancelled).await.unwrap();
        let mut registry = queue.registry();
        registry.register::<PruneJobs>(queue.jobs.clone());
        let runner = queue.start_with(registry, "one", 1);
        queue.wait_for(done, "done").await;
        queue.wait_for(dead, "dead").await;
        let prune = async || {
            let id = queue.put(&PruneJobs {}).await;
            queue.jobs.wake();
            queue.wait_for(id, "done").await;
        };
        queue.clock.advance(Duration::from_hours(6 * 24));
        prune().await;
        assert!(queue.jobs.find(done).await.unwrap().is_some());
        queue.clock.advance(Duration::from_hours(25));
        let open = plain("open");
        let later = Queued { delay: Duration::from_hours(200 * 24), ..Queued::default() };
        let waits = queue.jobs.enqueue(queue.db.writer(), &open, later).await.unwrap().unwrap();
        prune().await;
        assert!(queue.jobs.find(done).await.unwrap().is_none() && queue.jobs.find(cancelled).await.unwrap().is_none());
        assert!(queue.jobs.find(dead).await.unwrap().is_some());
        queue.clock.advance(Duration::from_hours(90 * 24));
        prune().await;
        assert!(queue.jobs.find(dead).await.unwrap().is_none());
        assert_eq!(queue.job(waits).await.status, "queued", "what has not ended is never forgotten");
        runner.stop().await;
    }
}
