//! The operations of the API: from the OpenAPI document how each is called, from the source who may call it.

use std::collections::BTreeMap;
use std::path::Path;

use brokle::auth::Permission;
use serde_json::{Map, Value, json};

use super::world::Ids;

/// What a handler's signature asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    Public,
    SignedIn,
    Admin,
    /// Any member of the organisation.
    Member,
    Organization(Permission),
    Project(Permission),
    /// The same for what was deleted.
    DeletedOrganization(Permission),
    DeletedProject(Permission),
    /// An API key with this scope.
    Key(&'static str),
}

/// An operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: reqwest::Method,
    pub path: String,
    pub credential: Credential,
    /// Names of what stands in the path and in the query.
    path_parameters: Vec<String>,
    query_parameters: Vec<(String, bool)>,
    body: Option<Value>,
}

/// A call that is ready to be made.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: reqwest::Method,
    pub path: String,
    pub body: Option<Value>,
}

/// Every operation of the document that this program serves.
pub fn all() -> Vec<Operation> {
    let document = serde_json::to_value(brokle::app::openapi().unwrap()).unwrap();
    let credentials = credentials();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let parameters: Vec<&Value> = operation["parameters"].as_array().into_iter().flatten().collect();
            let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
            let query_parameters = in_query
                .map(|parameter| (parameter["name"].as_str().unwrap().to_owned(), parameter["required"].as_bool().unwrap_or_default()))
                .collect();
            let path_parameters = path.split('{').skip(1).map(|part| part.split('}').next().unwrap().to_owned()).collect();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!schema.is_null()).then(|| resolve(schema, &document, 0));
            let credential =
                *credentials.get(&id).unwrap_or_else(|| panic!("no handler was found for {id}: is its operation_id written otherwise?"));
            operations.push(Operation {
                id,
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                credential,
                path_parameters,
                query_parameters,
                body,
            });
        }
    }
    assert!(operations.len() > 60, "only {} operations", operations.len());
    operations
}

/// A schema with everything it refers to put in its place.
fn resolve(schema: &Value, document: &Value, depth: usize) -> Value {
    assert!(depth < 20, "a schema that refers to itself");
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = name.trim_start_matches('#');
                return resolve(document.pointer(pointer).unwrap_or_else(|| panic!("{name} is not there")), document, depth + 1);
            }
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), resolve(value, document, depth))).collect())
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, document, depth)).collect(),
        other => other.clone(),
    }
}

impl Operation {
    /// Whether it names anything that belongs to somebody.
    pub fn names_something(&self) -> bool {
        !self.path_parameters.is_empty()
            || self.query_parameters.iter().any(|(name, _)| matches!(name.as_str(), "organization_id" | "project_id"))
    }

    /// Fields of the body that name something, as pointers.
    pub fn body_ids(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(schema) = &self.body {
            id_fields(schema, "", &mut found);
        }
        found
    }

    /// The call about the things of `ids`. Fails for a parameter that the walk does not know: teach it.
    pub fn call(&self, ids: &Ids) -> Call {
        let mut path = self.path.clone();
        for name in &self.path_parameters {
            path = path.replace(&format!("{{{name}}}"), &ids.get(name).unwrap_or_else(|| panic!("{}: the walk knows no {name}", self.id)));
        }
        let mut query = Vec::new();
        for (name, required) in &self.query_parameters {
            // Optional ones are left out but for those that name a tenant: a filter that matches nothing proves nothing.
            if *required || matches!(name.as_str(), "organization_id" | "project_id") {
                let value = ids.get(name).or_else(|| plain_query(name)).unwrap_or_else(|| panic!("{}: the walk knows no {name}", self.id));
                query.push(format!("{name}={value}"));
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        Call { method: self.method.clone(), path, body: self.body.as_ref().map(|schema| example(schema, "", ids)) }
    }
}

fn plain_query(name: &str) -> Option<String> {
    match name {
        "format" => Some("json".to_owned()),
        "limit" => Some("10".to_owned()),
        _ => None,
    }
}

fn id_fields(schema: &Value, pointer: &str, found: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            let here = format!("{pointer}/{name}");
            if name.ends_with("_id") {
                found.push(here.clone());
            }
            id_fields(property, &here, found);
        }
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        schema[key].as_array().into_iter().flatten().for_each(|variant| id_fields(variant, pointer, found));
    }
    if schema["items"].is_object() {
        id_fields(&schema["items"], &format!("{pointer}/0"), found);
    }
}

