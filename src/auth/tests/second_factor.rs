use std::time::Duration;

use totp_rs::{Builder, Secret};

use super::support::{execute, from, log, number, signed_in, templates};
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Device, Error, Proof, SecondFactors, SignedIn, UserContext};
use crate::common::clock::Clock;
use crate::infra::crypto::Sealer;

const ADA: &str = "ada@example.com";

fn code(world: &World, secret: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(u64::try_from(world.clock.now().timestamp()).unwrap()).to_string()
}

/// Turns it on; returns the caller, the secret and the recovery codes. The code of this half minute is used up.
async fn turned_on(world: &World) -> (UserContext, String, Vec<String>) {
    let caller = signed_in(world, ADA).await;
    let setup = world.second_factors.set_up(&caller, PASSWORD, &Device::default()).await.unwrap();
    let codes = world.second_factors.enable(&caller, &code(world, &setup.secret), &Device::default()).await.unwrap();
    (caller, setup.secret, codes)
}

async fn challenge(world: &World) -> String {
    match world.sessions.login(ADA, PASSWORD, Device::default()).await {
        Err(Error::SecondFactorRequired { challenge, expires_in: 300 }) => challenge,
        other => panic!("{other:?}"),
    }
}

async fn complete(world: &World, challenge: &str, proof: Proof) -> Result<SignedIn, Error> {
    world.sessions.complete_login(challenge, &proof, Device::default()).await
}

fn next(world: &World) {
    world.clock.advance(Duration::from_secs(30));
}

