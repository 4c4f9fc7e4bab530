mod directory;
mod invitations;
mod keys;
mod members;
mod organizations;
mod projects;
mod scoping;

use actix_web::http::{Method, StatusCode};
use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
use actix_web::{App, web};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use utoipa_actix_web::AppExt;

use crate::auth::testing::{PASSWORD, World};
use crate::auth::{Device, Revoked};
use crate::error::ApiError;
use crate::infra::bus::{Heard, Notice};

/// An answer: `data` on success, the error otherwise.
#[derive(Debug)]
pub struct Seen {
    pub status: StatusCode,
    pub data: Value,
    pub error: Option<ApiError>,
    pub pagination: Value,
    pub text: String,
}

impl Seen {
    /// `error.code`, or nothing.
    pub fn code(&self) -> &str {
        self.error.as_ref().map_or("", |error| error.code.name())
    }

    /// `data` of an answer that must have succeeded.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{:?}", self.error);
        self.data
    }
}

/// Somebody who calls the API.
pub struct Caller<'a> {
    world: &'a World,
    token: Option<String>,
}

pub async fn signed_in<'a>(world: &'a World, email: &str) -> Caller<'a> {
    Caller { world, token: Some(world.sessions.login(email, PASSWORD, Device::default()).await.unwrap().access_token) }
}

pub fn nobody(world: &World) -> Caller<'_> {
    Caller { world, token: None }
}

impl Caller<'_> {
    pub async fn get(&self, uri: &str) -> Seen {
        self.call(Method::GET, uri, None).await
    }

    pub async fn post(&self, uri: &str, body: Value) -> Seen {
        self.call(Method::POST, uri, Some(body)).await
    }

    pub async fn patch(&self, uri: &str, body: Value) -> Seen {
        self.call(Method::PATCH, uri, Some(body)).await
    }

    pub async fn put(&self, uri: &str, body: Value) -> Seen {
        self.call(Method::PUT, uri, Some(body)).await
    }

    pub async fn delete(&self, uri: &str) -> Seen {
        self.call(Method::DELETE, uri, None).await
    }

    async fn call(&self, method: Method, uri: &str, body: Option<Value>) -> Seen {
        let clock: crate::common::clock::SharedClock = self.world.clock.clone();
        let app = App::new()
            .into_utoipa_app()
            .map(|app| app.configure(|config| self.world.register(config)).app_data(web::Data::new(clock)))
            .configure(crate::auth::http::routes)
            .configure(crate::user::http::routes)
            .configure(super::http::routes)
            .configure(crate::audit::http::routes)
            .into_app();
        let app = init_service(app).await;
        let mut request = TestRequest::default().method(method).uri(&format!("/api/v1{uri}"));
        if let Some(token) = &self.token {
            request = request.insert_header(("Authorization", format!("Bearer {token}")));
        }
        if let Some(body) = body {
            request = request.set_json(body);
        }
        let failed = |error: Option<ApiError>| Seen {
            status: error.as_ref().map_or(StatusCode::IM_A_TEAPOT, |error| error.code.status()),
            data: Value::Null,
            error,
            pagination: Value::Null,
            text: String::new(),
        };
        match try_call_service(&app, request.to_request()).await {
            Ok(response) => {
                if let Some(error) = response.response().error() {
                    return failed(error.as_error::<ApiError>().cloned());
                }
                let status = response.status();
                let text = String::from_utf8(read_body(response).await.to_vec()).unwrap();
                let mut body: Value = serde_json::from_str(&text).unwrap_or_default();
                let (data, pagination) =
                    if body.is_object() { (body["data"].take(), body["meta"]["pagination"].take()) } else { (Value::Null, Value::Null) };
                Seen { status, data, error: None, pagination, text }
            }
            Err(error) => failed(error.as_error::<ApiError>().cloned()),
        }
    }
}

/// The values of the fields of a list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap_or("null")).collect()
}

/// Compares the actions in the audit log of the world's organisation; the clock stands still, so they have no order.
pub async fn assert_audited(world: &World, expected: &[&str]) {
    let query = "SELECT action, outcome FROM audit_logs WHERE organization_id = $1";
    let id = world.organization.id.into();
    let rows =
        world.db.conn().query_all_raw(Statement::from_sql_and_values(world.db.conn().get_database_backend(), query, [id])).await.unwrap();
    let line = |row: &sea_orm::QueryResult| {
        let (action, outcome): (String, String) = (row.try_get("", "action").unwrap(), row.try_get("", "outcome").unwrap());
        if outcome == "success" { action } else { format!("{action} {outcome}") }
    };
    let (mut lines, mut expected): (Vec<String>, Vec<&str>) = (rows.iter().map(line).collect(), expected.to_vec());
    lines.sort();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

pub async fn run(world: &World, statement: &str) {
    world.db.writer().execute_unprepared(statement).await.unwrap();
}

/// Applies what was said on the bus since `heard` to the keys of a server, as its background task does.
pub async fn take_in(heard: &mut tokio::sync::broadcast::Receiver<Notice>, keys: &crate::auth::ApiKeys) {
    while let Ok(notice) = heard.try_recv() {
        if let Some(revoked) = Revoked::of(&Heard::Notice(notice)) {
            keys.apply(&revoked).await;
        }
    }
}

/// The latest token that was mailed to an address.
pub async fn mailed_token(world: &World, email: &str) -> String {
    let query = "SELECT text FROM mail_outbox WHERE recipient = $1 AND template = 'invitation' ORDER BY created_at DESC";
    let statement = Statement::from_sql_and_values(world.db.conn().get_database_backend(), query, [email.into()]);
    let rows = world.db.conn().query_all_raw(statement).await.unwrap();
    let text: String = rows.first().unwrap().try_get("", "text").unwrap();
    let start = text.find("/invitation?token=").unwrap() + "/invitation?token=".len();
    text[start..].chars().take_while(|character| character.is_ascii_alphanumeric() || "-_".contains(*character)).collect()
}

pub fn nothing() -> Value {
    json!({})
}
