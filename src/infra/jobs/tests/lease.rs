//! Runners that die, fall silent and stop.

use std::time::Duration;

use super::support::{LEASE, plain, queues, waiting};
use crate::common::clock::Clock;
use crate::infra::jobs::Settings;
use crate::infra::jobs::store::claims;

#[tokio::test]
async fn a_job_whose_runner_died_is_taken_by_another_after_its_lease() {
    for queue in queues().await {
        let doomed = queue.start("doomed", 1);
        let id = queue.put(&waiting("a", true)).await;
        queue.until(|told| told.runs().len() == 1).await;
        doomed.kill().await;
        assert_eq!(queue.job(id).await.leased_by.as_deref(), Some("doomed"));

        let heir = queue.start("heir", 1);
        let other = queue.put(&plain("b")).await;
        queue.wait_for(other, "done").await;
        assert_eq!(queue.job(id).await.status, "running", "the lease holds still");
        queue.advance(LEASE + Duration::from_millis(1));
        queue.until(|told| told.runs().len() == 3).await;
        queue.told.go();
        let job = queue.wait_for(id, "done").await;
        assert_eq!(job.attempts, 2);
        heir.stop().await;
    }
}

#[tokio::test]
async fn who_lost_the_lease_stops_and_writes_nothing() {
    for queue in queues().await {
        let silent = queue.start("silent", 1);
        let id = queue.put(&waiting("a", true)).await;
        queue.until(|told| told.runs().len() == 1).await;
        // The clock has gone on, and the silent one has not renewed.
        queue.clock.advance(LEASE + Duration::from_millis(1));
        let heir = queue.start("heir", 1);
        queue.until(|told| told.runs().len() == 2).await;
        assert_eq!(queue.job(id).await.leased_by.as_deref(), Some("heir"));
        // Now it renews, and hears that the job is another's.
        queue.jobs.tell_change("look");
        queue.until(|told| told.ended().len() == 1).await;
        let job = queue.job(id).await;
        assert_eq!((job.status.as_str(), job.leased_by.as_deref(), job.attempts), ("running", Some("heir"), 2));
        assert_eq!(silent.metrics.jobs.with_label_values(&["waiting", "lost"]).get(), 1);
        queue.told.go();
        queue.wait_for(id, "done").await;
        silent.stop().await;
        heir.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_its_runner_knows_nothing_of_is_not_prolonged() {
    for queue in queues().await {
        let (known, lost) = (queue.put(&plain("a")).await, queue.put(&plain("b")).await);
        let (now, db) = (queue.clock.now(), queue.db.writer());
        for id in [known, lost] {
            claims::update_leased(db, &queue.job(id).await, "one", now, now).await.unwrap();
        }
        let later = now + chrono::TimeDelta::seconds(30);
        let ours = claims::update_lease_until(db, "one", &[(known, 1), (lost, 2)], later).await.unwrap();
        assert_eq!(ours, [(known, 1, false)], "the other is held for an attempt of before");
        assert_eq!(queue.job(known).await.lease_until, Some(later));
        assert_eq!(queue.job(lost).await.lease_until, Some(now), "ends as it was, so that somebody takes it");
    }
}

#[tokio::test]
async fn a_result_that_comes_too_late_is_not_written() {
    for queue in queues().await {
        let slow = queue.start("slow", 1);
        let id = queue.put(&waiting("a", true)).await;
        queue.until(|told| told.runs().len() == 1).await;
        queue.clock.advance(LEASE + Duration::from_millis(1));
        let heir = queue.start("heir", 1);
        queue.until(|told| told.runs().len() == 2).await;
        // Both end at the same time; the slow one does not know yet that it has lost the job.
        queue.told.go();
        let job = queue.wait_for(id, "done").await;
        assert_eq!(job.attempts, 2);
        heir.stop().await;
        slow.stop().await;
    }
}

#[tokio::test]
async fn a_job_that_ends_its_process_each_time_is_given_up() {
    for queue in queues().await {
        let id = queue.put(&waiting("a", true)).await;
        for attempt in 1..=10 {
            let doomed = queue.start(&format!("doomed {attempt}"), 1);
            queue.until(|told| told.runs().len() == attempt).await;
            doomed.kill().await;
            queue.clock.advance(LEASE + Duration::from_millis(1));
        }
        let heir = queue.start("heir", 1);
        let job = queue.wait_for(id, "dead").await;
        assert!(job.last_error.unwrap().contains("the process that worked on it ended"));
        assert_eq!(queue.told.runs().len(), 10);
        heir.stop().await;
    }
}

#[tokio::test]
async fn a_runner_that_stops_finishes_or_gives_back() {
    for queue in queues().await {
        let stopping = queue.start("stopping", 2);
        let id = queue.put(&waiting("a", true)).await;
        queue.until(|told| told.runs().len() == 1).await;
        stopping.stop().await;
        let job = queue.job(id).await;
        assert_eq!((job.status.as_str(), job.attempts, job.leased_by), ("queued", 0, None), "as if it had not been taken");
        assert_eq!(queue.told.ended(), ["a"]);

        // No waiting for the lease; and what ends in time is not given back.
        let settings = Settings {
            name: "patient".to_owned(),
            concurrency: 1,
            lease: LEASE,
            stop_grace: Duration::from_secs(10),
            look: Duration::from_millis(50),
            alone: false,
        };
        let patient = queue.start_as(queue.registry(), settings);
        queue.until(|told| told.runs().len() == 2).await;
        let (told, later) = (queue.told.clone(), queue.put(&plain("later")).await);
        let (stopped, ()) = tokio::join!(patient.stop(), async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            told.go();
        });
        let () = stopped;
        assert_eq!(queue.job(id).await.status, "done");
        assert_eq!(queue.job(later).await.status, "queued", "nothing new is taken");
    }
}

#[tokio::test]
async fn a_process_that_is_alone_waits_for_no_lease() {
    for queue in queues().await {
        let doomed = queue.start("doomed", 1);
        let id = queue.put(&waiting("a", true)).await;
        queue.until(|told| told.runs().len() == 1).await;
        doomed.kill().await;
        let settings = Settings {
            name: "alone".to_owned(),
            concurrency: 1,
            lease: LEASE,
            stop_grace: Duration::ZERO,
            look: Duration::from_millis(50),
            alone: true,
        };
        let alone = queue.start_as(queue.registry(), settings);
        queue.until(|told| told.runs().len() == 2).await;
        queue.told.go();
        assert_eq!(queue.wait_for(id, "done").await.attempts, 2);
        alone.stop().await;
    }
}
