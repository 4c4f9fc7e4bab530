use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait};

use crate::auth::entity::auth_sessions::{Entity, Model};
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Device, Error, SignedIn};

async fn login(world: &World) -> SignedIn {
    world.sessions.login("Ada@Example.com", PASSWORD, Device::default()).await.unwrap()
}

async fn refresh(world: &World, token: &str) -> Result<SignedIn, Error> {
    world.sessions.refresh(token, Device::default()).await
}

async fn row(world: &World) -> Model {
    Entity::find().one(world.db.conn()).await.unwrap().unwrap()
}

fn ended(result: &Result<SignedIn, Error>) {
    assert!(matches!(result, Err(Error::RefreshExpired)), "{result:?}");
}

#[tokio::test]
async fn the_right_password_opens_a_session() {
    for world in worlds().await {
        let device = Device { ip: Some("203.0.113.7".parse().unwrap()), user_agent: Some("Firefox\n".to_owned()), ..Device::default() };
        let signed_in = world.sessions.login(" ADA@example.com", PASSWORD, device).await.unwrap();
        assert_eq!(signed_in.expires_in, 900);
        assert_eq!(signed_in.user.id, world.user.id);
        let context = world.sessions.authenticate_access(&signed_in.access_token).await.unwrap();
        assert_eq!((context.user_id, context.is_admin), (world.user.id, false));
        let row = row(&world).await;
        assert_eq!((row.id, row.user_id), (context.session_id, world.user.id));
        assert_eq!((row.ip_address.as_deref(), row.user_agent.as_deref()), (Some("203.0.113.7"), Some("Firefox")));
        assert!(world.users.find(world.user.id).await.unwrap().unwrap().last_login_at.is_some());
        assert!(!format!("{row:?}").contains(&signed_in.refresh_token), "the token is not stored");
    }
}

#[tokio::test]
async fn one_answer_for_every_way_of_being_wrong() {
    let world = World::small().await;
    for (email, password) in
        [("ada@example.com", "wrong password"), ("nobody@example.com", PASSWORD), ("not an address", PASSWORD), ("ada@example.com", "")]
    {
        let refused = world.sessions.login(email, password, Device::default()).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)), "{email}: {refused:?}");
    }
    world.db.writer().execute_unprepared("UPDATE users SET status = 'suspended'").await.unwrap();
    assert!(matches!(world.sessions.login("ada@example.com", PASSWORD, Device::default()).await, Err(Error::WrongCredentials)));
    world.db.writer().execute_unprepared("UPDATE users SET status = 'active', password_hash = NULL").await.unwrap();
    assert!(matches!(world.sessions.login("ada@example.com", PASSWORD, Device::default()).await, Err(Error::WrongCredentials)));
}

#[tokio::test]
async fn a_refresh_yields_a_new_pair() {
    for world in worlds().await {
        let first = login(&world).await;
        world.clock.advance(Duration::from_secs(800));
        let second = refresh(&world, &first.refresh_token).await.unwrap();
        assert_ne!(second.refresh_token, first.refresh_token);
        world.clock.advance(Duration::from_secs(800));
        assert!(world.sessions.authenticate_access(&first.access_token).await.is_err(), "expired");
        assert!(world.sessions.authenticate_access(&second.access_token).await.is_ok());
        let third = refresh(&world, &second.refresh_token).await.unwrap();
        assert_eq!(row(&world).await.last_seen_at, crate::common::clock::Clock::now(&*world.clock));
        assert!(refresh(&world, &third.refresh_token).await.is_ok());
    }
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_get_the_same_successor() {
    for world in worlds().await {
        let first = login(&world).await;
        let (a, b) = tokio::join!(refresh(&world, &first.refresh_token), refresh(&world, &first.refresh_token));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.refresh_token, b.refresh_token);
        world.clock.advance(Duration::from_secs(10));
        let late = refresh(&world, &first.refresh_token).await.unwrap();
        assert_eq!(late.refresh_token, a.refresh_token, "ten seconds are in time");
        assert!(refresh(&world, &a.refresh_token).await.is_ok(), "and the successor is good");
    }
}