#[tokio::test]
async fn it_is_set_up_and_asked_for() {
    for world in worlds().await {
        let caller = signed_in(&world, ADA).await;
        let view = async || world.second_factors.view(caller.user_id).await.unwrap();
        assert!(!view().await.enabled);
        let refused = world.second_factors.set_up(&caller, "wrong password", &Device::default()).await;
        assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
        assert!(matches!(world.second_factors.enable(&caller, "123456", &Device::default()).await, Err(Error::SecondFactorOff)));

        let setup = world.second_factors.set_up(&caller, PASSWORD, &Device::default()).await.unwrap();
        assert_eq!(
            setup.otpauth_url,
            format!("otpauth://totp/Brokle:ada%40example.com?secret={}&issuer=Brokle&algorithm=SHA1&digits=6&period=30", setup.secret)
        );
        assert!(!view().await.enabled, "not before a code was seen");
        world.sessions.login(ADA, PASSWORD, Device::default()).await.unwrap();
        let row = format!("{:?}", crate::auth::store::second_factors::find(world.db.conn(), world.user.id).await.unwrap());
        assert!(!row.contains(&setup.secret), "{row}");

        let again = world.second_factors.set_up(&caller, PASSWORD, &Device::default()).await.unwrap();
        let wrong = world.second_factors.enable(&caller, &code(&world, &setup.secret), &Device::default()).await;
        assert!(matches!(wrong, Err(Error::WrongCode)), "the first secret was replaced: {wrong:?}");
        let codes = world.second_factors.enable(&caller, &code(&world, &again.secret), &Device::default()).await.unwrap();
        assert_eq!(codes.len(), 10);
        let seen = view().await;
        assert_eq!((seen.enabled, seen.enabled_at, seen.recovery_codes_left), (true, Some(world.clock.now()), 10));
        assert!(world.users.has_second_factor(world.user.id).await.unwrap());
        assert!(matches!(world.second_factors.set_up(&caller, PASSWORD, &Device::default()).await, Err(Error::SecondFactorOn)));
        assert!(matches!(world.second_factors.enable(&caller, "123456", &Device::default()).await, Err(Error::SecondFactorOn)));

        let challenge = challenge(&world).await;
        assert!(world.sessions.authenticate_access(&challenge).await.is_err(), "a challenge opens nothing by itself");
        next(&world);
        let signed_in = complete(&world, &challenge, Proof::Code(code(&world, &again.secret))).await.unwrap();
        assert_eq!(world.sessions.authenticate_access(&signed_in.access_token).await.unwrap().user_id, world.user.id);
        assert_eq!(templates(&world, ADA).await, ["second_factor_changed"]);
        assert!(log(&world).await.contains(&"user second_factor.enable success ada".to_owned()));
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    for world in worlds().await {
        let (_, secret, _) = turned_on(&world).await;
        let first = challenge(&world).await;
        let used = code(&world, &secret);
        let replayed = complete(&world, &first, Proof::Code(used)).await;
        assert!(matches!(replayed, Err(Error::WrongSecondFactor)), "it turned the factor on: {replayed:?}");
        next(&world);
        let fresh = code(&world, &secret);
        let spaced = format!("{} {}", &fresh[..3], &fresh[3..]);
        assert!(complete(&world, &first, Proof::Code(spaced)).await.is_ok());
        assert!(matches!(complete(&world, &challenge(&world).await, Proof::Code(fresh)).await, Err(Error::WrongSecondFactor)));
        assert!(log(&world).await.contains(&"anonymous user.sign_in failure ada".to_owned()));
    }
}

#[tokio::test]
async fn clocks_may_differ_by_one_step() {
    let world = World::small().await;
    let (_, secret, _) = turned_on(&world).await;
    next(&world);
    let late = code(&world, &secret);
    next(&world);
    assert!(complete(&world, &challenge(&world).await, Proof::Code(late)).await.is_ok());
    next(&world);
    let too_late = code(&world, &secret);
    next(&world);
    next(&world);
    assert!(matches!(complete(&world, &challenge(&world).await, Proof::Code(too_late)).await, Err(Error::WrongSecondFactor)));
}

#[tokio::test]
async fn a_recovery_code_is_good_once_however_it_is_typed() {
    for world in worlds().await {
        let (caller, _, codes) = turned_on(&world).await;
        let typed = format!(" {} ", codes[0].to_uppercase().replace('-', " "));
        assert!(complete(&world, &challenge(&world).await, Proof::RecoveryCode(typed)).await.is_ok());
        let again = complete(&world, &challenge(&world).await, Proof::RecoveryCode(codes[0].clone())).await;
        assert!(matches!(again, Err(Error::WrongSecondFactor)), "{again:?}");
        assert_eq!(world.second_factors.view(caller.user_id).await.unwrap().recovery_codes_left, 9);
        for wrong in ["", "aaaaa-aaaaa", "123456"] {
            assert!(complete(&world, &challenge(&world).await, Proof::RecoveryCode(wrong.to_owned())).await.is_err(), "{wrong}");
        }
        let conn = world.db.conn();
        use sea_orm::ConnectionTrait;
        let statement = sea_orm::Statement::from_string(conn.get_database_backend(), "SELECT code_hash FROM user_recovery_codes");
        for row in conn.query_all_raw(statement).await.unwrap() {
            let hash: String = row.try_get_by_index(0).unwrap();
            assert!(
                !codes.iter().any(|code| crate::auth::secret::sha256_hex(&code.replace('-', "")) == hash),
                "a plain hash could be guessed"
            );
        }
    }
}

#[tokio::test]
async fn two_who_use_a_code_at_once_do_not_both_get_in() {
    for world in worlds().await {
        let (_, secret, codes) = turned_on(&world).await;
        next(&world);
        let challenge = challenge(&world).await;
        for proof in [Proof::Code(code(&world, &secret)), Proof::RecoveryCode(codes[3].clone())] {
            let (a, b) = tokio::join!(complete(&world, &challenge, proof.clone()), complete(&world, &challenge, proof));
            assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        }
    }
}

#[tokio::test]
async fn a_challenge_dies_with_time_password_and_second_factor() {
    for world in worlds().await {
        let (caller, secret, codes) = turned_on(&world).await;
        let expired = |answer: Result<SignedIn, Error>| assert!(matches!(answer, Err(Error::ChallengeExpired)), "{answer:?}");
        let old = challenge(&world).await;
        world.clock.advance(Duration::from_mins(5));
        expired(complete(&world, &old, Proof::Code(code(&world, &secret))).await);
        for nonsense in ["", "x.y.z", "eyJhbGciOiJub25lIn0.e30."] {
            expired(complete(&world, nonsense, Proof::Code(code(&world, &secret))).await);
        }
        let before = challenge(&world).await;
        world.accounts.change_password(&caller, PASSWORD, "another good password", &Device::default()).await.unwrap();
        expired(complete(&world, &before, Proof::Code(code(&world, &secret))).await);
        world.accounts.change_password(&caller, "another good password", PASSWORD, &Device::default()).await.unwrap();

        let last = challenge(&world).await;
        let recovery = Proof::RecoveryCode(codes[0].clone());
        world.second_factors.disable(&caller, PASSWORD, &recovery, &Device::default()).await.unwrap();
        expired(complete(&world, &last, Proof::Code(code(&world, &secret))).await);
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok(), "it is off");
        assert_eq!(number(&world, "SELECT count(*) FROM user_recovery_codes").await, 0);
    }
}

