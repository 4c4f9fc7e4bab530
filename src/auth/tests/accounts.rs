use std::time::Duration;

use super::support::{execute, from, log, mails, number, set, signed_in, templates, token};
use crate::auth::even::FLOOR;
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Device, Error, NewAccount, SignedUp};
use crate::organization::Role;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const NEW: &str = "another good password";

fn account(email: &str) -> NewAccount {
    NewAccount {
        email: email.parse().unwrap(),
        password: PASSWORD.to_owned(),
        first_name: " Bob ".to_owned(),
        last_name: "Builder".to_owned(),
        organization: None,
        invitation_token: None,
    }
}

async fn sign_up(world: &World, new: NewAccount) -> Result<SignedUp, Error> {
    world.accounts.sign_up(new, from("203.0.113.7")).await
}

async fn opened() -> Vec<World> {
    let worlds = worlds().await;
    for world in &worlds {
        set(world, "sign_up.mode", "\"open\"").await;
    }
    worlds
}

/// An invitation to the world's organisation; returns its token.
async fn invite(world: &World, email: &str, role: &str) -> String {
    let token = format!("invitation-of-{email}");
    let (id, hash) = (crate::common::id::fresh(), crate::auth::secret::sha256_hex(&token));
    let organization = world.organization.id;
    execute(world, &format!(
        "INSERT INTO organization_invitations (id, organization_id, email, role, project_roles, token_hash, status, sent_count, sent_at, expires_at, created_at, updated_at) \
         VALUES ('{id}', '{organization}', '{email}', '{role}', '[]', '{hash}', 'pending', 1, '2027-01-15T08:00:00+00:00', '2027-01-20T08:00:00+00:00', '2027-01-15T08:00:00+00:00', '2027-01-15T08:00:00+00:00')"
    )).await;
    token
}

#[tokio::test]
async fn the_settings_say_who_may_sign_up() {
    for world in worlds().await {
        let refused = |answer: Result<SignedUp, Error>| assert!(matches!(answer, Err(Error::SignUpRefused(_))), "{answer:?}");
        refused(sign_up(&world, account(BOB)).await);
        set(&world, "sign_up.mode", "\"closed\"").await;
        refused(sign_up(&world, account(BOB)).await);
        let invited = NewAccount { invitation_token: Some(invite(&world, BOB, "viewer").await), ..account(BOB) };
        refused(sign_up(&world, invited).await);
        set(&world, "sign_up.mode", "\"domain\"").await;
        refused(sign_up(&world, account(BOB)).await);
        set(&world, "sign_up.allowed_domains", "[\"example.org\", \"example.com\"]").await;
        for refused_address in ["bob@example.net", "bob@sub.example.com", "bob@notexample.com"] {
            refused(sign_up(&world, account(refused_address)).await);
        }
        for allowed in [BOB, "bob@EXAMPLE.org"] {
            assert!(matches!(sign_up(&world, account(allowed)).await, Ok(SignedUp::VerificationSent)), "{allowed}");
        }
        assert_eq!(number(&world, "SELECT count(*) FROM users").await, 3);
        set(&world, "organizations.creation_by_members", "false").await;
        refused(sign_up(&world, NewAccount { organization: Some("Mine".parse().unwrap()), ..account("eve@example.com") }).await);
    }
}

#[tokio::test]
async fn who_signs_up_proves_the_address_and_signs_in() {
    for world in opened().await {
        let new = NewAccount { organization: Some("Bob & Co".parse().unwrap()), ..account(BOB) };
        assert!(matches!(sign_up(&world, new).await, Ok(SignedUp::VerificationSent)));
        assert_eq!(templates(&world, BOB).await, ["verify_email"]);
        let login = async || world.sessions.login(BOB, PASSWORD, Device::default()).await;
        assert!(matches!(login().await, Err(Error::EmailNotVerified)));

        let token = token(&world, "verify-email").await;
        assert!(token.len() == 43 && !format!("{:?}", rows_of_tokens(&world).await).contains(&token), "kept as a hash only");
        world.accounts.verify_email(&token, &Device::default()).await.unwrap();
        let again = world.accounts.verify_email(&token, &Device::default()).await;
        assert!(matches!(again, Err(Error::BadToken)), "single use: {again:?}");
        let signed_in = login().await.unwrap();
        assert_eq!((signed_in.user.first_name.as_str(), signed_in.user.last_name.as_str()), ("Bob", "Builder"));

        let reached = world.directory.of_user(signed_in.user.id).await.unwrap();
        let seen: Vec<_> = reached
            .iter()
            .map(|access| (access.organization.name.as_str(), access.role.clone(), access.projects[0].0.name.as_str()))
            .collect();
        assert_eq!(seen, [("Bob & Co", Role::Owner, "My project")]);
        let log = log(&world).await;
        for line in [
            "user user.sign_up success",
            "user organization.create success",
            "user project.create success",
            "user user.email_verify success",
        ] {
            assert!(log.contains(&line.to_owned()), "{line} in {log:?}");
        }
    }
}

