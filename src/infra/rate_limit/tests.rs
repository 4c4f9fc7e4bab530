//! Both limiters say the same, and never let more through than the limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use proptest::prelude::*;

use super::{InProcess, InRedis, RateLimiter, SLICES, Subject, Verdict, Window};
use crate::common::clock::{FixedClock, SystemClock};
use crate::config;
use crate::infra::redis::Redis;

#[expect(clippy::disallowed_methods, reason = "tests are told of their services by the environment")]
fn redis_url() -> String {
    std::env::var("BROKLE_TEST_REDIS_URL").expect("BROKLE_TEST_REDIS_URL is not set: start Redis with `make services`")
}

fn redis_at(url: &str) -> Redis {
    let key_prefix = format!("limit_{}:", crate::common::id::fresh());
    Redis::new(&config::Redis { url: url.to_owned().into(), key_prefix, durability_check: "warn".to_owned() }).unwrap()
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap()))
}

/// Both limiters over one window of this many milliseconds, by one clock that stands still.
fn both(window: u64) -> (Arc<FixedClock>, [Arc<dyn RateLimiter>; 2]) {
    let (clock, window) = (clock(), Window::new(Duration::from_millis(window)));
    let shared = InRedis::new(redis_at(&redis_url()), window).with_clock(clock.clone());
    (clock.clone(), [Arc::new(InProcess::new(window, clock)), Arc::new(shared)])
}

fn somebody() -> Subject {
    Subject::new("test", crate::common::id::fresh())
}

#[tokio::test]
async fn what_is_beyond_the_limit_is_refused_until_it_is_over() {
    let (clock, limiters) = both(12_000);
    let start = somebody();
    let mut said: Vec<Vec<Verdict>> = Vec::new();
    for _ in 0..6 {
        let mut round = Vec::new();
        for limiter in &limiters {
            for _ in 0..2 {
                round.push(limiter.hit(start, 5).await.unwrap());
            }
        }
        assert_eq!(round[..2], round[2..], "both say the same");
        said.push(round[..2].to_vec());
        clock.advance(Duration::from_millis(2_500));
    }
    let allowed: Vec<bool> = said.iter().flatten().map(|verdict| verdict.allowed).collect();
    // The sixth round is 12.5 s after the first: more than a window, and its slice is not over yet.
    assert_eq!(allowed, [true, true, true, true, true, false, false, false, false, false, false, false]);
    assert_eq!(said[0][0], Verdict { allowed: true, limit: 5, remaining: 4, after: Duration::from_secs(13) });
    assert_eq!(said[2][1], Verdict { allowed: false, limit: 5, remaining: 0, after: Duration::from_secs(8) });
    assert_eq!(said[5][1].after, Duration::from_millis(500));
}

#[tokio::test]
async fn a_limit_that_was_lowered_is_waited_for() {
    let (clock, limiters) = both(12_000);
    let who = somebody();
    for limiter in &limiters {
        for _ in 0..3 {
            assert!(limiter.hit(who, 10).await.unwrap().allowed);
        }
    }
    clock.advance(Duration::from_secs(4));
    for limiter in &limiters {
        assert!(limiter.hit(who, 10).await.unwrap().allowed);
        let refused = limiter.hit(who, 1).await.unwrap();
        assert_eq!((refused.allowed, refused.after), (false, Duration::from_secs(13)), "all four have to be over");
        let refused = limiter.hit(who, 2).await.unwrap();
        assert_eq!((refused.allowed, refused.after), (false, Duration::from_secs(9)), "the first three have to be over");
        assert!(limiter.hit(somebody(), 1).await.unwrap().allowed, "everybody has a limit of their own");
    }
}

