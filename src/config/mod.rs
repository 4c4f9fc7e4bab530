//! Process configuration: `config/default.toml` ← file (`BROKLE_CONFIG`) ← environment, checked whole before anything starts.

mod docs;
mod env;
mod role;
mod sections;

use std::collections::BTreeSet;

use ::config::{Config as Layers, File, FileFormat};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub use docs::{markdown, redacted};
pub use env::{Environment, Unknown, VARIABLES};
pub use role::{Role, UnknownRole};
pub use sections::{
    Auth, Clickhouse, Data, Database, Engine, Enterprise, Ingest, Init, Jobs, Log, Mail, Otel, Queue, RateLimit, Redis, Secret, Secrets,
    Server,
};
use serde::Deserialize;

/// The defaults with their explanations, as shipped.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The whole configuration of a process.
#[derive(Debug, Clone)]
pub struct Config {
    pub role: Role,
    pub server: Server,
    pub log: Log,
    pub data: Data,
    pub database: Database,
    pub clickhouse: Clickhouse,
    pub engine: Engine,
    pub redis: Redis,
    pub auth: Auth,
    pub rate_limit: RateLimit,
    pub secrets: Secrets,
    pub ingest: Ingest,
    pub queue: Queue,
    pub jobs: Jobs,
    pub mail: Mail,
    pub otel: Otel,
    pub init: Init,
    pub enterprise: Enterprise,
    /// Things to say at start that stop nothing.
    pub warnings: Vec<String>,
}

