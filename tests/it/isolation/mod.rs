//! Nobody reaches what belongs to another tenant.
//!
//! The walk calls every operation of the OpenAPI document with every kind of wrong credential and with ids that exist, in the
//! path, in the query and in each field of the body. Each call must be refused as documented, must change no row of the
//! database, and must not show the canary that stands in every name and content of the other tenant. An operation that the walk
//! cannot call fails it: whoever adds a route teaches the walk its parameters.

mod database;
mod operations;
mod world;

use brokle::auth::permission::grants;
use brokle::organization::Role;
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use reqwest::Method;
use serde_json::{Value, json};

use self::database::{Database, difference};
use self::operations::{Call, Credential, Operation};
use self::world::{Tenant, must, send};
use crate::harness::{JWT_SECRET, TestApp};
use crate::on_both;

/// What went wrong, all of it.
struct Walk<'a> {
    app: &'a TestApp,
    database: Database,
    wrong: Vec<String>,
    calls: usize,
}

impl Walk<'_> {
    /// Makes a call that must be refused with one of `expected`, must change nothing and must not show `canary`.
    async fn refused(&mut self, who: &str, operation: &Operation, call: &Call, token: Option<&str>, expected: &[u16], canary: &str) {
        let before = self.database.dump().await;
        let (status, text) = send(self.app, call, token).await;
        let changed = difference(&before, &self.database.dump().await);
        self.calls += 1;
        let what = format!("{} by {who}: {} {}", operation.id, call.method, call.path);
        if !expected.contains(&status) {
            self.wrong.push(format!("{what}: {status} instead of {expected:?}: {}", text.chars().take(200).collect::<String>()));
        }
        if text.contains(canary) {
            self.wrong.push(format!("{what}: shows what belongs to somebody else: {text}"));
        }
        if !changed.is_empty() {
            self.wrong.push(format!("{what}: has changed\n{changed}"));
        }
        let envelope = serde_json::from_str::<Value>(&text).is_ok_and(|body| body["error"]["code"].is_string() || body["code"].is_number());
        if status >= 400 && !envelope {
            self.wrong.push(format!("{what}: the error is not in the envelope: {text}"));
        }
    }
}

/// Whether an operation stands under the routes of SDKs.
fn takes_keys(operation: &Operation) -> bool {
    operation.path.starts_with("/v1/")
}

/// Without credentials, and with ones that are good no more.
async fn without_credentials(walk: &mut Walk<'_>, operations: &[Operation], theirs: &Tenant) {
    let app = walk.app;
    let ended = app.log_in(&theirs.owner.email, world::PASSWORD).await;
    must(app, Method::POST, "/api/v1/auth/logout", &ended, None).await;
    let expired = expired(app, &theirs.owner.token).await;
    for operation in operations.iter().filter(|operation| operation.credential != Credential::Public) {
        let call = operation.call(&theirs.ids);
        walk.refused("nobody", operation, &call, None, &[401], &theirs.canary).await;
        walk.refused("a forger", operation, &call, Some("bk_0000000000000000000000000000000000000000"), &[401], &theirs.canary).await;
        if takes_keys(operation) {
            // An access token is no key.
            walk.refused("an owner without a key", operation, &call, Some(&theirs.owner.token), &[401], &theirs.canary).await;
        } else {
            walk.refused("a session that was ended", operation, &call, Some(&ended), &[401], &theirs.canary).await;
            walk.refused("a token that has expired", operation, &call, Some(&expired), &[401], &theirs.canary).await;
            walk.refused("the project's own key", operation, &call, Some(&theirs.key), &[401], &theirs.canary).await;
        }
    }
}

/// The token with another time of expiry, signed as the server signs.
async fn expired(app: &TestApp, token: &str) -> String {
    let mut validation = Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_audience(&["brokle"]);
    let good = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_secret(JWT_SECRET.as_bytes()), &validation).unwrap();
    let sign = |claims: &Value| jsonwebtoken::encode(&good.header, claims, &EncodingKey::from_secret(JWT_SECRET.as_bytes())).unwrap();
    // A control: signed by this test and not expired it is good, so the expiry is all that is wrong below.
    must(app, Method::GET, "/api/v1/users/me", &sign(&good.claims), None).await;
    let mut claims = good.claims;
    claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 1);
    sign(&claims)
}

