use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
use actix_web::{App, web};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use super::{Error, RequestsPerKey, Scope, Settings, SignUp, SignUpDomains, SignUpMode, Source};
use crate::audit::By;
use crate::auth::rbac::{Community, Rbac, RbacStatus};
use crate::auth::testing::{PASSWORD, World, worlds};
use crate::auth::{Authorizer, Decision, Device, Permission, Resource, Subject};
use crate::common::origin::Origin;
use crate::error::ApiError;
use crate::infra::bus::{Bus, Heard};

const LONG: Duration = Duration::from_mins(10);
const PER_KEY: &str = "rate_limit.requests_per_minute_per_key";

/// The settings of one more server, whose values are kept that long.
fn server(world: &World, keep: Duration) -> (Settings, Bus) {
    let bus = Bus::new();
    (Settings::keeping(world.db.db.clone(), world.clock.clone(), world.audit.clone(), bus.clone(), keep), bus)
}

fn scopes(world: &World) -> [Scope; 3] {
    let (organization, project) = (world.organization.id, world.project.id);
    [Scope::Installation, Scope::Organization(organization), Scope::Project(organization, project)]
}

fn by(world: &World) -> By {
    By::user(world.user.id, Origin { request_id: Some("request-7".to_owned()), ..Origin::default() })
}

async fn rows(world: &World, query: &str) -> Vec<Vec<Option<String>>> {
    let statement = Statement::from_string(world.db.writer().get_database_backend(), query);
    let rows = world.db.writer().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| (0..row.column_names().len()).map(|index| row.try_get_by_index(index).unwrap()).collect()).collect()
}

#[tokio::test]
async fn the_nearest_value_counts() {
    for world in worlds().await {
        let (settings, _) = server(&world, LONG);
        let [installation, organization, project] = scopes(&world);
        let by = by(&world);
        let read = async || {
            let mut values = Vec::new();
            for scope in [installation, organization, project] {
                values.push(settings.get::<RequestsPerKey>(scope).await.unwrap());
            }
            values
        };
        assert_eq!(read().await, [0, 0, 0]);
        settings.set(&by, organization, PER_KEY, &json!(50), None).await.unwrap();
        assert_eq!(read().await, [0, 50, 50]);
        settings.set(&by, installation, PER_KEY, &json!(100), None).await.unwrap();
        assert_eq!(read().await, [100, 50, 50]);
        let view = settings.set(&by, project, PER_KEY, &json!(20), None).await.unwrap();
        assert_eq!(read().await, [100, 50, 20]);
        assert_eq!((view.source, view.value, view.own_value), (Source::Project, json!(20), Some(json!(20))));
        let view = settings.reset(&by, project, PER_KEY).await.unwrap();
        assert_eq!((view.source, view.value, view.own_value, view.version), (Source::Organization, json!(50), None, None));
        settings.reset(&by, organization, PER_KEY).await.unwrap();
        assert_eq!(read().await, [100, 100, 100]);
        // A tenant sees nothing of another.
        let other = Scope::Organization(crate::common::id::OrganizationId::fresh());
        settings.set(&by, other, PER_KEY, &json!(7), None).await.unwrap();
        assert_eq!(read().await, [100, 100, 100]);
    }
}

