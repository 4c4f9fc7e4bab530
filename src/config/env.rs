//! The environment: the only place that reads it.

use std::collections::BTreeMap;

/// Environment variable, key it sets, and whether it is a secret (may come from `NAME_FILE`, is redacted in prints).
pub const VARIABLES: &[(&str, &str, bool)] = &[
    ("HOST", "server.host", false),
    ("PORT", "server.port", false),
    ("WORKER_PORT", "server.worker_port", false),
    ("APP_URL", "server.app_url", false),
    ("CORS_ALLOWED_ORIGINS", "server.cors_allowed_origins", false),
    ("HTTP_WORKERS", "server.http_workers", false),
    ("SHUTDOWN_TIMEOUT_SECONDS", "server.shutdown_timeout_seconds", false),
    ("COOKIE_SECURE", "server.cookie_secure", false),
    ("LOG_LEVEL", "log.level", false),
    ("LOG_FORMAT", "log.format", false),
    ("BROKLE_DATA_DIR", "data.dir", false),
    ("DATABASE_URL", "database.url", true),
    ("DATABASE_MAX_CONNECTIONS", "database.max_connections", false),
    ("DATABASE_ACQUIRE_TIMEOUT_SECONDS", "database.acquire_timeout_seconds", false),
    ("CLICKHOUSE_URL", "clickhouse.url", false),
    ("CLICKHOUSE_DATABASE", "clickhouse.database", false),
    ("CLICKHOUSE_USER", "clickhouse.user", false),
    ("CLICKHOUSE_PASSWORD", "clickhouse.password", true),
    ("BROKLE_ENGINE_LIB", "engine.lib", false),
    ("BROKLE_ENGINE_MEMORY_MB", "engine.memory_mb", false),
    ("BROKLE_FSYNC", "engine.fsync", false),
    ("REDIS_URL", "redis.url", true),
    ("REDIS_KEY_PREFIX", "redis.key_prefix", false),
    ("REDIS_DURABILITY_CHECK", "redis.durability_check", false),
    ("JWT_SECRET", "auth.jwt_secret", true),
    ("JWT_ISSUER", "auth.jwt_issuer", false),
    ("ACCESS_TOKEN_TTL_SECONDS", "auth.access_token_ttl_seconds", false),
    ("REFRESH_TOKEN_TTL_SECONDS", "auth.refresh_token_ttl_seconds", false),
    ("API_KEY_CACHE_SECONDS", "auth.api_key_cache_seconds", false),
    ("INGEST_MAX_BODY_BYTES", "ingest.max_body_bytes", false),
    ("INGEST_MAX_DECODED_BYTES", "ingest.max_decoded_bytes", false),
    ("INGEST_MEMORY_BUDGET_BYTES", "ingest.memory_budget_bytes", false),
    ("INGEST_GATHER_ROWS", "ingest.gather_rows", false),
    ("INGEST_GATHER_BYTES", "ingest.gather_bytes", false),
    ("INGEST_GATHER_MS", "ingest.gather_ms", false),
    ("INGEST_WRITERS", "ingest.writers", false),
    ("INGEST_REPEAT_WINDOW_SECONDS", "ingest.repeat_window_seconds", false),
    ("RETENTION_DAYS", "ingest.retention_days", false),
    ("QUEUE_SHARDS", "queue.shards", false),
    ("QUEUE_MAX_ENTRIES", "queue.max_entries", false),
    ("QUEUE_MAX_BYTES", "queue.max_bytes", false),
    ("QUEUE_CLAIM_IDLE_MS", "queue.claim_idle_ms", false),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel.endpoint", false),
    ("OTEL_EXPORTER_OTLP_HEADERS", "otel.headers", true),
    ("OTEL_SERVICE_NAME", "otel.service_name", false),
    ("BROKLE_INIT_ORG", "init.org", false),
    ("BROKLE_INIT_PROJECT", "init.project", false),
    ("BROKLE_INIT_USER_EMAIL", "init.user_email", false),
    ("BROKLE_INIT_USER_PASSWORD", "init.user_password", true),
    ("BROKLE_INIT_API_KEY", "init.api_key", true),
    ("BROKLE_ENTERPRISE_LICENSE_KEY", "enterprise.license_key", true),
];

/// Names with our prefix that are meant for the SDKs or the build, not for this program.
const FOREIGN: &[&str] = &[
    "BROKLE_CONFIG",
    "BROKLE_API_KEY",
    "BROKLE_BASE_URL",
    "BROKLE_ENABLED",
    "BROKLE_ENVIRONMENT",
    "BROKLE_RELEASE",
    "BROKLE_VERSION",
    "BROKLE_DEBUG",
    "BROKLE_BIN",
];
const FOREIGN_PREFIXES: &[&str] = &["BROKLE_TEST_", "BROKLE_E2E_", "BROKLE_BENCH_", "BROKLE_TRACING_", "BROKLE_METRICS_", "BROKLE_LOGS_"];

/// A snapshot of environment variables.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect())
    }

    /// A variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The settings it makes, `(key, value)`, with problems found on the way.
    pub fn settings(&self, problems: &mut Vec<String>) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        for &(name, key, secret) in VARIABLES {
            if let Some(value) = self.get(name) {
                settings.push((key, value.to_owned()));
            } else if secret && let Some(path) = self.get(&format!("{name}_FILE")) {
                match std::fs::read_to_string(path) {
                    Ok(text) => settings.push((key, text.trim_end_matches(['\n', '\r']).to_owned())),
                    Err(error) => problems.push(format!("{name}_FILE: cannot read {path}: {error}")),
                }
            }
        }
        settings
    }

    /// Variables with our prefix that nothing reads: most likely misspelt.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.0
            .keys()
            .filter(|name| name.starts_with("BROKLE_"))
            .filter(|name| {
                let base = name.strip_suffix("_FILE").unwrap_or(name);
                !VARIABLES.iter().any(|(known, ..)| *known == name.as_str() || *known == base)
                    && !FOREIGN.contains(&name.as_str())
                    && !FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            })
            .cloned()
            .collect()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
