use std::time::Duration;

use futures_util::future::join_all;

use super::support::{from, log, number, signed_in, templates};
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Device, Error, SignedIn};
use crate::common::clock::Clock;

const ADA: &str = "ada@example.com";

async fn wrong(world: &World, email: &str) -> Result<SignedIn, Error> {
    world.sessions.login(email, "wrong password", Device::default()).await
}

async fn wrong_from(world: &World, ip: &str) -> Result<SignedIn, Error> {
    world.sessions.login(ADA, "wrong password", from(ip)).await
}

/// Fails until the account has `failures`, waiting as long as it is told to.
async fn fail(world: &World, email: &str, failures: u32) {
    for _ in 0..failures {
        while let Err(Error::TooManyAttempts(seconds)) = wrong(world, email).await {
            world.clock.advance(Duration::from_secs(seconds.into()));
        }
    }
}

/// Rows that count failures.
async fn failures(world: &World) -> i64 {
    number(world, "SELECT count(*) FROM login_attempts WHERE subject NOT LIKE 'k:%'").await
}

/// Fails from `ip` as often as it may without waiting.
async fn fail_from(world: &World, ip: &str, most: usize) -> usize {
    for n in 0..most {
        if !matches!(world.sessions.login(ADA, "wrong password", from(ip)).await, Err(Error::WrongCredentials)) {
            return n;
        }
    }
    most
}

fn wait(answer: &Result<SignedIn, Error>) -> u32 {
    if let Err(Error::TooManyAttempts(seconds)) = answer { *seconds } else { panic!("{answer:?}") }
}

#[tokio::test]
async fn after_five_failures_each_one_waits_twice_as_long_whether_or_not_there_is_an_account() {
    for world in worlds().await {
        for email in [ADA, "nobody@example.com", "not an address"] {
            for _ in 0..5 {
                assert!(matches!(wrong(&world, email).await, Err(Error::WrongCredentials)), "{email}");
            }
            let mut waits = Vec::new();
            for _ in 0..5 {
                let seconds = wait(&wrong(&world, email).await);
                waits.push(seconds);
                world.clock.advance(Duration::from_secs(seconds.into()));
                assert!(matches!(wrong(&world, email).await, Err(Error::WrongCredentials)), "{email}");
            }
            assert_eq!(waits, [1, 2, 4, 8, 16], "{email}");
        }
    }
}

#[tokio::test]
async fn the_right_password_has_to_wait_too() {
    let world = World::small().await;
    fail(&world, ADA, 7).await;
    assert_eq!(wait(&world.sessions.login(ADA, PASSWORD, Device::default()).await), 4);
    world.clock.advance(Duration::from_secs(4));
    assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok());
}

#[tokio::test]
async fn who_has_to_wait_costs_no_hash_and_no_line_of_the_log() {
    let world = World::small().await;
    fail(&world, ADA, 5).await;
    let (lines, begun) = (log(&world).await.len(), world.basis.passwords.begun());
    for answer in join_all((0..200).map(|_| wrong(&world, ADA))).await {
        assert_eq!(wait(&answer), 1);
    }
    assert_eq!((log(&world).await.len(), world.basis.passwords.begun()), (lines, begun));
}

#[tokio::test]
async fn twenty_failures_lock_the_account_and_tell_its_owner_once() {
    for world in worlds().await {
        fail(&world, ADA, 19).await;
        assert_eq!(templates(&world, ADA).await, [""; 0]);
        fail(&world, ADA, 1).await;
        assert_eq!(wait(&wrong(&world, ADA).await), 900);
        assert_eq!(templates(&world, ADA).await, ["account_locked"]);
        world.clock.advance(Duration::from_secs(899));
        assert_eq!(wait(&world.sessions.login(ADA, PASSWORD, Device::default()).await), 1);
        world.clock.advance(Duration::from_secs(1));
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok(), "the lock has ended");
        assert_eq!(failures(&world).await, 0, "success clears");
        assert!(matches!(wrong(&world, ADA).await, Err(Error::WrongCredentials)), "five are free again");

        fail(&world, "nobody@example.com", 20).await;
        assert_eq!(wait(&wrong(&world, "nobody@example.com").await), 900);
        assert_eq!(templates(&world, "nobody@example.com").await, [""; 0]);
    }
}