#[tokio::test]
async fn two_servers_that_refresh_at_once_give_the_same_successor() {
    for world in worlds().await {
        let other = world.other_server();
        let first = login(&world).await;
        let (a, b) = tokio::join!(refresh(&world, &first.refresh_token), other.sessions.refresh(&first.refresh_token, Device::default()));
        assert_eq!(a.unwrap().refresh_token, b.unwrap().refresh_token);
    }
}

#[tokio::test]
async fn a_replaced_token_that_comes_late_ends_the_session() {
    for world in worlds().await {
        let first = login(&world).await;
        let second = refresh(&world, &first.refresh_token).await.unwrap();
        let mut heard = world.revocations();
        world.clock.advance(Duration::from_secs(11));
        ended(&refresh(&world, &first.refresh_token).await);
        ended(&refresh(&world, &second.refresh_token).await);
        assert!(world.sessions.authenticate_access(&second.access_token).await.is_err(), "the access token ends with it");
        assert!(heard.take().is_some());
        let row = row(&world).await;
        assert_eq!(row.end_reason.as_deref(), Some("refresh_reuse"));
        assert!(super::support::log(&world).await.contains(&"user session.reuse denied".to_owned()), "its owner can see why");
        assert_eq!(row.rotation_salt, None);
    }
}

#[tokio::test]
async fn a_token_from_before_the_last_rotation_ends_the_session_within_the_ten_seconds_too() {
    let world = World::small().await;
    let first = login(&world).await;
    let second = refresh(&world, &first.refresh_token).await.unwrap();
    let third = refresh(&world, &second.refresh_token).await.unwrap();
    ended(&refresh(&world, &first.refresh_token).await);
    ended(&refresh(&world, &third.refresh_token).await);
}