/// As the owner of another organisation.
async fn as_a_stranger(walk: &mut Walk<'_>, operations: &[Operation], ours: &Tenant, theirs: &Tenant) {
    let who = "another organisation's owner";
    for operation in operations.iter().filter(|operation| !takes_keys(operation)) {
        let call = operation.call(&theirs.ids);
        let expected: &[u16] = match operation.credential {
            Credential::Admin => &[403],
            // What is about the caller alone names nobody, and what names a session names one of the caller's.
            Credential::SignedIn if !operation.names_something() => continue,
            Credential::Public => continue,
            _ => &[404],
        };
        walk.refused(who, operation, &call, Some(&ours.owner.token), expected, &theirs.canary).await;
    }
    // Lists of one's own hold nothing of theirs.
    for operation in operations.iter().filter(|operation| operation.method == Method::GET && operation.credential == Credential::SignedIn) {
        let (status, text) = send(walk.app, &operation.call(&ours.ids), Some(&ours.owner.token)).await;
        walk.calls += 1;
        if status != 200 || text.contains(&theirs.canary) {
            walk.wrong.push(format!("{} by {who} for themselves: {status} {text}", operation.id));
        }
    }
}

/// With one's own things in the path and theirs in the body, one field at a time.
async fn with_foreign_ids_in_bodies(walk: &mut Walk<'_>, operations: &[Operation], ours: &Tenant, theirs: &Tenant) {
    for operation in operations.iter().filter(|operation| !takes_keys(operation) && operation.credential != Credential::Public) {
        for pointer in operation.body_ids() {
            let mut call = operation.call(&ours.ids);
            let name = pointer.rsplit('/').next().unwrap();
            let foreign = theirs.ids.get(name).unwrap_or_else(|| panic!("{}: the walk knows no {name}", operation.id));
            let body = call.body.as_mut().unwrap();
            // A token beside the id would be looked at first.
            if let Some(fields) = body.as_object_mut() {
                fields.remove("token");
            }
            *body.pointer_mut(&pointer).unwrap_or_else(|| panic!("{}: no {pointer} in the body", operation.id)) = json!(foreign);
            let expected: &[u16] = if operation.credential == Credential::Admin { &[403] } else { &[400, 403, 404, 409] };
            walk.refused("an owner with a foreign id in the body", operation, &call, Some(&ours.owner.token), expected, &theirs.canary)
                .await;
        }
    }
}

/// As members of the same organisation whose role does not include it.
async fn without_permission(walk: &mut Walk<'_>, operations: &[Operation], theirs: &Tenant) {
    for operation in operations {
        let call = operation.call(&theirs.ids);
        let (of_project, permission) = match operation.credential {
            Credential::Organization(permission) => (false, permission),
            Credential::Project(permission) => (true, permission),
            // Nobody but an owner restores, and to all others what was deleted is not there.
            Credential::DeletedOrganization(_) | Credential::DeletedProject(_) => {
                walk.refused("a viewer", operation, &call, Some(&theirs.viewer.token), &[403, 404], "no canary").await;
                continue;
            }
            Credential::Admin => {
                walk.refused("an owner", operation, &call, Some(&theirs.owner.token), &[403], "no canary").await;
                continue;
            }
            _ => continue,
        };
        let expected: &[u16] = if of_project { &[404] } else { &[403] };
        walk.refused("a member whose role is none", operation, &call, Some(&theirs.nobody.token), expected, "no canary").await;
        if !grants(&Role::Viewer, permission) {
            walk.refused("a viewer", operation, &call, Some(&theirs.viewer.token), &[403], "no canary").await;
        }
    }
}