#[tokio::test]
async fn a_list_says_what_can_be_set_and_where_values_come_from() {
    for world in worlds().await {
        let (settings, _) = server(&world, LONG);
        let [installation, organization, project] = scopes(&world);
        let keys = async |scope| settings.list(scope).await.unwrap().into_iter().map(|view| view.key).collect::<Vec<_>>();
        assert_eq!(keys(installation).await.len(), super::definitions::ALL.len());
        assert_eq!(keys(organization).await, ["rate_limit.requests_per_minute_per_user", PER_KEY]);
        assert_eq!(keys(project).await, [PER_KEY]);
        settings.set(&by(&world), installation, "sign_up.mode", &json!("open"), None).await.unwrap();
        let list = settings.list(installation).await.unwrap();
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(list[0], @r#"
            {
              "key": "sign_up.mode",
              "description": "Who may make an account: closed, invitation, domain (invited, or an address of an allowed domain), open",
              "type": "choice",
              "choices": [
                "closed",
                "invitation",
                "domain",
                "open"
              ],
              "value": "open",
              "default": "invitation",
              "source": "installation",
              "own_value": "open",
              "version": 1,
              "updated_at": "2027-01-15T08:00:00Z",
              "updated_by_email": "ada@example.com"
            }
            "#);
            insta::assert_json_snapshot!(list[2], @r#"
            {
              "key": "organizations.creation_by_members",
              "description": "Whether everybody may make organizations, or platform administrators only",
              "type": "bool",
              "choices": null,
              "value": true,
              "default": true,
              "source": "default",
              "own_value": null,
              "version": null,
              "updated_at": null,
              "updated_by_email": null
            }
            "#);
        }
    }
}

#[tokio::test]
async fn a_change_of_something_older_is_refused_and_every_change_is_remembered() {
    for world in worlds().await {
        let (settings, _) = server(&world, LONG);
        let (scope, by) = (scopes(&world)[1], by(&world));
        let set = async |value: u32, version| settings.set(&by, scope, PER_KEY, &json!(value), version).await.map(|view| view.version);
        assert_eq!(set(1, Some(0)).await.unwrap(), Some(1));
        assert!(matches!(set(2, Some(0)).await, Err(Error::Conflict(1))));
        assert_eq!(set(2, Some(1)).await.unwrap(), Some(2));
        assert!(matches!(set(3, Some(1)).await, Err(Error::Conflict(2))));
        assert_eq!(set(2, None).await.unwrap(), Some(2), "the same again changes nothing");
        settings.reset(&by, scope, PER_KEY).await.unwrap();
        settings.reset(&by, scope, PER_KEY).await.unwrap();
        assert!(matches!(set(3, Some(2)).await, Err(Error::Conflict(0))));
        assert_eq!(set(3, Some(0)).await.unwrap(), Some(4), "no version comes twice");
        let history = settings.history(scope, PER_KEY).await.unwrap();
        let seen: Vec<_> = history.iter().map(|change| (change.version, change.value.clone())).collect();
        assert_eq!(seen, [(4, Some(json!(3))), (3, None), (2, Some(json!(2))), (1, Some(json!(1)))]);
        assert!(history.iter().all(|change| change.changed_by_email.as_deref() == Some("ada@example.com")));
        assert_eq!(settings.history(Scope::Installation, PER_KEY).await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_have_seen_the_same_one_changes_it() {
    for world in worlds().await {
        let (first, second) = (server(&world, LONG).0, server(&world, LONG).0);
        let scope = scopes(&world)[1];
        for version in 0..3_i64 {
            let by = by(&world);
            let tries = [&first, &second, &first, &second].into_iter().enumerate();
            let tries =
                tries.map(|(index, settings)| {
                    let by = by.clone();
                    async move {
                        settings.set(&by, scope, PER_KEY, &json!(10 * (version + 1) + i64::try_from(index).unwrap()), Some(version)).await
                    }
                });
            let ended = futures_util::future::join_all(tries).await;
            let won = ended.iter().filter(|ended| ended.is_ok()).count();
            assert_eq!(won, 1, "{ended:?}");
            let lost = |ended: &Result<_, Error>| ended.is_ok() || matches!(ended, Err(Error::Conflict(now)) if *now == version + 1);
            assert!(ended.iter().all(lost), "{ended:?}");
        }
    }
}

#[tokio::test]
async fn every_change_has_its_line_in_the_log() {
    for world in worlds().await {
        let (settings, _) = server(&world, LONG);
        let ([installation, _, project], by) = (scopes(&world), by(&world));
        settings.set(&by, installation, "sign_up.mode", &json!("closed"), None).await.unwrap();
        settings.set(&by, installation, "sign_up.mode", &json!("open"), None).await.unwrap();
        settings.reset(&by, installation, "sign_up.mode").await.unwrap();
        settings.set(&by, project, PER_KEY, &json!(5), None).await.unwrap();
        assert!(settings.set(&by, installation, "sign_up.mode", &json!("ajar"), None).await.is_err());
        let lines = rows(
            &world,
            "SELECT action, target_id, before, after, organization_id, project_id, actor_id, request_id FROM audit_logs ORDER BY id",
        );
        let lines = lines.await;
        let text = |line: &[Option<String>]| line.iter().map(|cell| cell.clone().unwrap_or("-".to_owned())).collect::<Vec<_>>().join(" ");
        let (user, organization, id) = (world.user.id, world.organization.id, world.project.id);
        assert_eq!(
            lines.iter().map(|line| text(line)).collect::<Vec<_>>(),
            [
                format!("setting.update sign_up.mode - \"closed\" - - {user} request-7"),
                format!("setting.update sign_up.mode \"closed\" \"open\" - - {user} request-7"),
                format!("setting.reset sign_up.mode \"open\" - - - {user} request-7"),
                format!("setting.update {PER_KEY} - 5 {organization} {id} {user} request-7"),
            ]
        );
    }
}

#[tokio::test]
async fn wrong_keys_levels_and_values_are_refused() {
    let world = World::small().await;
    let (settings, _) = server(&world, LONG);
    let ([installation, organization, _], by) = (scopes(&world), by(&world));
    for (scope, key) in [(installation, "no.such"), (organization, "sign_up.mode")] {
        assert!(matches!(settings.set(&by, scope, key, &json!("open"), None).await, Err(Error::Unknown(_))), "{key}");
        assert!(matches!(settings.reset(&by, scope, key).await, Err(Error::Unknown(_))), "{key}");
        assert!(matches!(settings.history(scope, key).await, Err(Error::Unknown(_))), "{key}");
        assert!(settings.guard(scope.level(), key).is_err(), "{key}");
    }
    for (key, value) in [
        ("sign_up.mode", json!("ajar")),
        ("sign_up.mode", json!(null)),
        ("sign_up.allowed_domains", json!(["Example.com"])),
        ("sign_up.allowed_domains", json!("example.com")),
        ("organizations.creation_by_members", json!("yes")),
        (PER_KEY, json!(-1)),
        (PER_KEY, json!(1.5)),
        (PER_KEY, json!(4_000_000_000_u32)),
    ] {
        let refused = settings.set(&by, installation, key, &value, None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{key} = {value}: {refused:?}");
    }
    assert_eq!(rows(&world, "SELECT key FROM settings").await.len(), 0);
}

#[tokio::test]
async fn values_are_kept_in_memory_until_somebody_says_that_they_changed() {
    for world in worlds().await {
        let ((here, bus), (there, _)) = (server(&world, LONG), server(&world, LONG));
        let [installation, organization, project] = scopes(&world);
        let mut said = bus.outgoing();
        let mut heard = bus.listen();
        assert_eq!(there.get::<RequestsPerKey>(project).await.unwrap(), 0);
        here.set(&by(&world), organization, PER_KEY, &json!(5), None).await.unwrap();
        assert_eq!(here.get::<RequestsPerKey>(project).await.unwrap(), 5, "at once where it was changed");
        assert_eq!(there.get::<RequestsPerKey>(project).await.unwrap(), 0, "asked of memory, not of the database");
        there.apply(&Heard::Notice(said.try_recv().unwrap())).await;
        assert_eq!(there.get::<RequestsPerKey>(project).await.unwrap(), 5);
        assert!(heard.next().await.is_some(), "listeners of this process hear it, too");
        // Another scope's change leaves this one alone.
        here.set(&by(&world), installation, PER_KEY, &json!(9), None).await.unwrap();
        there.apply(&Heard::Notice(said.try_recv().unwrap())).await;
        assert_eq!((there.get::<RequestsPerKey>(project).await.unwrap(), there.get::<RequestsPerKey>(installation).await.unwrap()), (5, 9));
        // Whoever was cut off knows nothing.
        here.reset(&by(&world), organization, PER_KEY).await.unwrap();
        assert_eq!(there.get::<RequestsPerKey>(project).await.unwrap(), 5);
        there.apply(&Heard::Missed).await;
        assert_eq!(there.get::<RequestsPerKey>(project).await.unwrap(), 9);
    }
}

#[tokio::test]
async fn a_change_that_nobody_told_of_counts_soon() {
    let world = World::small().await;
    let ((here, _), (there, _)) = (server(&world, LONG), server(&world, Duration::from_millis(20)));
    assert_eq!(there.get::<SignUp>(Scope::Installation).await.unwrap(), SignUpMode::Invitation);
    here.set(&by(&world), Scope::Installation, "sign_up.mode", &json!("open"), None).await.unwrap();
    for _ in 0..200 {
        if there.get::<SignUp>(Scope::Installation).await.unwrap() == SignUpMode::Open {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never seen");
}

#[tokio::test]
async fn what_cannot_be_read_any_more_is_as_if_it_were_not_there() {
    for world in worlds().await {
        let (settings, _) = server(&world, LONG);
        let by = by(&world);
        settings.set(&by, Scope::Installation, "sign_up.mode", &json!("open"), None).await.unwrap();
        settings.set(&by, Scope::Installation, "sign_up.allowed_domains", &json!(["example.com"]), None).await.unwrap();
        for (key, broken) in [("sign_up.mode", "\"ajar\""), ("sign_up.allowed_domains", "{")] {
            let statement = format!("UPDATE settings SET value = '{broken}' WHERE key = '{key}'");
            world.db.writer().execute_unprepared(&statement).await.unwrap();
        }
        let (settings, _) = server(&world, LONG);
        assert_eq!(settings.get::<SignUp>(Scope::Installation).await.unwrap(), SignUpMode::Invitation);
        assert_eq!(settings.get::<SignUpDomains>(Scope::Installation).await.unwrap(), Vec::<String>::new());
        let view = settings.list(Scope::Installation).await.unwrap().remove(0);
        assert_eq!((view.source, view.value, view.own_value, view.version), (Source::Default, json!("invitation"), None, Some(1)));
        let view = settings.set(&by, Scope::Installation, "sign_up.mode", &json!("closed"), Some(1)).await.unwrap();
        assert_eq!((view.value, view.version), (json!("closed"), Some(2)), "it can be set right");
    }
}

#[tokio::test]
async fn whoever_cannot_wait_goes_on_with_what_was_known() {
    let world = World::small().await;
    let (settings, _) = server(&world, Duration::ZERO);
    settings.set(&by(&world), Scope::Installation, PER_KEY, &json!(5), None).await.unwrap();
    assert_eq!(settings.own_or_last::<RequestsPerKey>(Scope::Installation).await, Some(5));
    assert_eq!(settings.own_or_last::<RequestsPerKey>(scopes(&world)[1]).await, None, "what it inherits is not its own");
    world.db.db.clone().close().await.unwrap();
    assert!(settings.get::<RequestsPerKey>(Scope::Installation).await.is_err());
    for _ in 0..3 {
        assert_eq!(settings.own_or_last::<RequestsPerKey>(Scope::Installation).await, Some(5));
    }
}

/// Roles of the community edition, and one that changes settings but for those of security.
#[derive(Debug)]
struct WithClerks;

impl Rbac for WithClerks {
    fn decide(&self, subject: &Subject, action: Permission, resource: &Resource<'_>) -> Decision {
        match subject.role.name() {
            "clerk" => Decision::from(matches!(action, Permission::SettingsRead | Permission::SettingsWrite)),
            _ => Community.decide(subject, action, resource),
        }
    }

    fn status(&self) -> RbacStatus {
        Community.status()
    }
}

/// Status, error code, and data of a request by somebody.
async fn call(world: &World, email: &str, request: TestRequest) -> (StatusCode, String, Value) {
    let (settings, _) = server(world, LONG);
    let authorizer = Authorizer::new(world.directory.clone(), Arc::new(WithClerks));
    let app = App::new()
        .into_utoipa_app()
        .map(|app| app.configure(|config| world.register(config)))
        .configure(super::http::routes)
        .into_app()
        .app_data(web::Data::new(settings))
        .app_data(web::Data::new(authorizer));
    let app = init_service(app).await;
    let token = world.sessions.login(email, PASSWORD, Device::default()).await.unwrap().access_token;
    let request = request.insert_header(("Authorization", format!("Bearer {token}"))).to_request();
    let response = try_call_service(&app, request).await.unwrap();
    let status = response.status();
    let error = response.response().error().and_then(|error| error.as_error::<ApiError>()).map(|error| error.code.name().to_owned());
    let data = if error.is_none() { read_body_json::<Value, _>(response).await["data"].take() } else { Value::Null };
    (status, error.unwrap_or_default(), data)
}

#[actix_web::test]
async fn settings_are_changed_by_whoever_may() {
    let world = World::small().await;
    for (email, role) in
        [("vic@example.com", "viewer"), ("dev@example.com", "developer"), ("eva@example.com", "admin"), ("clerk@example.com", "clerk")]
    {
        world.member(email, role).await;
    }
    world.somebody("eve@example.com").await;
    for base in
        [format!("/api/v1/organizations/{}/settings", world.organization.id), format!("/api/v1/projects/{}/settings", world.project.id)]
    {
        let one = format!("{base}/{PER_KEY}");
        let get = |path: &str| TestRequest::get().uri(path);
        let put = |value: Value| TestRequest::put().uri(&one).set_json(value);
        for (email, may) in [
            ("ada@example.com", true),
            ("eva@example.com", true),
            ("vic@example.com", false),
            ("dev@example.com", false),
            ("clerk@example.com", false),
        ] {
            let (status, code, data) = call(&world, email, get(&base)).await;
            assert_eq!((status, code.as_str()), (StatusCode::OK, ""), "{email} reads {base}");
            assert!(data.as_array().unwrap().iter().any(|view| view["key"] == PER_KEY));
            let (status, code, data) = call(&world, email, put(json!({"value": 10}))).await;
            assert_eq!(
                (status == StatusCode::OK, code.as_str()),
                (may, if may { "" } else { "FORBIDDEN_ERROR" }),
                "{email} sets {one}: {data}"
            );
            let (status, ..) = call(&world, email, TestRequest::delete().uri(&one)).await;
            assert_eq!(status == StatusCode::OK, may, "{email} resets {one}");
            let (status, _, data) = call(&world, email, get(&format!("{one}/history"))).await;
            assert_eq!((status, data.as_array().map(|changes| changes.len() >= 2)), (StatusCode::OK, Some(true)), "{email}");
        }
        for request in [get(&base), put(json!({"value": 10})), TestRequest::delete().uri(&one), get(&format!("{one}/history"))] {
            assert_eq!(call(&world, "eve@example.com", request).await.1, "NOT_FOUND_ERROR", "a stranger learns nothing");
        }
        let ada = "ada@example.com";
        let (status, _, data) = call(&world, ada, put(json!({"value": 10, "version": 0}))).await;
        assert_eq!((status, &data["own_value"], &data["type"]), (StatusCode::OK, &json!(10), &json!("integer")));
        assert_eq!(call(&world, ada, put(json!({"value": 11, "version": 0}))).await.1, "CONFLICT_ERROR");
        for wrong in [json!({"value": "many"}), json!({}), json!({"value": 1, "revision": 3}), json!({"value": 1, "version": -1})] {
            assert_eq!(call(&world, ada, put(wrong.clone())).await.1, "VALIDATION_ERROR", "{wrong}");
        }
        assert_eq!(
            call(&world, ada, TestRequest::put().uri(&format!("{base}/sign_up.mode")).set_json(json!({"value": "open"}))).await.1,
            "NOT_FOUND_ERROR"
        );
    }
}