#[tokio::test]
async fn a_forged_token_ends_nothing() {
    let world = World::small().await;
    let first = login(&world).await;
    let mut forged = first.refresh_token.clone();
    forged.replace_range(40..41, if &forged[40..41] == "A" { "B" } else { "A" });
    ended(&refresh(&world, &forged).await);
    ended(&refresh(&world, "").await);
    assert!(refresh(&world, &first.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_session_ends_seven_days_after_its_last_refresh() {
    let world = World::small().await;
    let day = Duration::from_hours(24);
    let mut token = login(&world).await.refresh_token;
    for _ in 0..3 {
        world.clock.advance(day * 6);
        token = refresh(&world, &token).await.unwrap().refresh_token;
    }
    world.clock.advance(day * 7);
    ended(&refresh(&world, &token).await);
}

#[tokio::test]
async fn signing_out_ends_both_tokens() {
    for world in worlds().await {
        let (mine, elsewhere) = (login(&world).await, login(&world).await);
        let context = world.sessions.authenticate_access(&mine.access_token).await.unwrap();
        world.sessions.logout(&context, Device::default()).await.unwrap();
        assert!(matches!(world.sessions.authenticate_access(&mine.access_token).await, Err(Error::InvalidAccessToken)));
        ended(&refresh(&world, &mine.refresh_token).await);
        assert!(world.sessions.authenticate_access(&elsewhere.access_token).await.is_ok(), "the other device stays");
        world.sessions.logout(&context, Device::default()).await.unwrap();
    }
}

#[tokio::test]
async fn the_other_servers_hear_of_a_sign_out() {
    let world = World::small().await;
    let other = world.other_server();
    let mut heard = world.revocations();
    let mine = login(&world).await;
    let context = other.sessions.authenticate_access(&mine.access_token).await.unwrap();
    world.sessions.logout(&context, Device::default()).await.unwrap();
    other.sessions.apply(&heard.take().unwrap()).await;
    assert!(other.sessions.authenticate_access(&mine.access_token).await.is_err());
}

#[tokio::test]
async fn all_sessions_of_a_person_end_together() {
    for world in worlds().await {
        let (one, two) = (login(&world).await, login(&world).await);
        assert!(world.sessions.authenticate_access(&one.access_token).await.is_ok());
        let txn = world.db.begin().await.unwrap();
        assert_eq!(world.sessions.end_all(&txn, world.user.id, "password_reset").await.unwrap(), 2);
        txn.commit().await.unwrap();
        world.sessions.forget_user(world.user.id);
        assert!(world.sessions.authenticate_access(&one.access_token).await.is_err());
        ended(&refresh(&world, &two.refresh_token).await);
    }
}

#[tokio::test]
async fn a_suspended_person_is_out() {
    let world = World::small().await;
    let signed_in = login(&world).await;
    world.db.writer().execute_unprepared("UPDATE users SET status = 'suspended'").await.unwrap();
    assert!(world.sessions.authenticate_access(&signed_in.access_token).await.is_err());
    ended(&refresh(&world, &signed_in.refresh_token).await);
    assert_eq!(row(&world).await.end_reason.as_deref(), Some("user_inactive"));
}

#[tokio::test]
async fn the_devices_of_a_person_are_listed_and_ended_by_that_person_only() {
    for world in worlds().await {
        let device =
            |ip: &str, agent: &str| Device { ip: Some(ip.parse().unwrap()), user_agent: Some(agent.to_owned()), ..Device::default() };
        let phone = world.sessions.login("ada@example.com", PASSWORD, device("203.0.113.7", "Phone")).await.unwrap();
        world.clock.advance(Duration::from_secs(5));
        let desk = world.sessions.login("ada@example.com", PASSWORD, device("203.0.113.8", "Desk")).await.unwrap();
        world.somebody("eve@example.com").await;
        let eve = world.sessions.login("eve@example.com", PASSWORD, Device::default()).await.unwrap();
        let eve = world.sessions.authenticate_access(&eve.access_token).await.unwrap();
        let here = world.sessions.authenticate_access(&desk.access_token).await.unwrap();
        let list = async || world.sessions.list(&here).await.unwrap();
        let seen: Vec<_> =
            list().await.into_iter().map(|session| (session.ip_address.unwrap(), session.user_agent.unwrap(), session.current)).collect();
        assert_eq!(seen, [("203.0.113.8".to_owned(), "Desk".to_owned(), true), ("203.0.113.7".to_owned(), "Phone".to_owned(), false)]);

        let other = list().await[1].id;
        let refused = world.sessions.revoke(&eve, other, Device::default()).await;
        assert!(matches!(refused, Err(Error::SessionNotFound)), "{refused:?}");
        assert!(world.sessions.authenticate_access(&phone.access_token).await.is_ok());
        let mut heard = world.revocations();
        world.sessions.revoke(&here, other, Device::default()).await.unwrap();
        assert!(world.sessions.authenticate_access(&phone.access_token).await.is_err());
        ended(&refresh(&world, &phone.refresh_token).await);
        assert_eq!(heard.take(), Some(crate::auth::Revoked::Session(other)));
        assert!(matches!(world.sessions.revoke(&here, other, Device::default()).await, Err(Error::SessionNotFound)), "it has ended");

        let (third, fourth) = (login(&world).await, login(&world).await);
        assert_eq!(world.sessions.end_everywhere(&here, true, Device::default()).await.unwrap(), 2);
        for session in [&third, &fourth] {
            assert!(world.sessions.authenticate_access(&session.access_token).await.is_err());
        }
        assert!(world.sessions.authenticate_access(&desk.access_token).await.is_ok());
        assert_eq!(world.sessions.end_everywhere(&here, false, Device::default()).await.unwrap(), 1);
        assert!(world.sessions.authenticate_access(&desk.access_token).await.is_err());
        assert_eq!(world.sessions.list(&eve).await.unwrap().len(), 1, "others stay signed in");
        let log = super::support::log(&world).await;
        assert_eq!(log.iter().filter(|line| line.contains("session.revoke")).count(), 2, "{log:?}");
    }
}

#[tokio::test]
async fn when_a_session_was_seen_last_is_written_in_batches() {
    for world in worlds().await {
        let session = login(&world).await;
        let (made, caller) = (row(&world).await.last_seen_at, world.sessions.authenticate_access(&session.access_token).await.unwrap());
        world.clock.advance(Duration::from_secs(40));
        world.sessions.authenticate_access(&session.access_token).await.unwrap();
        assert_eq!(row(&world).await.last_seen_at, made, "not one by one");
        let now = crate::common::clock::Clock::now(&*world.clock);
        assert_eq!(world.sessions.list(&caller).await.unwrap()[0].last_seen_at, now, "but known here");
        let stop = tokio_util::sync::CancellationToken::new();
        stop.cancel();
        world.sessions.keep_last_seen(stop).await;
        assert_eq!(row(&world).await.last_seen_at, now);
    }
}
