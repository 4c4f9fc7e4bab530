//! Rules of the code that no compiler checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Path from the root and text of every file below `dir` that ends in `extension`.
fn files(dir: &str, extension: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(dir)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == extension) {
            found.push((path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{dir} has no .{extension} files: did it move?");
    found.sort();
    found
}

/// All Rust code of the product.
fn sources() -> Vec<(String, String)> {
    ["src", "ee", "migrations"].into_iter().flat_map(|dir| files(dir, "rs")).collect()
}

/// A file that only tests compile.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || ["/tests.rs", "/testing.rs", "/arbitrary.rs", "/captured.rs", "/conventions.rs", "/tests/"]
            .iter()
            .any(|part| path.contains(part))
}

/// The text before the file's own `mod tests`, comments taken out.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Numbers of the lines that hold `needle`.
fn lines_with<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.lines().enumerate().filter(move |(_, line)| line.contains(needle)).map(|(number, _)| number + 1)
}

#[test]
fn editions_differ_in_at_most_three_places() {
    let mut places = Vec::new();
    let all = sources().into_iter().chain(files("tests", "rs")).chain(files("benches", "rs")).chain([read("build.rs")]);
    // Written so that this file does not count itself.
    let feature = ["feature", " = ", "\"enterprise\""].concat();
    let squeezed = feature.replace(' ', "");
    for (path, text) in all {
        // A condition may span lines; `feature = "enterprise"` stands in nothing else.
        for number in lines_with(&text, &feature).chain(lines_with(&text, &squeezed)) {
            places.push(format!("{path}:{number}"));
        }
    }
    assert!((1..=3).contains(&places.len()), "{places:?}");
}

fn read(path: &str) -> (String, String) {
    (path.to_owned(), std::fs::read_to_string(root().join(path)).unwrap())
}

#[test]
fn files_are_short_enough_to_read() {
    let mut long: Vec<String> = sources()
        .into_iter()
        .chain(files("tests", "rs"))
        .chain(files("scripts", "sh"))
        .chain([read("build.rs")])
        .filter(|(_, text)| text.lines().count() > 700)
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    if root().join("web/src").is_dir() {
        let web = files("web/src", "ts").into_iter().chain(files("web/src", "tsx")).filter(|(path, _)| !path.ends_with("schema.d.ts"));
        long.extend(web.filter(|(_, text)| text.lines().count() > 700).map(|(path, _)| path));
    }
    assert!(long.is_empty(), "{long:?}");
    assert!(read("src/main.rs").1.lines().count() <= 60, "main.rs only starts the program");
}

/// Who may use whom: each layer only what stands before it.
const LAYERS: &[&[&str]] = &[
    &["error", "common"],
    &["config"],
    &["infra"],
    &["audit"],
    &["user", "organization"],
    &["settings"],
    &["auth"],
    &["enterprise"],
    &["administration"],
    &["notification"],
    &["observability", "routing"],
    &["gateway"],
    &["billing"],
    &["app"],
    &["cli"],
];

/// The vocabulary of HTTP: what every slice's handlers are written in.
const HTTP: &str = "http";

/// Uses against the order, each with its reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // What a dependency is asked is a trait of `/health/ready`; the thing that is asked knows how.
    ("src/infra/redis.rs", "http", "implements the seam that /health/ready asks"),
];