#[tokio::test]
async fn a_lock_that_goes_on_is_not_told_again() {
    let world = World::small().await;
    fail(&world, ADA, 25).await;
    assert_eq!(templates(&world, ADA).await, ["account_locked"]);
}

#[tokio::test]
async fn failures_are_forgotten_one_after_another() {
    for world in worlds().await {
        fail(&world, ADA, 7).await;
        fail(&world, "nobody@example.com", 1).await;
        world.clock.advance(Duration::from_hours(6));
        assert!(matches!(wrong(&world, ADA).await, Err(Error::WrongCredentials)), "three of seven are forgotten");
        assert_eq!(wait(&wrong(&world, ADA).await), 1, "the fifth again");
        world.clock.advance(Duration::from_hours(25));
        assert!(matches!(wrong(&world, ADA).await, Err(Error::WrongCredentials)));
        // Swept on the way: what is left is hers, here and from everywhere.
        assert_eq!(failures(&world).await, 2);
    }
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_slowed_and_locked() {
    for world in worlds().await {
        let try_once = async |n: u32, ip: &str| world.sessions.login(&format!("somebody{n}@example.com"), "wrong password", from(ip)).await;
        for n in 0..20 {
            assert!(matches!(try_once(n, "203.0.113.7").await, Err(Error::WrongCredentials)), "{n}");
        }
        assert_eq!(wait(&try_once(20, "203.0.113.7").await), 1);
        assert!(matches!(try_once(21, "203.0.113.8").await, Err(Error::WrongCredentials)), "another address");
        assert!(matches!(try_once(22, "203.0.113.7").await, Err(Error::TooManyAttempts(1))));
        let full = format!("UPDATE login_attempts SET drained_ms = {} WHERE subject = 'i:203.0.113.7'", {
            let now = world.clock.now() + Duration::from_secs(900);
            now.timestamp_millis() + 99 * 180_000
        });
        super::support::execute(&world, &full).await;
        world.clock.advance(Duration::from_secs(900));
        assert!(matches!(try_once(23, "203.0.113.7").await, Err(Error::WrongCredentials)));
        assert_eq!(wait(&world.sessions.login(ADA, PASSWORD, from("203.0.113.7")).await), 900, "locked, for good accounts, too");
        assert!(world.sessions.login(ADA, PASSWORD, from("203.0.113.9")).await.is_ok());
    }
}

#[tokio::test]
async fn a_stranger_who_fails_on_purpose_holds_up_himself() {
    for world in worlds().await {
        assert_eq!(fail_from(&world, "203.0.113.7", 10).await, 5);
        super::support::execute(&world, "UPDATE login_attempts SET drained_ms = drained_ms + 1000000000 WHERE subject LIKE 'p:%'").await;
        assert_eq!(wait(&wrong_from(&world, "203.0.113.7").await), 900);
        assert!(world.sessions.login(ADA, PASSWORD, from("203.0.113.9")).await.is_ok(), "the owner gets in elsewhere");
        assert_eq!(wait(&wrong_from(&world, "203.0.113.7").await), 900, "which gives the stranger nothing");
    }
}

#[tokio::test]
async fn an_account_that_fails_from_many_addresses_is_slowed_but_where_its_owner_was_before() {
    for world in worlds().await {
        world.sessions.login(ADA, PASSWORD, from("203.0.113.200")).await.unwrap();
        for n in 0..10 {
            assert_eq!(fail_from(&world, &format!("203.0.113.{n}"), 5).await, 5, "{n}");
        }
        assert_eq!(wait(&wrong_from(&world, "203.0.113.77").await), 1, "fifty are free");
        assert_eq!(wait(&world.sessions.login(ADA, PASSWORD, from("203.0.113.78")).await), 1, "also for who is right");
        assert!(world.sessions.login(ADA, PASSWORD, from("203.0.113.200")).await.is_ok());
        // Guessing from a known address is counted as anywhere.
        assert_eq!(fail_from(&world, "203.0.113.200", 10).await, 5);
    }
}

#[tokio::test]
async fn many_people_behind_one_address_do_not_add_up_for_ever() {
    let world = World::small().await;
    for n in 0..200 {
        let answer = world.sessions.login(&format!("somebody{n}@example.com"), "typo", from("203.0.113.7")).await;
        assert!(matches!(answer, Err(Error::WrongCredentials)), "{n}: {answer:?}");
        world.clock.advance(Duration::from_secs(181));
    }
}

#[tokio::test]
async fn wrong_passwords_during_a_session_do_not_lock_the_sign_in() {
    for world in worlds().await {
        let caller = signed_in(&world, ADA).await;
        for _ in 0..5 {
            let answer = world.accounts.change_password(&caller, "wrong", "another good password", &Device::default()).await;
            assert!(matches!(answer, Err(Error::WrongPassword)), "{answer:?}");
        }
        let answer = world.accounts.change_password(&caller, PASSWORD, "another good password", &Device::default()).await;
        assert!(matches!(answer, Err(Error::TooManyAttempts(1))), "{answer:?}");
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok());
    }
}