/// Everything that is wrong, at once.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} problem(s):\n{}", .0.len(), .0.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<String>);

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// All problems together, each naming its key or variable and what would be right.
    pub fn load(environment: &Environment) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let layers = layers(environment, &mut problems)?;
        let role = environment.get("APP_MODE").map_or(Ok(Role::Standalone), str::parse).unwrap_or_else(|wrong: UnknownRole| {
            problems.push(wrong.to_string());
            Role::Standalone
        });
        let loaded = Self::sections(role, &layers, environment, &mut problems);
        match loaded {
            Some(config) => {
                config.check(&mut problems);
                if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
            }
            None => Err(Problems(problems)),
        }
    }

    fn sections(role: Role, layers: &Layers, environment: &Environment, problems: &mut Vec<String>) -> Option<Self> {
        // Each section is read before any is given up, so that all wrong ones are named.
        let server = section(layers, "server", problems);
        let log = section(layers, "log", problems);
        let data = section(layers, "data", problems);
        let database = section(layers, "database", problems);
        let clickhouse = section(layers, "clickhouse", problems);
        let engine = section(layers, "engine", problems);
        let redis = section(layers, "redis", problems);
        let auth = section(layers, "auth", problems);
        let rate_limit = section(layers, "rate_limit", problems);
        let secrets = section(layers, "secrets", problems);
        let ingest = section(layers, "ingest", problems);
        let queue = section(layers, "queue", problems);
        let jobs = section(layers, "jobs", problems);
        let mail = section(layers, "mail", problems);
        let otel = section(layers, "otel", problems);
        let init = section(layers, "init", problems);
        let enterprise = section(layers, "enterprise", problems);
        let mut warnings = Vec::new();
        for Unknown { name, meant } in environment.unknown() {
            match meant {
                Some(meant) => problems.push(format!("{name} is no setting: {meant} is meant, most likely; correct or unset it")),
                None => warnings.push(format!("{name} is set, but nothing reads it; `brokle config docs` lists every variable")),
            }
        }
        Some(Self {
            role,
            server: server?,
            log: log?,
            data: data?,
            database: database?,
            clickhouse: clickhouse?,
            engine: Engine { cache_home: environment.get("XDG_CACHE_HOME").map(Into::into), ..engine? },
            redis: redis?,
            auth: auth?,
            rate_limit: rate_limit?,
            secrets: secrets?,
            ingest: ingest?,
            queue: queue?,
            jobs: jobs?,
            mail: mail?,
            otel: otel?,
            init: init?,
            enterprise: enterprise?,
            warnings,
        })
    }

    fn check(&self, problems: &mut Vec<String>) {
        let mut require = |ok: bool, problem: &str| {
            if !ok {
                problems.push(problem.to_owned());
            }
        };
        let split = self.role != Role::Standalone;
        if self.role == Role::Server {
            require(
                !self.auth.jwt_secret.is_empty(),
                "JWT_SECRET is not set: a server signs access tokens with it; use 32 random bytes or more, the same on every server (openssl rand -base64 48)",
            );
        }
        require(
            self.auth.jwt_secret.is_empty() || self.auth.jwt_secret.expose().len() >= 32,
            "JWT_SECRET is shorter than 32 bytes; make one with: openssl rand -base64 48",
        );
        let auth = &self.auth;
        let named = |path: &str, text: &str| !path.is_empty() || !text.is_empty();
        match auth.jwt_signing_method.as_str() {
            "HS256" => {}
            "RS256" | "EdDSA" => {
                require(
                    self.role == Role::Worker || named(&auth.jwt_private_key_path, auth.jwt_private_key_base64.expose()),
                    "JWT_SIGNING_METHOD needs a private key: set JWT_PRIVATE_KEY_PATH or JWT_PRIVATE_KEY_BASE64",
                );
                require(
                    self.role == Role::Worker || named(&auth.jwt_public_key_path, &auth.jwt_public_key_base64),
                    "JWT_SIGNING_METHOD needs the public key, too: set JWT_PUBLIC_KEY_PATH or JWT_PUBLIC_KEY_BASE64",
                );
            }
            _ => require(false, "JWT_SIGNING_METHOD must be HS256, RS256 or EdDSA"),
        }
        require(
            (1..=auth.login_lock_failures).contains(&auth.login_free_failures),
            "LOGIN_FREE_FAILURES must be 1 or more, and LOGIN_LOCK_FAILURES not less",
        );
        require(
            (1..=auth.login_ip_lock_failures).contains(&auth.login_ip_free_failures),
            "LOGIN_IP_FREE_FAILURES must be 1 or more, and LOGIN_IP_LOCK_FAILURES not less",
        );
        require(
            is_encryption_key(&self.secrets.ai_key_encryption_key),
            "AI_KEY_ENCRYPTION_KEY must be base64 of exactly 32 bytes; make one with: openssl rand -base64 32",
        );
        if split {
            let role = self.role.name();
            require(
                !self.database.url.is_empty(),
                &format!("DATABASE_URL is not set: a {role} needs Postgres (postgres://user:password@host/name)"),
            );
            require(!self.clickhouse.url.is_empty(), &format!("CLICKHOUSE_URL is not set: a {role} needs ClickHouse (http://host:8123)"));
            require(!self.redis.url.is_empty(), &format!("REDIS_URL is not set: a {role} needs Redis (redis://host:6379)"));
        }
        let starts = |text: &str, schemes: &[&str]| text.is_empty() || schemes.iter().any(|scheme| text.starts_with(scheme));
        require(starts(self.database.url.expose(), &["postgres://", "postgresql://"]), "DATABASE_URL must start with postgres://");
        require(starts(&self.clickhouse.url, &["http://", "https://"]), "CLICKHOUSE_URL must be the HTTP address, http://host:8123");
        require(starts(self.redis.url.expose(), &["redis://", "rediss://"]), "REDIS_URL must start with redis:// or rediss://");
        require(starts(&self.otel.endpoint, &["http://", "https://"]), "OTEL_EXPORTER_OTLP_ENDPOINT must start with http:// or https://");
        require(
            !self.clickhouse.database.is_empty()
                && self.clickhouse.database.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "CLICKHOUSE_DATABASE may hold letters, digits and _ only",
        );
        require(self.server.host.parse::<std::net::IpAddr>().is_ok(), "HOST must be an IP address, such as 127.0.0.1 or 0.0.0.0");
        require(matches!(self.log.format.as_str(), "json" | "human" | "auto"), "LOG_FORMAT must be json, human or auto");
        require(
            self.log.level.parse::<tracing_subscriber::EnvFilter>().is_ok(),
            "LOG_LEVEL must be error, warn, info, debug or trace, or a list like info,brokle=debug",
        );
        require(matches!(self.engine.fsync.as_str(), "on" | "off"), "BROKLE_FSYNC must be on or off");
        require(matches!(self.redis.durability_check.as_str(), "strict" | "warn"), "REDIS_DURABILITY_CHECK must be strict or warn");
        require(matches!(self.server.cookie_secure.as_str(), "auto" | "true" | "false"), "COOKIE_SECURE must be auto, true or false");
        require(
            !self.server.cors_allowed_origins.iter().any(|origin| origin == "*"),
            "CORS_ALLOWED_ORIGINS must name origins: * would let any page use a signed-in browser",
        );
        for origin in &self.server.cors_allowed_origins {
            require(
                starts(origin, &["http://", "https://"]) && !origin.ends_with('/'),
                &format!("CORS_ALLOWED_ORIGINS: `{origin}` is not an origin (https://host[:port], no slash at the end)"),
            );
        }
        for proxy in &self.server.trusted_proxies {
            require(
                proxy.parse::<crate::common::net::Network>().is_ok(),
                &format!("TRUSTED_PROXIES: `{proxy}` is neither an address (10.1.2.3) nor a network (10.0.0.0/8)"),
            );
        }
        require((1..=3_600).contains(&self.rate_limit.window_seconds), "RATE_LIMIT_WINDOW_SECONDS must be 1 to 3600");
        require(
            matches!(self.rate_limit.on_redis_failure.as_str(), "open" | "closed"),
            "RATE_LIMIT_ON_REDIS_FAILURE must be open or closed",
        );
        require((1..=10_950).contains(&self.ingest.retention_days), "RETENTION_DAYS must be 1 to 10950");
        require((1..=60).contains(&self.auth.api_key_cache_seconds), "API_KEY_CACHE_SECONDS must be 1 to 60");
        require((60..=86_400).contains(&self.auth.access_token_ttl_seconds), "ACCESS_TOKEN_TTL_SECONDS must be 60 to 86400");
        require(
            self.auth.refresh_token_ttl_seconds > self.auth.access_token_ttl_seconds,
            "REFRESH_TOKEN_TTL_SECONDS must be more than ACCESS_TOKEN_TTL_SECONDS",
        );
        require((1..=1024).contains(&self.queue.shards), "QUEUE_SHARDS must be 1 to 1024");
        require((1..=64).contains(&self.jobs.concurrency), "JOBS_CONCURRENCY must be 1 to 64");
        require((1..=300).contains(&self.jobs.lease_seconds), "JOBS_LEASE_SECONDS must be 1 to 300");
        self.mail.check(&mut require);
        require(self.queue.claim_idle_ms >= 1_000, "QUEUE_CLAIM_IDLE_MS must be 1000 or more");
        require((1..=100_000).contains(&self.ingest.gather_rows), "INGEST_GATHER_ROWS must be 1 to 100000");
        require((1..=10_000).contains(&self.ingest.gather_ms), "INGEST_GATHER_MS must be 1 to 10000");
        require((1..=16).contains(&self.ingest.writers), "INGEST_WRITERS must be 1 to 16");
        require(
            self.ingest.max_body_bytes >= 1024
                && self.ingest.max_decoded_bytes >= self.ingest.max_body_bytes
                && self.ingest.memory_budget_bytes >= self.ingest.max_decoded_bytes,
            "INGEST_MAX_BODY_BYTES (1024 or more) <= INGEST_MAX_DECODED_BYTES <= INGEST_MEMORY_BUDGET_BYTES must hold",
        );
        require(
            self.init.user_password.is_empty() || self.init.user_password.expose().chars().count() >= 8,
            "BROKLE_INIT_USER_PASSWORD must have 8 characters or more",
        );
        require(
            self.init.api_key.is_empty() || is_api_key(self.init.api_key.expose()),
            "BROKLE_INIT_API_KEY must be bk_ followed by 40 letters or digits",
        );
        require(self.init.user_email.is_empty() || self.init.user_email.contains('@'), "BROKLE_INIT_USER_EMAIL is not an e-mail address");
        require(
            self.init.user_email.is_empty() || split || !self.init.user_password.is_empty() || self.role == Role::Standalone,
            "BROKLE_INIT_USER_PASSWORD is needed with BROKLE_INIT_USER_EMAIL",
        );
    }

    /// Where people reach the web app, without a slash at the end.
    #[must_use]
    pub fn app_url(&self) -> String {
        if self.server.app_url.is_empty() {
            let host = match self.server.host.as_str() {
                "0.0.0.0" | "::" | "127.0.0.1" | "::1" => "localhost",
                other => other,
            };
            format!("http://{host}:{}", self.server.port)
        } else {
            self.server.app_url.trim_end_matches('/').to_owned()
        }
    }

    /// Whether cookies may only travel over https.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        match self.server.cookie_secure.as_str() {
            "true" => true,
            "false" => false,
            _ => self.server.app_url.starts_with("https://"),
        }
    }
}

