//! The OpenAPI document, made from the code.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::envelope::ErrorEnvelope;

/// The document's head; the router adds the paths.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Brokle API",
        description = "Traces, costs and scores of LLM applications. `/v1` takes an API key, `/api/v1` an access token. Every JSON answer stands in the envelope `{success, data, error?, meta}`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ErrorEnvelope)),
    modifiers(&Security)
)]
pub struct Document;

/// Serves the written document to everybody at `/openapi.json`: it says what routes there are and nothing of any tenant.
pub fn serve_document(config: &mut web::ServiceConfig, document: web::Bytes) {
    let answer = move || {
        let document = document.clone();
        async move { HttpResponse::Ok().content_type("application/json").body(document) }
    };
    config.route("/openapi.json", web::get().to(answer));
}

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
        components.add_security_scheme(
            "access_token",
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
        );
    }
}

/// Finishes a document whose paths are complete: in what the server sends, a property that may be null is always there.
/// What an answer may leave out altogether says so by `#[schema(nullable = false)]`.
///
/// # Errors
/// When the document cannot be read back, which is a mistake in this program.
pub fn complete(document: &utoipa::openapi::OpenApi) -> Result<utoipa::openapi::OpenApi, serde_json::Error> {
    let mut document = serde_json::to_value(document)?;
    let mut received = BTreeSet::new();
    if let Some(paths) = document.get("paths").and_then(Value::as_object) {
        let bodies = paths.values().filter_map(Value::as_object).flat_map(|path| path.values()).filter_map(|at| at.get("requestBody"));
        bodies.for_each(|body| references(body, &document, &mut received));
    }
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.iter_mut().filter(|(name, _)| !received.contains(*name)).for_each(|(_, schema)| require_nullable(schema));
    }
    serde_json::from_value(document)
}

/// Names of the schemas that `value` refers to, and of those that they refer to.
fn references(value: &Value, document: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/components/schemas/"))
                && names.insert(name.to_owned())
                && let Some(schema) = document.pointer("/components/schemas").and_then(|schemas| schemas.get(name))
            {
                references(schema, document, names);
            }
            fields.values().for_each(|field| references(field, document, names));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, document, names)),
        _ => {}
    }
}

fn require_nullable(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                let nullable: Vec<Value> =
                    properties.iter().filter(|(_, property)| is_nullable(property)).map(|(name, _)| name.clone().into()).collect();
                let required = fields.entry("required").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(required) = required {
                    for name in nullable {
                        if !required.contains(&name) {
                            required.push(name);
                        }
                    }
                }
            }
            fields.values_mut().for_each(require_nullable);
        }
        Value::Array(items) => items.iter_mut().for_each(require_nullable),
        _ => {}
    }
}

/// A property that may be null, in the spelling of OpenAPI 3.1.
fn is_nullable(property: &Value) -> bool {
    let null = |value: &Value| value.as_str() == Some("null");
    let types = property.get("type").and_then(Value::as_array).is_some_and(|types| types.iter().any(null));
    let variants = property.get("oneOf").and_then(Value::as_array);
    types || variants.is_some_and(|variants| variants.iter().any(|variant| variant.get("type").is_some_and(null)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_is_always_there_and_what_is_received_may_be_left_out() {
        let nullable = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "note": {"type": ["string", "null"]},
            "kind": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Kind"}]},
            "page": {"type": "integer"},
        }});
        let document = serde_json::from_value(json!({
            "openapi": "3.1.0",
            "info": {"title": "t", "version": "1"},
            "paths": {"/things": {"post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wrapped"}}}},
                "responses": {},
            }}},
            "components": {"schemas": {
                "Sent": nullable,
                "Received": nullable,
                "Wrapped": {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Received"}}},
                "Kind": {"type": "string"},
            }},
        }))
        .unwrap();
        let completed = serde_json::to_value(complete(&document).unwrap()).unwrap();
        let required = |name: &str| {
            let list = completed.pointer(&format!("/components/schemas/{name}/required")).unwrap().as_array().unwrap();
            list.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(required("Sent"), BTreeSet::from(["kind".to_owned(), "name".to_owned(), "note".to_owned()]));
        assert_eq!(required("Received"), BTreeSet::from(["name".to_owned()]));
    }
}
