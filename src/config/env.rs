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
    ("TRUSTED_PROXIES", "server.trusted_proxies", false),
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
    ("JWT_PREVIOUS_SECRETS", "auth.jwt_previous_secrets", true),
    ("JWT_SIGNING_METHOD", "auth.jwt_signing_method", false),
    ("JWT_PRIVATE_KEY_PATH", "auth.jwt_private_key_path", false),
    ("JWT_PRIVATE_KEY_BASE64", "auth.jwt_private_key_base64", true),
    ("JWT_PUBLIC_KEY_PATH", "auth.jwt_public_key_path", false),
    ("JWT_PUBLIC_KEY_BASE64", "auth.jwt_public_key_base64", false),
    ("JWT_VERIFICATION_KEYS_PATH", "auth.jwt_verification_keys_path", false),
    ("JWT_ISSUER", "auth.jwt_issuer", false),
    ("ACCESS_TOKEN_TTL_SECONDS", "auth.access_token_ttl_seconds", false),
    ("REFRESH_TOKEN_TTL_SECONDS", "auth.refresh_token_ttl_seconds", false),
    ("API_KEY_CACHE_SECONDS", "auth.api_key_cache_seconds", false),
    ("RATE_LIMIT_ENABLED", "rate_limit.enabled", false),
    ("RATE_LIMIT_WINDOW_SECONDS", "rate_limit.window_seconds", false),
    ("RATE_LIMIT_PER_IP", "rate_limit.per_ip", false),
    ("RATE_LIMIT_AUTH_PER_IP", "rate_limit.auth_per_ip", false),
    ("RATE_LIMIT_PER_USER", "rate_limit.per_user", false),
    ("RATE_LIMIT_PER_KEY", "rate_limit.per_key", false),
    ("RATE_LIMIT_ON_REDIS_FAILURE", "rate_limit.on_redis_failure", false),
    ("LOGIN_FREE_FAILURES", "auth.login_free_failures", false),
    ("LOGIN_LOCK_FAILURES", "auth.login_lock_failures", false),
    ("LOGIN_IP_FREE_FAILURES", "auth.login_ip_free_failures", false),
    ("LOGIN_IP_LOCK_FAILURES", "auth.login_ip_lock_failures", false),
    ("AI_KEY_ENCRYPTION_KEY", "secrets.ai_key_encryption_key", true),
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
    ("JOBS_CONCURRENCY", "jobs.concurrency", false),
    ("JOBS_LEASE_SECONDS", "jobs.lease_seconds", false),
    ("SMTP_HOST", "mail.host", false),
    ("SMTP_PORT", "mail.port", false),
    ("SMTP_USERNAME", "mail.username", false),
    ("SMTP_PASSWORD", "mail.password", true),
    ("SMTP_TLS", "mail.tls", false),
    ("EMAIL_FROM_ADDRESS", "mail.from_address", false),
    ("EMAIL_FROM_NAME", "mail.from_name", false),
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

/// Names that the predecessor read, as durations (`15m`, `168h`), and the key each sets.
const DURATIONS: &[(&str, &str)] =
    &[("ACCESS_TOKEN_TTL", "auth.access_token_ttl_seconds"), ("REFRESH_TOKEN_TTL", "auth.refresh_token_ttl_seconds")];

/// Seconds of a duration as Go writes it: `15m`, `1h30m`, `90s`; a bare number is seconds.
fn seconds(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (mut total, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = match tail.as_bytes().first()? {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = tail.get(1..)?;
    }
    (!text.is_empty()).then_some(total)
}

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
    "BROKLE_TIMEOUT",
    "BROKLE_EXPORT_TIMEOUT",
    "BROKLE_TRANSPORT",
    "BROKLE_GRPC_ENDPOINT",
    "BROKLE_USE_PROTOBUF",
    "BROKLE_COMPRESSION",
    "BROKLE_SAMPLE_RATE",
    "BROKLE_FLUSH_AT",
    "BROKLE_FLUSH_INTERVAL",
    "BROKLE_MAX_QUEUE_SIZE",
    "BROKLE_BIN",
    "BROKLE_DEV_SERVER",
    "BROKLE_ENGINE_ARCHIVE",
    "BROKLE_WEB_DIST",
    "BROKLE_EDITION",
];
const FOREIGN_PREFIXES: &[&str] =
    &["BROKLE_TEST_", "BROKLE_E2E_", "BROKLE_BENCH_", "BROKLE_TRACING_", "BROKLE_METRICS_", "BROKLE_LOGS_", "BROKLE_SDK_"];

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
            } else if let Some((old, _)) = DURATIONS.iter().find(|(_, old_key)| *old_key == key)
                && let Some(value) = self.get(old)
            {
                match seconds(value) {
                    Some(seconds) => settings.push((key, seconds.to_string())),
                    None => problems.push(format!("{old} must be a duration such as 15m or 168h, not `{value}`; or use {name}")),
                }
            }
        }
        settings
    }

    /// Variables with our prefix that nothing reads.
    #[must_use]
    pub fn unknown(&self) -> Vec<Unknown> {
        self.0
            .keys()
            .filter(|name| name.starts_with("BROKLE_"))
            .filter(|name| {
                let base = name.strip_suffix("_FILE").unwrap_or(name);
                !VARIABLES.iter().any(|(known, _, secret)| *known == name.as_str() || (*secret && *known == base))
                    && !FOREIGN.contains(&name.as_str())
                    && !FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            })
            .map(|name| Unknown { name: name.clone(), meant: meant(name) })
            .collect()
    }
}

/// A variable with our prefix that nothing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// As it is set.
    pub name: String,
    /// The setting of which it is a misspelling, where there is no doubt. A name that resembles nothing may belong to an SDK that
    /// is newer than this program and shares its shell.
    pub meant: Option<&'static str>,
}

/// The setting that differs from `name` by two letters at most, underscores aside.
fn meant(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace('_', "");
    let ours = VARIABLES.iter().map(|(known, ..)| *known).filter(|known| known.starts_with("BROKLE_"));
    ours.map(|known| (distance(&plain(name), &plain(known)), known)).filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}

/// Letters to insert, delete or replace to make one from the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (column, against) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != against);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
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