async fn rows_of_tokens(world: &World) -> Vec<String> {
    use sea_orm::ConnectionTrait;
    let conn = world.db.conn();
    let statement = sea_orm::Statement::from_string(conn.get_database_backend(), "SELECT token_hash FROM user_tokens");
    conn.query_all_raw(statement).await.unwrap().iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test]
async fn an_address_that_has_an_account_gets_the_same_answer_and_its_owner_a_mail() {
    for world in opened().await {
        let taken = sign_up(&world, NewAccount { password: NEW.to_owned(), ..account(ADA) }).await;
        let free = sign_up(&world, account(BOB)).await;
        assert_eq!(format!("{taken:?}"), format!("{free:?}"));
        assert_eq!(templates(&world, ADA).await, ["already_registered"]);
        assert!(matches!(world.sessions.login(ADA, NEW, Device::default()).await, Err(Error::WrongCredentials)), "nothing was changed");
        // Nobody's mailbox is filled.
        sign_up(&world, account(ADA)).await.unwrap();
        assert_eq!(templates(&world, ADA).await.len(), 1);
        world.clock.advance(Duration::from_secs(60));
        sign_up(&world, account(ADA)).await.unwrap();
        assert_eq!(templates(&world, ADA).await.len(), 2);
        assert_eq!(number(&world, "SELECT count(*) FROM users").await, 2);
        // A password of no use is refused alike.
        for email in [ADA, "eve@example.com"] {
            let weak = sign_up(&world, NewAccount { password: "password123".to_owned(), ..account(email) }).await;
            assert!(matches!(weak, Err(Error::CommonPassword)), "{weak:?}");
        }
        assert!(matches!(sign_up(&world, NewAccount { password: BOB.to_owned(), ..account(BOB) }).await, Err(Error::PasswordIsAddress)));
    }
}

#[tokio::test]
async fn an_address_with_an_account_costs_the_same_work() {
    let world = World::small().await;
    set(&world, "sign_up.mode", "\"open\"").await;
    let begun = || world.basis.passwords.begun();
    for email in [ADA, BOB, ADA] {
        let before = begun();
        sign_up(&world, account(email)).await.unwrap();
        assert_eq!(begun() - before, 1, "{email}");
    }
    // So does a sign-in; resetting costs none in either case.
    for email in [ADA, "nobody@example.com", "not an address"] {
        let before = begun();
        let _ = world.sessions.login(email, "wrong password", Device::default()).await;
        assert_eq!(begun() - before, 1, "{email}");
        let before = begun();
        world.accounts.forgot_password(email, &Device::default()).await.unwrap();
        assert_eq!(begun() - before, 0, "{email}");
    }
}

#[tokio::test]
async fn who_was_invited_is_in_at_once() {
    for world in worlds().await {
        let token = invite(&world, BOB, "viewer").await;
        let invited = |email: &str, token: &str| NewAccount { invitation_token: Some(token.to_owned()), ..account(email) };
        for (email, token) in [("eve@example.com", token.as_str()), (BOB, "nonsense")] {
            let refused = sign_up(&world, invited(email, token)).await;
            assert!(matches!(refused, Err(Error::BadInvitation)), "{email}: {refused:?}");
        }
        let Ok(SignedUp::SignedIn(session)) = sign_up(&world, invited("Bob@Example.com", &token)).await else { panic!("not signed in") };
        let caller = world.sessions.authenticate_access(&session.access_token).await.unwrap();
        assert_eq!(world.directory.project_role(caller.user_id, world.project.id).await.unwrap(), Some(Role::Viewer));
        assert!(world.sessions.login(BOB, PASSWORD, Device::default()).await.is_ok(), "no mail has to be waited for");
        assert!(matches!(sign_up(&world, invited(BOB, &token)).await, Err(Error::BadInvitation)), "used");
        let other = invite(&world, ADA, "viewer").await;
        assert!(matches!(sign_up(&world, invited(ADA, &other)).await, Err(Error::AccountExists)));
        let late = invite(&world, "late@example.com", "viewer").await;
        world.clock.advance(Duration::from_hours(24 * 6));
        assert!(matches!(sign_up(&world, invited("late@example.com", &late)).await, Err(Error::BadInvitation)), "expired");
    }
}

