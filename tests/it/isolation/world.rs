//! Two tenants that must not know of each other, made through the API as people would.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::operations::Call;
use crate::harness::{Spans, TestApp, attribute, now_ns, request, span};

pub const PASSWORD: &str = "correct horse battery staple";

/// Values of what requests name: ids and the like, by the name of the parameter or field.
#[derive(Debug, Clone, Default)]
pub struct Ids(pub BTreeMap<&'static str, String>);

impl Ids {
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub email: String,
    pub token: String,
    pub session: String,
}

/// An organisation with everything that can belong to one. Each name and each content holds `canary`.
#[derive(Debug)]
pub struct Tenant {
    pub canary: String,
    pub owner: Person,
    pub viewer: Person,
    /// A member whose role is `none`.
    pub nobody: Person,
    pub key: String,
    pub ids: Ids,
}

/// A call and its answer.
pub async fn send(app: &TestApp, call: &Call, authorization: Option<&str>) -> (u16, String) {
    let mut request = app.client.request(call.method.clone(), format!("{}{}", app.url, call.path));
    if let Some(token) = authorization {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = &call.body {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A call that must succeed: its `data`.
pub async fn must(app: &TestApp, method: Method, path: &str, token: &str, body: Option<Value>) -> Value {
    let (status, text) = send(app, &Call { method: method.clone(), path: path.to_owned(), body }, Some(token)).await;
    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
    serde_json::from_str::<Value>(&text).unwrap()["data"].take()
}

async fn person(app: &TestApp, name: &str, canary: &str) -> Person {
    let email = format!("{name}-{canary}@example.com");
    let body =
        json!({"email": email, "password": PASSWORD, "first_name": format!("First {canary}"), "last_name": format!("Last {canary}")});
    let user = must(app, Method::POST, "/api/v1/admin/users", &app.token, Some(body)).await;
    let id = user["user"]["id"].as_str().unwrap().to_owned();
    let token = app.log_in(&email, PASSWORD).await;
    let sessions = must(app, Method::GET, "/api/v1/auth/sessions", &token, None).await;
    Person { id, email, token, session: sessions[0]["id"].as_str().unwrap().to_owned() }
}

async fn member(app: &TestApp, organization: &str, owner: &Person, name: &str, role: &str, canary: &str) -> Person {
    let person = person(app, name, canary).await;
    let path = format!("/api/v1/organizations/{organization}/invitations");
    must(app, Method::POST, &path, &owner.token, Some(json!({"email": person.email, "role": role}))).await;
    let body = json!({"token": mailed_token(app, &person.email).await});
    must(app, Method::POST, "/api/v1/invitations/accept", &person.token, Some(body)).await;
    person
}

/// The token in the last mail to somebody: there is no mail server, so an administrator can read it.
async fn mailed_token(app: &TestApp, email: &str) -> String {
    let mails = must(app, Method::GET, "/api/v1/admin/outbox", &app.token, None).await;
    let mail = mails.as_array().unwrap().iter().find(|mail| mail["recipient"] == email).unwrap();
    let path = format!("/api/v1/admin/outbox/{}", mail["id"].as_str().unwrap());
    let text = must(app, Method::GET, &path, &app.token, None).await["text"].as_str().unwrap().to_owned();
    let (_, after) = text.split_once("token=").unwrap();
    after.split_whitespace().next().unwrap().to_owned()
}

impl Tenant {
    /// Makes a tenant; `app.token` must be a platform administrator's.
    pub async fn make(app: &TestApp, canary: &str) -> Self {
        let owner = person(app, "owner", canary).await;
        let post = |path: String, body: Value| {
            let token = owner.token.clone();
            async move { must(app, Method::POST, &path, &token, Some(body)).await }
        };
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let organization = id(&post("/api/v1/organizations".to_owned(), json!({"name": format!("Org {canary}")})).await);
        let body = json!({"name": format!("Project {canary}"), "description": format!("About {canary}")});
        let project = id(&post(format!("/api/v1/projects?organization_id={organization}"), body).await);
        let viewer = member(app, &organization, &owner, "viewer", "viewer", canary).await;
        let nobody = member(app, &organization, &owner, "nobody", "none", canary).await;
        let made = post(format!("/api/v1/projects/{project}/api-keys"), json!({"name": format!("Key {canary}")})).await;
        let key = made["key"].as_str().unwrap().to_owned();
        let body = json!({"email": format!("invited-{canary}@example.com"), "role": "viewer"});
        let invitation = id(&post(format!("/api/v1/organizations/{organization}/invitations"), body).await);
        let (trace_id, span_id) = store_trace(app, &key, canary).await;
        let body = json!({"model": format!("model {canary}"), "prices": [{"rates": {"input": "1"}}]});
        let price = id(&post(format!("/api/v1/projects/{project}/prices"), body.clone()).await);
        post(format!("/api/v1/organizations/{organization}/prices"), body).await;
        let body = json!({"mode": "preview", "models": [{"model": format!("model {canary}")}]});
        let repricing = id(&post(format!("/api/v1/projects/{project}/repricings"), body).await);
        wait_for_repricing(app, &owner, &project, &repricing).await;
        // What administrators look at; the same for every tenant.
        let first = |path: &'static str| async move { must(app, Method::GET, path, &app.token, None).await[0].clone() };
        let (job, mail, schedule) =
            (first("/api/v1/admin/jobs").await, first("/api/v1/admin/outbox").await, first("/api/v1/admin/schedules").await);
        let ids = BTreeMap::from([
            ("organization_id", organization),
            ("project_id", project),
            ("user_id", viewer.id.clone()),
            ("session_id", viewer.session.clone()),
            ("invitation_id", invitation),
            ("api_key_id", id(&made)),
            ("trace_id", trace_id),
            ("span_id", span_id),
            ("job_id", id(&job)),
            ("mail_id", id(&mail)),
            ("name", schedule["name"].as_str().unwrap().to_owned()),
            ("price_id", price),
            ("repricing_id", repricing),
            ("key", "rate_limit.requests_per_minute_per_key".to_owned()),
        ]);
        Self { canary: canary.to_owned(), owner, viewer, nobody, key, ids: Ids(ids) }
    }
}

/// Waits until a re-pricing has ended: it would change under the eyes of the walk.
async fn wait_for_repricing(app: &TestApp, owner: &Person, project: &str, id: &str) {
    let path = format!("/api/v1/projects/{project}/repricings/{id}");
    for _ in 0..300 {
        if must(app, Method::GET, &path, &owner.token, None).await["state"] == "done" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the re-pricing {id} does not end");
}

/// A trace whose every text holds the canary.
async fn store_trace(app: &TestApp, key: &str, canary: &str) -> (String, String) {
    use prost::Message;
    let mut span = span(&Spans::trace_id(), 0, now_ns());
    span.name = format!("span {canary}");
    for name in ["input.value", "output.value", "user.id", "session.id", "tags", "custom"] {
        span.attributes.push(attribute(name, &format!("{name} {canary}")));
    }
    let (trace, id) = (hex::encode(&span.trace_id), hex::encode(&span.span_id));
    let answer = app
        .client
        .post(format!("{}/v1/traces", app.url))
        .header("x-api-key", key)
        .header("content-type", "application/x-protobuf")
        .body(request(vec![span]).encode_to_vec())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    (trace, id)
}

/// Waits until the tenant's trace can be read: with a queue between, that is after the answer.
pub async fn wait_for_trace(app: &TestApp, tenant: &Tenant) {
    let path = format!("/api/v1/traces/{}?project_id={}", tenant.ids.get("trace_id").unwrap(), tenant.ids.get("project_id").unwrap());
    let call = Call { method: Method::GET, path, body: None };
    for _ in 0..300 {
        if send(app, &call, Some(&tenant.owner.token)).await.0 == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the trace of {} does not appear", tenant.canary);
}