/// Whether `text` has the form of an API key: `bk_` and 40 letters or digits.
#[must_use]
pub fn is_api_key(text: &str) -> bool {
    text.strip_prefix("bk_").is_some_and(|secret| secret.len() == 40 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether `key` is base64 of 32 bytes, or not set.
fn is_encryption_key(key: &Secret) -> bool {
    key.is_empty() || STANDARD.decode(key.expose().trim()).is_ok_and(|bytes| bytes.len() == 32)
}

fn layers(environment: &Environment, problems: &mut Vec<String>) -> Result<Layers, Problems> {
    let fatal = |error: ::config::ConfigError| Problems(vec![format!("cannot read the configuration: {error}")]);
    let defaults = Layers::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build().map_err(fatal)?;
    let mut builder = Layers::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = environment.get("BROKLE_CONFIG") {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                match Layers::builder().add_source(File::from_str(&text, FileFormat::Toml)).build() {
                    Ok(file) => problems
                        .extend(unknown_sections(&file, &defaults).into_iter().map(|name| format!("{path}: unknown section [{name}]"))),
                    Err(error) => problems.push(format!("{path}: {error}")),
                }
                builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
            }
            Err(error) => problems.push(format!("BROKLE_CONFIG: cannot read {path}: {error}")),
        }
    }
    for (key, value) in environment.settings(problems) {
        let name = VARIABLES.iter().find(|(_, known, _)| *known == key).map_or(key, |(name, ..)| *name);
        // Numbers and switches are read here, so that each wrong one is named and the rest is still checked.
        match defaults.get::<::config::Value>(key).map(|default| default.kind) {
            Ok(::config::ValueKind::I64(_)) => match value.trim().parse::<i64>() {
                Ok(parsed) => builder = builder.set_override(key, parsed).map_err(fatal)?,
                Err(_) => problems.push(format!("{name} must be a whole number, not `{value}`")),
            },
            Ok(::config::ValueKind::Boolean(_)) => match value.trim().parse::<bool>() {
                Ok(parsed) => builder = builder.set_override(key, parsed).map_err(fatal)?,
                Err(_) => problems.push(format!("{name} must be true or false, not `{value}`")),
            },
            _ => builder = builder.set_override(key, value).map_err(fatal)?,
        }
    }
    builder.build().map_err(|error| Problems(std::mem::take(problems).into_iter().chain([error.to_string()]).collect()))
}

fn unknown_sections(file: &Layers, defaults: &Layers) -> Vec<String> {
    let names = |layers: &Layers| -> BTreeSet<String> {
        layers.cache.clone().into_table().map(|table| table.into_keys().collect()).unwrap_or_default()
    };
    names(file).difference(&names(defaults)).cloned().collect()
}

fn section<'de, T: Deserialize<'de>>(layers: &Layers, name: &str, problems: &mut Vec<String>) -> Option<T> {
    layers
        .get::<T>(name)
        .map_err(|error| {
            let text = error.to_string();
            let variable =
                VARIABLES.iter().find(|(_, key, _)| text.contains(key)).map(|(variable, ..)| format!(" ({variable})")).unwrap_or_default();
            problems.push(format!("[{name}]{variable}: {text}"));
        })
        .ok()
}

#[cfg(test)]
mod tests;