#[tokio::test]
async fn a_verification_is_sent_again_once_a_minute_and_each_link_counts_until_one_is_used() {
    for world in opened().await {
        sign_up(&world, account(BOB)).await.unwrap();
        let first = token(&world, "verify-email").await;
        for email in [BOB, ADA, "nobody@example.com", "not an address"] {
            world.accounts.resend_verification(email).await.unwrap();
        }
        assert_eq!(mails(&world).await.len(), 1, "too soon, proven already, nobody");
        world.clock.advance(Duration::from_secs(61));
        world.accounts.resend_verification("BOB@example.com").await.unwrap();
        assert_eq!(templates(&world, BOB).await.len(), 2);
        let second = token(&world, "verify-email").await;
        world.clock.advance(Duration::from_hours(24) - Duration::from_secs(61));
        assert!(matches!(world.accounts.verify_email(&first, &Device::default()).await, Err(Error::BadToken)), "expired");
        world.accounts.resend_verification(BOB).await.unwrap();
        let third = token(&world, "verify-email").await;
        world.accounts.verify_email(&second, &Device::default()).await.unwrap();
        assert!(matches!(world.accounts.verify_email(&third, &Device::default()).await, Err(Error::BadToken)), "one was used");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_mail() {
    for world in worlds().await {
        let session = world.sessions.login(ADA, PASSWORD, Device::default()).await.unwrap();
        execute(&world, "UPDATE users SET email_verified_at = NULL").await;
        for _ in 0..5 {
            let _ = world.sessions.login(ADA, "wrong password", Device::default()).await;
        }
        for email in [ADA, "nobody@example.com", "not an address", ADA] {
            world.accounts.forgot_password(email, &from("203.0.113.7")).await.unwrap();
        }
        assert_eq!(templates(&world, ADA).await, ["reset_password"], "once a minute");
        assert!(mails(&world).await[0].2.contains("203.0.113.7"), "{:?}", mails(&world).await);
        let reset = token(&world, "reset-password").await;
        let weak = world.accounts.reset_password(&reset, "password123", &Device::default()).await;
        assert!(matches!(weak, Err(Error::CommonPassword)), "{weak:?}");
        world.accounts.reset_password(&reset, NEW, &Device::default()).await.unwrap();
        assert!(matches!(world.accounts.reset_password(&reset, NEW, &Device::default()).await, Err(Error::BadToken)), "single use");
        assert!(world.sessions.authenticate_access(&session.access_token).await.is_err());
        assert!(world.sessions.refresh(&session.refresh_token, Device::default()).await.is_err());
        assert!(world.sessions.login(ADA, NEW, Device::default()).await.is_ok(), "proven by the mail, and failures forgotten");
        assert!(world.sessions.login(ADA, PASSWORD, Device::default()).await.is_err());
        assert_eq!(templates(&world, ADA).await, ["reset_password", "password_changed"]);
        let log = log(&world).await;
        let requests = log.iter().filter(|line| line.starts_with("anonymous user.password_reset_request")).count();
        assert_eq!(requests, 4, "{log:?}");
        assert!(log.contains(&"user user.password_reset success ada".to_owned()));
    }
}

#[tokio::test]
async fn a_link_to_reset_is_good_for_an_hour_and_for_nothing_else() {
    for world in opened().await {
        world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
        let first = token(&world, "reset-password").await;
        assert!(matches!(world.accounts.verify_email(&first, &Device::default()).await, Err(Error::BadToken)), "another purpose");
        world.clock.advance(Duration::from_secs(61));
        world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
        let second = token(&world, "reset-password").await;
        world.clock.advance(Duration::from_hours(1) - Duration::from_secs(61));
        assert!(matches!(world.accounts.reset_password(&first, NEW, &Device::default()).await, Err(Error::BadToken)), "expired");
        world.clock.advance(Duration::from_secs(61));
        assert!(matches!(world.accounts.reset_password(&second, NEW, &Device::default()).await, Err(Error::BadToken)), "expired");
        sign_up(&world, account(BOB)).await.unwrap();
        let verification = token(&world, "verify-email").await;
        assert!(matches!(world.accounts.reset_password(&verification, NEW, &Device::default()).await, Err(Error::BadToken)));
        for nonsense in ["", "x", &"A".repeat(43)] {
            assert!(matches!(world.accounts.reset_password(nonsense, NEW, &Device::default()).await, Err(Error::BadToken)));
        }
    }
}

#[tokio::test]
async fn a_link_of_before_does_not_undo_a_new_password() {
    for world in worlds().await {
        world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
        let reset = token(&world, "reset-password").await;
        let session = world.sessions.login(ADA, PASSWORD, Device::default()).await.unwrap();
        let caller = world.sessions.authenticate_access(&session.access_token).await.unwrap();
        world.accounts.change_password(&caller, PASSWORD, NEW, &Device::default()).await.unwrap();
        let late = world.accounts.reset_password(&reset, "a third good password", &Device::default()).await;
        assert!(matches!(late, Err(Error::BadToken)), "{late:?}");
    }
}

#[tokio::test]
async fn who_asks_for_links_in_the_name_of_others_neither_spoils_one_nor_fills_a_mailbox() {
    for world in worlds().await {
        world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
        let first = token(&world, "reset-password").await;
        for _ in 0..20 {
            world.clock.advance(Duration::from_secs(61));
            world.accounts.forgot_password(ADA, &from("203.0.113.7")).await.unwrap();
        }
        assert_eq!(templates(&world, ADA).await.len(), 10, "a day");
        let last = token(&world, "reset-password").await;
        world.accounts.reset_password(&first, NEW, &Device::default()).await.unwrap();
        let again = world.accounts.reset_password(&last, "a third good password", &Device::default()).await;
        assert!(matches!(again, Err(Error::BadToken)), "with the one that was used the others are: {again:?}");
    }
}

#[tokio::test]
async fn whether_there_is_an_account_is_not_told_by_a_fast_answer() {
    for world in opened().await {
        let here = Device::default();
        for email in [ADA, BOB, "not an address"] {
            let begun = std::time::Instant::now();
            world.accounts.forgot_password(email, &here).await.unwrap();
            assert!(begun.elapsed() >= FLOOR, "forgotten: {email}");
            let begun = std::time::Instant::now();
            world.accounts.resend_verification(email).await.unwrap();
            assert!(begun.elapsed() >= FLOOR, "resent: {email}");
        }
        for email in [ADA, BOB] {
            let begun = std::time::Instant::now();
            sign_up(&world, account(email)).await.unwrap();
            assert!(begun.elapsed() >= FLOOR, "signed up: {email}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_waited_does_not_outlive_a_new_password() {
    for change in ["UPDATE users SET password_hash = 'another'", "UPDATE users SET status = 'suspended'"] {
        for world in worlds().await {
            let before = world.users.find(world.user.id).await.unwrap().unwrap();
            execute(&world, change).await;
            let txn = world.db.begin().await.unwrap();
            let opened = world.sessions.open(&txn, &before, &Device::default()).await;
            assert!(matches!(opened, Err(Error::WrongCredentials)), "{change}: {opened:?}");
        }
    }
}

#[tokio::test]
async fn two_who_use_a_link_at_once_do_not_both_succeed() {
    for world in worlds().await {
        world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
        let (reset, here) = (token(&world, "reset-password").await, Device::default());
        let (a, b) = tokio::join!(
            world.accounts.reset_password(&reset, NEW, &here),
            world.accounts.reset_password(&reset, "a third good password", &here)
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    }
}

#[tokio::test]
async fn a_suspended_person_gets_no_link() {
    let world = World::small().await;
    world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
    let reset = token(&world, "reset-password").await;
    execute(&world, "UPDATE users SET status = 'suspended'").await;
    world.clock.advance(Duration::from_secs(61));
    world.accounts.forgot_password(ADA, &Device::default()).await.unwrap();
    assert_eq!(mails(&world).await.len(), 1);
    assert!(matches!(world.accounts.reset_password(&reset, NEW, &Device::default()).await, Err(Error::BadToken)));
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    for world in worlds().await {
        let (here, elsewhere) = (signed_in(&world, ADA).await, world.sessions.login(ADA, PASSWORD, Device::default()).await.unwrap());
        let change = async |current: &str, new: &str| world.accounts.change_password(&here, current, new, &Device::default()).await;
        assert!(matches!(change("wrong password", NEW).await, Err(Error::WrongPassword)));
        assert!(matches!(change(PASSWORD, "qwertyuiop").await, Err(Error::CommonPassword)));
        assert!(matches!(change(PASSWORD, ADA).await, Err(Error::PasswordIsAddress)));
        assert!(world.sessions.authenticate_access(&elsewhere.access_token).await.is_ok());
        change(PASSWORD, NEW).await.unwrap();
        assert!(world.sessions.authenticate_access(&elsewhere.access_token).await.is_err());
        assert_eq!(world.sessions.list(&here).await.unwrap().iter().map(|session| session.id).collect::<Vec<_>>(), [here.session_id]);
        assert!(world.sessions.login(ADA, NEW, Device::default()).await.is_ok());
        assert_eq!(templates(&world, ADA).await, ["password_changed"]);
        assert!(log(&world).await.contains(&"user user.password_change success ada".to_owned()));
        // A stolen session cannot try passwords without end.
        for _ in 0..5 {
            let _ = change("wrong password", NEW).await;
        }
        assert!(matches!(change(NEW, PASSWORD).await, Err(Error::TooManyAttempts(_))));
    }
}