/// A body that the schema allows and that is about the things of `ids`.
fn example(schema: &Value, name: &str, ids: &Ids) -> Value {
    if let Some(known) = by_name(name, ids) {
        return known;
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(variants) = schema[key].as_array() {
            return variants.iter().find(|variant| variant["type"] != "null").map_or(Value::Null, |variant| example(variant, name, ids));
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(fields) = example(part, name, ids) {
                whole.extend(fields);
            }
        }
        return Value::Object(whole);
    }
    if let Some(first) = schema["enum"].as_array().and_then(|choices| choices.first()) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").cloned().unwrap_or_default(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            properties.iter().map(|(name, property)| (name.clone(), example(property, name, ids))).collect::<Map<_, _>>().into()
        }
        Some("array") => json!([example(&schema["items"], name, ids)]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        _ => json!("walk"),
    }
}

fn by_name(name: &str, ids: &Ids) -> Option<Value> {
    Some(match name {
        "email" => json!(format!("walk-{}@example.com", brokle::common::id::fresh().to_string().to_lowercase())),
        "password" | "new_password" => json!("a quite new walking stick"),
        "role" => json!("viewer"),
        "status" => json!("active"),
        "token" | "challenge" | "refresh_token" | "invitation_token" => json!("0123456789012345678901234567890123456789012"),
        "code" => json!("123456"),
        "expires_at" => Value::Null,
        "expiry_option" => json!("30days"),
        "version" => Value::Null,
        "value" => json!(1000),
        _ => json!(ids.get(name)?),
    })
}

/// Who may call what, by operation: read from the handlers' signatures, where the program itself states it.
fn credentials() -> BTreeMap<String, Credential> {
    let mut found = BTreeMap::new();
    for dir in ["src", "ee"] {
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for (at, marker) in text.match_indices("operation_id = \"") {
                    let rest = &text[at + marker.len()..];
                    let id = &rest[..rest.find('"').unwrap()];
                    let signature = &rest[rest.find("fn ").unwrap()..];
                    let signature = &signature[..signature.find('{').unwrap()];
                    found.insert(id.to_owned(), credential(id, signature));
                }
            }
        }
    }
    found
}

fn credential(id: &str, signature: &str) -> Credential {
    let parameter = |name: &str| {
        let rest = &signature[signature.find(&format!("{name}<"))? + name.len() + 1..];
        // Of `EvenArchived<X>` and of a path, the last counts.
        Some(rest[..rest.find('>').unwrap()].rsplit(['<', ':']).next().unwrap().to_owned())
    };
    let permission = |name: &str| {
        parameter(name).map(|wanted| {
            let same = |permission: &&Permission| format!("{permission:?}") == wanted;
            *Permission::ALL.iter().find(same).unwrap_or_else(|| panic!("{id}: no permission is called {wanted}"))
        })
    };
    if let Some(permission) = permission("DeletedOrganizationAccess") {
        Credential::DeletedOrganization(permission)
    } else if let Some(permission) = permission("DeletedProjectAccess") {
        Credential::DeletedProject(permission)
    } else if let Some(permission) = permission("OrganizationAccess") {
        Credential::Organization(permission)
    } else if let Some(permission) = permission("ProjectAccess") {
        Credential::Project(permission)
    } else if let Some(scope) = parameter("ApiKeyAuth") {
        Credential::Key(match scope.as_str() {
            "Ingest" => "ingest",
            "Read" => "read",
            "Gateway" => "gateway",
            other => panic!("{id}: the walk knows no scope {other}"),
        })
    } else if signature.contains("OrganizationMember") {
        Credential::Member
    } else if signature.contains("PlatformAdmin") {
        Credential::Admin
    } else if signature.contains("SignedIn") || signature.contains("OrganizationFounder") {
        Credential::SignedIn
    } else {
        Credential::Public
    }
}
