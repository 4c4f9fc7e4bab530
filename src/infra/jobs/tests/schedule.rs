//! What is done again and again.

use std::time::Duration;

use chrono::TimeDelta;

use super::support::{LEASE, Queue, plain, queues, waiting};
use crate::common::clock::Clock;
use crate::common::id::JobId;
use crate::infra::jobs::{Filter, Registry};

/// The clock of the tests begins on the hour.
fn every_five_minutes(queue: &Queue) -> Registry {
    let mut registry = queue.registry();
    registry.schedule("tick", "*/5 * * * *", &plain("tick")).unwrap();
    registry
}

/// Waits until a runner has written its schedules down: what they say depends on the time at which it did.
async fn declared(queue: &Queue, cron: &str) {
    for _ in 0..3_000 {
        if queue.jobs.schedules().await.unwrap().iter().any(|schedule| schedule.cron == cron) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{cron} is not there: {:?}", queue.jobs.schedules().await.unwrap());
}

/// Waits until the first schedule has been moved to the present.
async fn ticked(queue: &Queue) {
    for _ in 0..3_000 {
        if queue.jobs.schedules().await.unwrap()[0].last_at == Some(queue.clock.now()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no tick: {:?}", queue.jobs.schedules().await.unwrap());
}

/// Waits until the lease of a job counts from the present.
async fn renewed(queue: &Queue, id: JobId) {
    for _ in 0..3_000 {
        if queue.job(id).await.lease_until == Some(queue.clock.now() + LEASE) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not renewed: {:?}", queue.job(id).await);
}

async fn all_done(queue: &Queue, count: usize) {
    for _ in 0..3_000 {
        let jobs = queue.jobs.list(&Filter::default(), None, 100).await.unwrap();
        if jobs.len() == count && jobs.iter().all(|job| job.status == "done") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{count} expected: {:?}", queue.jobs.list(&Filter::default(), None, 100).await.unwrap());
}

#[tokio::test]
async fn three_runners_do_each_tick_once() {
    for queue in queues().await {
        let runners = ["a", "b", "c"].map(|name| queue.start_with(every_five_minutes(&queue), name, 2));
        declared(&queue, "*/5 * * * *").await;
        for tick in 1..=3 {
            // Not a second too early.
            queue.advance(Duration::from_secs(299));
            tokio::time::sleep(Duration::from_millis(120)).await;
            assert_eq!(queue.told.runs().len(), tick - 1);
            queue.advance(Duration::from_secs(1));
            all_done(&queue, tick).await;
            tokio::time::sleep(Duration::from_millis(120)).await;
            assert_eq!(queue.told.runs().len(), tick);
        }
        let schedule = queue.jobs.schedules().await.unwrap().remove(0);
        assert_eq!((schedule.name.as_str(), schedule.kind.as_str(), schedule.cron.as_str()), ("tick", "plain", "*/5 * * * *"));
        assert_eq!((schedule.last_at, schedule.next_at), (Some(queue.clock.now()), queue.clock.now() + TimeDelta::minutes(5)));
        for runner in runners {
            runner.stop().await;
        }
    }
}

#[tokio::test]
async fn ticks_that_were_missed_are_made_up_for_once() {
    for queue in queues().await {
        let before = queue.start_with(every_five_minutes(&queue), "before", 1);
        declared(&queue, "*/5 * * * *").await;
        queue.advance(Duration::from_mins(5));
        all_done(&queue, 1).await;
        before.stop().await;
        queue.clock.advance(Duration::from_mins(62));
        let after = queue.start_with(every_five_minutes(&queue), "after", 1);
        all_done(&queue, 2).await;
        tokio::time::sleep(Duration::from_millis(120)).await;
        assert_eq!(queue.told.runs().len(), 2);
        queue.advance(Duration::from_mins(3));
        all_done(&queue, 3).await;
        after.stop().await;
    }
}

#[tokio::test]
async fn a_tick_while_the_last_one_runs_makes_no_second_job() {
    for queue in queues().await {
        let mut registry = queue.registry();
        registry.schedule("long", "* * * * *", &waiting("long", true)).unwrap();
        let runner = queue.start_with(registry, "one", 2);
        declared(&queue, "* * * * *").await;
        queue.advance(Duration::from_mins(1));
        queue.until(|told| told.runs().len() == 1).await;
        let id = queue.jobs.list(&Filter::default(), None, 1).await.unwrap()[0].id;
        for step in 1..=6 {
            queue.clock.advance(Duration::from_secs(20));
            queue.jobs.tell_change("renew");
            renewed(&queue, id).await;
            if step % 3 == 0 {
                ticked(&queue).await;
            }
        }
        assert_eq!(queue.told.runs(), ["long"]);
        queue.told.go();
        all_done(&queue, 1).await;
        queue.advance(Duration::from_mins(1));
        queue.until(|told| told.runs().len() == 2).await;
        runner.stop().await;
    }
}

#[tokio::test]
async fn a_schedule_runs_when_somebody_asks_and_follows_the_times_of_the_newest_program() {
    for queue in queues().await {
        let runner = queue.start_with(every_five_minutes(&queue), "one", 1);
        declared(&queue, "*/5 * * * *").await;
        assert!(!queue.jobs.run_schedule(queue.db.writer(), "none").await.unwrap());
        assert!(queue.jobs.run_schedule(queue.db.writer(), "tick").await.unwrap());
        queue.jobs.tell_change("tick");
        all_done(&queue, 1).await;
        runner.stop().await;

        let mut registry = queue.registry();
        registry.schedule("tick", "30 4 * * *", &plain("tick")).unwrap();
        let newer = queue.start_with(registry, "newer", 1);
        declared(&queue, "30 4 * * *").await;
        let schedule = queue.jobs.schedules().await.unwrap().remove(0);
        // 2027-01-15 08:00 UTC is where the clock began.
        assert_eq!(schedule.next_at.to_rfc3339(), "2027-01-16T04:30:00+00:00");
        newer.stop().await;
    }
}

#[test]
fn times_that_cannot_be_read_are_refused() {
    let mut registry = Registry::default();
    for wrong in ["", "often", "61 * * * *", "* * *"] {
        let error = registry.schedule("x", wrong, &plain("x")).unwrap_err().to_string();
        assert!(error.contains("schedule x"), "{error}");
    }
}