#[tokio::test]
async fn wrong_codes_lock_the_account_and_the_password_does_not_clear_them() {
    for world in worlds().await {
        turned_on(&world).await;
        for _ in 0..5 {
            let challenge = challenge(&world).await;
            assert!(matches!(complete(&world, &challenge, Proof::Code("000000".to_owned())).await, Err(Error::WrongSecondFactor)));
        }
        let challenge = challenge(&world).await;
        let waits = complete(&world, &challenge, Proof::Code("000000".to_owned())).await;
        assert!(matches!(waits, Err(Error::TooManyAttempts(1))), "{waits:?}");
        let elsewhere = world.sessions.complete_login(&challenge, &Proof::Code("000000".to_owned()), from("203.0.113.7")).await;
        assert!(matches!(elsewhere, Err(Error::TooManyAttempts(1))), "codes are few, so they are counted from everywhere: {elsewhere:?}");
        world.clock.advance(Duration::from_secs(1));
        let answer = complete(&world, &challenge, Proof::Code("000000".to_owned())).await;
        assert!(matches!(answer, Err(Error::WrongSecondFactor)), "the password alone costs no time: {answer:?}");
        assert!(matches!(complete(&world, &challenge, Proof::Code("000000".to_owned())).await, Err(Error::TooManyAttempts(2))));
    }
}

#[tokio::test]
async fn it_is_changed_by_who_knows_password_and_code_only() {
    for world in worlds().await {
        let (caller, secret, codes) = turned_on(&world).await;
        next(&world);
        let (factors, here) = (&world.second_factors, Device::default());
        assert!(matches!(factors.replace_codes(&caller, "wrong password", &code(&world, &secret), &here).await, Err(Error::WrongPassword)));
        assert!(matches!(factors.replace_codes(&caller, PASSWORD, "000000", &here).await, Err(Error::WrongCode)));
        let new = factors.replace_codes(&caller, PASSWORD, &code(&world, &secret), &here).await.unwrap();
        assert!(new.iter().all(|code| !codes.contains(code)));
        let old = Proof::RecoveryCode(codes[0].clone());
        assert!(matches!(factors.disable(&caller, PASSWORD, &old, &here).await, Err(Error::WrongCode)));
        let good = Proof::RecoveryCode(new[0].clone());
        assert!(matches!(factors.disable(&caller, "wrong password", &good, &here).await, Err(Error::WrongPassword)));
        factors.disable(&caller, PASSWORD, &good, &here).await.unwrap();
        assert!(matches!(factors.disable(&caller, PASSWORD, &good, &here).await, Err(Error::SecondFactorOff)));
        assert!(matches!(factors.replace_codes(&caller, PASSWORD, "000000", &here).await, Err(Error::SecondFactorOff)));
        assert_eq!(templates(&world, ADA).await, ["second_factor_changed"; 3]);
        let log = log(&world).await;
        for line in
            ["user second_factor.codes_replace success ada", "user second_factor.disable success ada", "user user.confirm failure ada"]
        {
            assert!(log.contains(&line.to_owned()), "{line} in {log:?}");
        }
    }
}

#[tokio::test]
async fn an_administrator_takes_it_away_and_a_copied_secret_is_worth_nothing() {
    for world in worlds().await {
        let (_, secret, _) = turned_on(&world).await;
        let eve = world.somebody("eve@example.com").await;
        execute(
            &world,
            &format!("INSERT INTO user_second_factors (user_id, sealed_secret, enabled_at, last_step, created_at, updated_at) SELECT '{}', sealed_secret, enabled_at, 0, created_at, updated_at FROM user_second_factors", eve.id),
        )
        .await;
        let Err(Error::SecondFactorRequired { challenge, .. }) =
            world.sessions.login("eve@example.com", PASSWORD, from("203.0.113.7")).await
        else {
            panic!("asks for it")
        };
        let answer = complete(&world, &challenge, Proof::Code(code(&world, &secret))).await;
        assert!(matches!(answer, Err(Error::Crypto(_))), "sealed for somebody else: {answer:?}");
        assert!(world.second_factors.remove(world.db.writer(), world.user.id).await.unwrap());
        assert!(!world.second_factors.remove(world.db.writer(), world.user.id).await.unwrap());
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_ok());
    }
}

#[tokio::test]
async fn without_a_key_the_operator_is_told() {
    let world = World::small().await;
    let caller = signed_in(&world, ADA).await;
    let factors = SecondFactors::new(world.basis.clone(), Sealer::default());
    let error = factors.set_up(&caller, PASSWORD, &Device::default()).await.unwrap_err();
    let answer = crate::error::ApiError::from(error);
    assert_eq!((answer.code.name(), answer.message.contains("AI_KEY_ENCRYPTION_KEY")), ("SERVICE_UNAVAILABLE_ERROR", true), "{answer:?}");
}