/// With keys of other projects, and with keys that are good no more or for other things.
async fn with_wrong_keys(walk: &mut Walk<'_>, operations: &[Operation], ours: &Tenant, theirs: &Tenant) {
    let app = walk.app;
    let (token, project) = (theirs.owner.token.clone(), theirs.ids.get("project_id").unwrap());
    let make = |name: &'static str, scopes: Value| {
        let (token, path) = (token.clone(), format!("/api/v1/projects/{project}/api-keys"));
        async move { must(app, Method::POST, &path, &token, Some(json!({"name": name, "scopes": scopes}))).await }
    };
    let end = chrono::Utc::now() + chrono::TimeDelta::seconds(2);
    let body = json!({"name": "expired", "scopes": ["full"], "expires_at": end.to_rfc3339()});
    let expired = must(app, Method::POST, &format!("/api/v1/projects/{project}/api-keys"), &token, Some(body)).await;
    let revoked = make("revoked", json!(["full"])).await;
    let rotated = make("rotated", json!(["full"])).await;
    let path = |key: &Value, rest: &str| format!("/api/v1/projects/{project}/api-keys/{}{rest}", key["id"].as_str().unwrap());
    must(app, Method::DELETE, &path(&revoked, ""), &token, None).await;
    must(app, Method::POST, &path(&rotated, "/rotate"), &token, Some(json!({"overlap_hours": 0}))).await;
    let only_gateway = make("gateway", json!(["gateway"])).await;
    let text = |key: &Value| key["key"].as_str().unwrap().to_owned();
    tokio::time::sleep((end - chrono::Utc::now()).to_std().unwrap_or_default()).await;
    for operation in operations.iter().filter(|operation| takes_keys(operation)) {
        let call = operation.call(&theirs.ids);
        let bad = [("a revoked key", &revoked), ("a key that was rotated away", &rotated), ("a key that has expired", &expired)];
        for (who, key) in bad.map(|(who, key)| (who, text(key))) {
            walk.refused(who, operation, &call, Some(&key), &[401], &theirs.canary).await;
        }
        if let Credential::Key(scope) = operation.credential
            && scope != "gateway"
        {
            walk.refused("a key for the gateway only", operation, &call, Some(&text(&only_gateway)), &[403], &theirs.canary).await;
        }
        // A good key of another project reads and writes there and nowhere else.
        let (_, answer) = send(app, &call, Some(&ours.key)).await;
        walk.calls += 1;
        if answer.contains(&theirs.canary) {
            walk.wrong.push(format!("{} with a key of another project shows {answer}", operation.id));
        }
    }
}

/// As those who may: what was refused above was refused for the credentials, not for ids that do not exist.
async fn as_those_who_may(walk: &mut Walk<'_>, operations: &[Operation], ours: &Tenant) {
    let reads = operations.iter().filter(|operation| operation.method == Method::GET && !takes_keys(operation));
    for operation in reads {
        if !matches!(operation.credential, Credential::Organization(_) | Credential::Project(_) | Credential::Member) {
            continue;
        }
        let (status, text) = send(walk.app, &operation.call(&ours.ids), Some(&ours.owner.token)).await;
        walk.calls += 1;
        if status != 200 {
            walk.wrong.push(format!("{} by its owner: {status} {text}", operation.id));
        }
    }
}

on_both! {
    async fn every_operation_is_closed_to_those_who_may_not(app) {
        let ours = Tenant::make(app, "canary-a-51").await;
        let theirs = Tenant::make(app, "canary-b-73").await;
        world::wait_for_trace(app, &theirs).await;
        let operations = operations::all();
        let mut walk = Walk { app, database: Database::of(app).await, wrong: Vec::new(), calls: 0 };
        as_those_who_may(&mut walk, &operations, &theirs).await;
        without_credentials(&mut walk, &operations, &theirs).await;
        as_a_stranger(&mut walk, &operations, &ours, &theirs).await;
        with_foreign_ids_in_bodies(&mut walk, &operations, &ours, &theirs).await;
        without_permission(&mut walk, &operations, &theirs).await;
        with_wrong_keys(&mut walk, &operations, &ours, &theirs).await;
        assert!(walk.wrong.is_empty(), "{} of {} calls went wrong:\n{}", walk.wrong.len(), walk.calls, walk.wrong.join("\n"));
        assert!(walk.calls > 400, "only {} calls", walk.calls);
    }
}