#[test]
fn slices_use_only_what_stands_before_them() {
    let layer = |name: &str| LAYERS.iter().position(|names| names.contains(&name));
    let mut wrong = Vec::new();
    let mut excused = BTreeSet::new();
    for (path, text) in files("src", "rs") {
        if is_test(&path) {
            continue;
        }
        let mut parts = path.strip_prefix("src/").unwrap().split('/');
        let own = parts.next().unwrap().trim_end_matches(".rs");
        // Handlers live at the edge of their slice: `slice/http/…` and `slice/…/http.rs`.
        let handlers = path.contains("/http/") || path.ends_with("/http.rs");
        for (number, line) in code(&text).lines().enumerate() {
            for used in line.match_indices("crate::").map(|(at, _)| &line[at + "crate::".len()..]) {
                let used = used.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next().unwrap();
                let fine = match (own, used) {
                    ("main" | "lib", _) => true,
                    _ if own == used => true,
                    (HTTP, _) => layer(used).is_none_or(|used| used <= layer("auth").unwrap()),
                    (_, HTTP) => handlers || layer(own) > layer("infra"),
                    _ => match (layer(own), layer(used)) {
                        (Some(own), Some(used)) => used < own || (used == own && LAYERS[own].len() > 1),
                        // Macros and re-exports of the crate's root.
                        (Some(_), None) => used.is_empty() || used == "lib",
                        (None, _) => false,
                    },
                };
                if fine {
                    continue;
                }
                if let Some(exception) = EXCEPTIONS.iter().find(|(file, name, _)| *file == path && *name == used) {
                    excused.insert(exception.0);
                } else {
                    wrong.push(format!("{path}: line {} of its code uses {used}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "against the order of the slices:\n{}", wrong.join("\n"));
    assert_eq!(excused.len(), EXCEPTIONS.len(), "an exception that nobody needs any more: {EXCEPTIONS:?}, used: {excused:?}");
}

#[test]
fn only_stores_look_for_rows() {
    let allowed = |path: &str| {
        path.ends_with("/store.rs")
            || path.contains("/store/")
            || path.starts_with("src/infra/db/")
            || path.starts_with("migrations/")
            || is_test(path)
    };
    for (path, text) in sources() {
        let code = code(&text);
        for needle in ["Entity::find", "Entity::insert", "Entity::update", "Entity::delete"] {
            assert!(allowed(&path) || !code.contains(needle), "{path} uses {needle}: that belongs into a store");
        }
    }
}

/// Handlers that anybody may call: the route, and why.
const PUBLIC: &[(&str, &str)] = &[
    ("/api/v1/auth/login", "this is how one signs in"),
    ("/api/v1/auth/options", "the pages of signing in ask before anybody is signed in; it tells of no account"),
    ("/api/v1/auth/second-factor", "the second step of signing in; its challenge is the credential"),
    ("/api/v1/auth/signup", "this is how one gets an account"),
    ("/api/v1/auth/verify-email", "its token, from a mail, is the credential"),
    ("/api/v1/auth/resend-verification", "who has no proven address cannot sign in; says nothing, writes to the address alone"),
    ("/api/v1/auth/forgot-password", "who forgot the password cannot sign in; says nothing, writes to the address alone"),
    ("/api/v1/auth/reset-password", "its token, from a mail, is the credential"),
    ("/api/v1/auth/refresh", "its cookie or token is the credential"),
    ("/api/v1/invitations/validate", "the token of the invitation is the credential"),
    ("/api/v1/invitations/decline", "the token of the invitation is the credential"),
    ("/v1/auth/validate-key", "answers 400 where the key is missing, so it reads the key itself"),
];

#[test]
fn what_anybody_may_call_counts_against_the_address() {
    // Also with a token: nothing looks at it there, so it must not spare anybody the limit.
    for (route, _) in PUBLIC.iter().filter(|(route, _)| route.starts_with("/api/")) {
        let limited = brokle::http::limit::by_address(&actix_web::http::Method::GET, route, true);
        assert!(limited.is_some(), "{route} can be called by anybody, as often as they like: see OPEN in src/http/limit/mod.rs");
    }
}

const CREDENTIALS: &[&str] = &[
    "ApiKeyAuth<",
    "SignedIn",
    "PlatformAdmin",
    // Also `Deleted…Access<`.
    "ProjectAccess<",
    "OrganizationAccess<",
    "OrganizationMember",
    "OrganizationFounder",
];

#[test]
fn every_handler_says_who_may_call_it() {
    let mut open = BTreeSet::new();
    let mut handlers = 0;
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        let code = code(&text);
        for method in ["get", "post", "put", "patch", "delete", "head", "route"] {
            for (at, attribute) in code.match_indices(&format!("#[{method}(\"")) {
                let rest = &code[at + attribute.len()..];
                let route = &rest[..rest.find('"').unwrap()];
                let signature = &rest[rest.find("fn ").unwrap()..];
                let signature = &signature[..signature.find('{').unwrap()];
                handlers += 1;
                if !CREDENTIALS.iter().any(|credential| signature.contains(credential)) {
                    assert!(
                        PUBLIC.iter().any(|(public, _)| *public == route),
                        "{path}: {route} can be called by anybody; its signature needs one of {CREDENTIALS:?}"
                    );
                    open.insert(route.to_owned());
                }
            }
        }
    }
    assert!(handlers >= 15, "only {handlers} handlers found: are routes declared in another way now?");
    let listed: BTreeSet<String> = PUBLIC.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!(open, listed, "the list of public routes is not up to date");
}

#[test]
fn routes_without_attributes_are_the_known_ones() {
    // `web::resource` and `web::get()` would pass the test above by.
    let found: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(path, text)| {
            !is_test(path)
                && ["web::resource(", "web::scope(", "web::get()", "web::post()"].iter().any(|needle| code(text).contains(needle))
        })
        .map(|(path, _)| path)
        .collect();
    // Health and the API's own description: for everybody, and about no tenant.
    assert_eq!(found, BTreeSet::from(["src/http/health.rs".to_owned(), "src/http/openapi.rs".to_owned()]));
}

#[test]
fn nothing_panics_on_purpose() {
    for (path, text) in sources() {
        if is_test(&path) {
            continue;
        }
        let code = code(&text);
        for needle in [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!(", "#[allow("] {
            let lines: Vec<usize> = lines_with(&code, needle).collect();
            assert!(lines.is_empty(), "{path} has {needle} in lines {lines:?} of its code");
        }
    }
}

#[test]
fn every_migration_is_applied() {
    let listed = read("src/infra/clickhouse/migrate.rs").1;
    for (path, _) in files("migrations/clickhouse", "sql") {
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap();
        assert!(listed.contains(name), "{path} is in no list: it is never applied");
    }
    let listed = read("migrations/relational/mod.rs").1;
    for (path, _) in files("migrations/relational", "rs") {
        let name = PathBuf::from(&path).file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "mod" && name.starts_with('m') && name[1..].starts_with(|character: char| character.is_ascii_digit()) {
            assert!(listed.contains(&format!("mod {name};")), "{path} is not compiled");
            assert!(listed.matches(&name).count() >= 2, "{path} is compiled, but never applied");
        }
    }
}

#[test]
fn every_statement_on_telemetry_names_its_project() {
    let mut statements = 0;
    for (path, text) in files("src/observability/store", "rs") {
        let code = code(&text);
        // Whole string literals: a statement may span lines.
        for literal in literals(&code) {
            let statement = ["SELECT ", "INSERT ", "ALTER ", "DELETE "].iter().any(|verb| literal.trim_start().starts_with(verb));
            let table =
                ["FROM observations", "FROM traces", "INTO traces", "INTO observations", "JOIN "].iter().any(|part| literal.contains(part));
            if statement && table {
                statements += 1;
                // A list of conditions that begins with the project is put in by name.
                let by_name = literal.contains("WHERE {conditions}")
                    && literals(&code).iter().any(|text| text.starts_with("project_id = {project:String} AND"));
                assert!(literal.contains("project_id") || by_name, "{path}: a statement without project_id: {literal}");
            }
        }
    }
    assert!(statements >= 4, "only {statements} statements found: are they written in another way now?");
}

/// The string literals of Rust code, escapes left as they are.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match (character, &mut current) {
            ('"', Some(_)) => found.extend(current.take()),
            ('"', None) => current = Some(String::new()),
            ('\\', Some(text)) => {
                text.push(character);
                text.extend(characters.next());
            }
            ('\'', None) => {
                // A character literal may hold a quote.
                let rest = characters.as_str();
                if rest.starts_with("\"'") {
                    characters.next();
                }
            }
            (other, Some(text)) => text.push(other),
            _ => {}
        }
    }
    found
}

#[test]
fn the_committed_openapi_document_is_what_the_code_gives() {
    // This test runs in both editions, so it also proves that their documents are equal.
    let generated = serde_json::to_string_pretty(&brokle::app::openapi().unwrap()).unwrap();
    let committed = std::fs::read_to_string(root().join("docs/generated/openapi.json")).unwrap_or_default();
    assert!(
        committed.trim_end() == generated.trim_end(),
        "docs/generated/openapi.json is not what the code gives: run `make regen` and commit the result"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = serde_json::to_value(brokle::app::openapi().unwrap()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let mut names = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            assert!(names.insert(name.to_owned()), "two operations are called {name}");
        }
    }
    for (route, _) in PUBLIC {
        assert!(document["paths"].get(route).is_some(), "{route} is not documented");
    }
}

#[test]
fn every_setting_is_documented() {
    let committed = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap_or_default();
    assert!(
        committed.trim_end() == brokle::config::markdown().trim_end(),
        "docs/configuration.md is not what config/default.toml and the code give: run `make regen` and commit the result"
    );
    for (variable, key, _) in brokle::config::VARIABLES {
        assert!(committed.contains(&format!("`{variable}`")), "{variable} is not documented");
        assert!(committed.contains(&format!("`{key}`")), "{key} is not documented");
    }
}

/// 13 s beside SHUTDOWN_TIMEOUT_SECONDS: the database 2, the engine 6, the exporter of traces 3, the runtime 2.
#[test]
fn containers_wait_longer_than_a_stop_may_take() {
    let config = brokle::config::Config::load(&brokle::config::Environment::default()).unwrap();
    for file in ["deploy/compose.standalone.yml", "deploy/compose.full.yml"] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let grace = text.lines().find_map(|line| line.trim().strip_prefix("stop_grace_period: ")?.strip_suffix('s')).unwrap();
        assert!(grace.parse::<u64>().unwrap() > config.server.shutdown_timeout_seconds + 13, "{file}: {grace}");
    }
}