/// Steps of a story: milliseconds that pass, and which of three people does something.
fn story() -> impl Strategy<Value = Vec<(u64, usize)>> {
    proptest::collection::vec((prop_oneof![Just(0), 0..40_u64, 0..400_u64, 1_000..3_000_u64], 0..3_usize), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_limiters_tell_the_same_story(steps in story(), limit in 1..8_u32, window in 1..2_000_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (clock, [own, shared]) = both(window);
            let people = [somebody(), somebody(), somebody()];
            let mut now = 0;
            let mut done: [Vec<u64>; 3] = Default::default();
            for (pause, who) in steps {
                clock.advance(Duration::from_millis(pause));
                now += pause;
                let verdict = own.hit(people[who], limit).await.unwrap();
                prop_assert_eq!(verdict, shared.hit(people[who], limit).await.unwrap());
                let recent = |within: u64| done[who].iter().filter(|at| **at + within > now).count();
                if verdict.allowed {
                    prop_assert!(recent(window) < limit as usize, "more than {} in {} ms", limit, window);
                    done[who].push(now);
                } else {
                    // Refused for a reason: as many within the window and the one slice that may count in full.
                    let longest = window.div_ceil(SLICES).max(1) * (SLICES + 1);
                    prop_assert!(recent(longest) >= limit as usize);
                    prop_assert!(verdict.after > Duration::ZERO && verdict.after <= Duration::from_millis(longest));
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn after_the_time_that_was_told_it_is_allowed(steps in story(), limit in 1..8_u32, window in 1..2_000_u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (clock, [own, _]) = both(window);
            let who = somebody();
            for (pause, _) in steps {
                clock.advance(Duration::from_millis(pause));
                let verdict = own.hit(who, limit).await.unwrap();
                if !verdict.allowed {
                    if verdict.after > Duration::from_millis(1) {
                        clock.advance(verdict.after.saturating_sub(Duration::from_millis(1)));
                        prop_assert!(!own.hit(who, limit).await.unwrap().allowed, "earlier than told");
                        clock.advance(Duration::from_millis(1));
                    } else {
                        clock.advance(verdict.after);
                    }
                    prop_assert!(own.hit(who, limit).await.unwrap().allowed, "later than told");
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_no_more_than_the_limit() {
    const LIMIT: u32 = 25;
    let length = Duration::from_millis(400);
    let window = Window::new(length);
    let shared = redis_at(&redis_url());
    // Two servers share one Redis.
    let sets: [Vec<Arc<dyn RateLimiter>>; 2] = [
        vec![Arc::new(InProcess::new(window, Arc::new(SystemClock)))],
        vec![Arc::new(InRedis::new(shared.clone(), window)), Arc::new(InRedis::new(shared, window))],
    ];
    for limiters in sets {
        let who = somebody();
        let begin = Instant::now();
        let callers = (0..8).map(|index| {
            let limiter = Arc::clone(&limiters[index % limiters.len()]);
            tokio::spawn(async move {
                let mut done = Vec::new();
                while begin.elapsed() < Duration::from_millis(1_200) {
                    let before = begin.elapsed();
                    if limiter.hit(who, LIMIT).await.unwrap().allowed {
                        done.push((before, begin.elapsed()));
                    }
                    tokio::task::yield_now().await;
                }
                done
            })
        });
        let done: Vec<(Duration, Duration)> = futures_util::future::join_all(callers).await.into_iter().flat_map(Result::unwrap).collect();
        assert!(done.len() >= LIMIT as usize, "{limiters:?}: {} were allowed", done.len());
        // Each happened between its two times, so these are in one window for certain.
        for (begin, _) in &done {
            let within = done.iter().filter(|(before, after)| before >= begin && *after < *begin + length).count();
            assert!(within <= LIMIT as usize, "{within} within {length:?} from {begin:?} on");
        }
    }
}

#[tokio::test]
async fn a_redis_that_is_away_or_silent_is_told_and_left_alone() {
    let window = Window::new(Duration::from_secs(60));
    // Takes connections and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("redis://{}", listener.local_addr().unwrap());
    for url in ["redis://127.0.0.1:1", &*silent] {
        let limiter = InRedis::new(redis_at(url), window);
        let problem = limiter.hit(somebody(), 1).await.unwrap_err().to_string();
        assert!(problem.contains("cannot be checked"), "{problem}");
        let problem = limiter.hit(somebody(), 1).await.unwrap_err().to_string();
        assert!(problem.contains("a moment ago"), "{problem}");
    }
}

#[test]
fn subjects_do_not_tell_whom_they_are() {
    let (address, other) = (Subject::new("address", "203.0.113.7"), Subject::new("sign_in", "203.0.113.7"));
    assert_ne!(address, other);
    assert_eq!(address, Subject::new("address", "203.0.113.7"));
    assert!(!format!("{address:?}{}", address.hex()).contains("203.0.113.7"));
}