#[tokio::test]
async fn a_success_is_not_counted_against_an_address() {
    let world = World::small().await;
    for _ in 0..30 {
        world.sessions.login(ADA, PASSWORD, from("203.0.113.7")).await.unwrap();
    }
    assert_eq!(failures(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_more_than_one_after_another() {
    for world in worlds().await {
        let answers = join_all((0..40).map(|_| wrong(&world, ADA))).await;
        let looked_at = answers.iter().filter(|answer| matches!(answer, Err(Error::WrongCredentials))).count();
        assert!((1..=5).contains(&looked_at), "{looked_at}");
        assert!(
            answers.iter().all(|answer| matches!(answer, Err(Error::WrongCredentials | Error::TooManyAttempts(_) | Error::Busy))),
            "{answers:?}"
        );
        world.clock.advance(Duration::from_secs(900));
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok());
    }
}

#[tokio::test]
async fn a_thousand_wrong_sign_ins_at_once_hash_few_at_a_time() {
    let world = World::small().await;
    let guess = async |n: u32| wrong(&world, &format!("somebody{n}@example.com")).await;
    let answers = join_all((0..1_000).map(guess)).await;
    let passwords = &world.basis.passwords;
    assert!((1..=passwords.at_once()).contains(&passwords.peak()), "{} at once", passwords.peak());
    let refused = answers.iter().filter(|answer| matches!(answer, Err(Error::Busy))).count();
    let wrong = answers.iter().filter(|answer| matches!(answer, Err(Error::WrongCredentials))).count();
    assert_eq!(refused + wrong, 1_000);
    // Who was not looked at has not failed: here, and from everywhere.
    assert_eq!(failures(&world).await, 2 * i64::try_from(wrong).unwrap());
    assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok());
}

#[tokio::test]
async fn sign_ins_and_failures_are_written_to_the_log() {
    for world in worlds().await {
        let _ = wrong(&world, ADA).await;
        let _ = wrong(&world, "nobody@example.com").await;
        let caller = signed_in(&world, ADA).await;
        world.sessions.logout(&caller, Device::default()).await.unwrap();
        assert_eq!(
            log(&world).await,
            [
                "anonymous user.sign_in failure ada",
                "anonymous user.sign_in failure",
                "user user.sign_in success ada",
                "user user.sign_out success"
            ]
        );
    }
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_at_the_next_sign_in() {
    for world in worlds().await {
        let old = crate::auth::Passwords::cheap().hash(PASSWORD).await.unwrap();
        world.users.set_password(world.db.writer(), world.user.id, old.clone()).await.unwrap();
        let _ = wrong(&world, ADA).await;
        let hash = async || world.users.find(world.user.id).await.unwrap().unwrap().password_hash.unwrap();
        assert_eq!(hash().await, old, "not by a wrong password");
        signed_in(&world, ADA).await;
        let new = hash().await;
        assert_ne!(new, old);
        assert!(!world.basis.passwords.is_outdated(&new));
        signed_in(&world, ADA).await;
        assert_eq!(hash().await, new, "once");
    }
}

#[tokio::test]
async fn an_address_that_is_not_proven_is_told_only_to_who_knows_the_password() {
    for world in worlds().await {
        super::support::execute(&world, "UPDATE users SET email_verified_at = NULL").await;
        assert!(matches!(wrong(&world, ADA).await, Err(Error::WrongCredentials)));
        let answer = world.sessions.login(ADA, PASSWORD, Device::default()).await;
        assert!(matches!(answer, Err(Error::EmailNotVerified)), "{answer:?}");
        assert_eq!(number(&world, "SELECT count(*) FROM auth_sessions").await, 0);
    }
}
