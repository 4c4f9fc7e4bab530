//! The sections of the configuration. Meaning and defaults of each key stand in `config/default.toml`.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// A secret that may be empty (not set).
#[derive(Debug, Clone, Default)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret's text.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The secret itself, where there is one.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretString> {
        (!self.is_empty()).then_some(&self.0)
    }

    /// Whether nothing was configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Reads a list given as an array or as text with commas.
fn comma_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::List(list) => list,
        Either::Text(text) => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
    })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub worker_port: u16,
    pub app_url: String,
    #[serde(deserialize_with = "comma_list")]
    pub cors_allowed_origins: Vec<String>,
    pub http_workers: usize,
    pub shutdown_timeout_seconds: u64,
    pub cookie_secure: String,
    #[serde(deserialize_with = "comma_list")]
    pub trusted_proxies: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: Secret,
    pub max_connections: u32,
    pub acquire_timeout_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clickhouse {
    pub url: String,
    pub database: String,
    pub user: String,
    pub password: Secret,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// `XDG_CACHE_HOME`; not a key of the file.
    #[serde(skip)]
    pub cache_home: Option<PathBuf>,
    pub lib: String,
    pub memory_mb: u64,
    pub fsync: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub url: Secret,
    pub key_prefix: String,
    pub durability_check: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub jwt_secret: Secret,
    pub jwt_previous_secrets: Secret,
    pub jwt_signing_method: String,
    pub jwt_private_key_path: String,
    pub jwt_private_key_base64: Secret,
    pub jwt_public_key_path: String,
    pub jwt_public_key_base64: String,
    pub jwt_verification_keys_path: String,
    pub jwt_issuer: String,
    pub access_token_ttl_seconds: u64,
    pub refresh_token_ttl_seconds: u64,
    pub api_key_cache_seconds: u64,
    pub login_free_failures: u32,
    pub login_lock_failures: u32,
    pub login_ip_free_failures: u32,
    pub login_ip_lock_failures: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    pub ai_key_encryption_key: Secret,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    pub enabled: bool,
    pub window_seconds: u64,
    pub per_ip: u32,
    pub auth_per_ip: u32,
    pub per_user: u32,
    pub per_key: u32,
    pub on_redis_failure: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    pub max_body_bytes: usize,
    pub max_decoded_bytes: usize,
    pub memory_budget_bytes: usize,
    pub gather_rows: usize,
    pub gather_bytes: usize,
    pub gather_ms: u64,
    pub writers: usize,
    pub repeat_window_seconds: u64,
    pub retention_days: u16,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub shards: u16,
    pub max_entries: u64,
    pub max_bytes: u64,
    pub claim_idle_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    pub concurrency: usize,
    pub lease_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: Secret,
    pub tls: String,
    pub from_address: String,
    pub from_name: String,
}

impl Mail {
    /// Whether there is a mail server.
    #[must_use]
    pub fn delivers(&self) -> bool {
        !self.host.is_empty()
    }

    /// Whether mail can leave as it is set.
    pub(super) fn check(&self, require: &mut impl FnMut(bool, &str)) {
        require(matches!(self.tls.as_str(), "starttls" | "tls" | "none"), "SMTP_TLS must be starttls, tls or none");
        let plain = !self.host.contains(['/', ':', '@', ' ']) || self.host.parse::<std::net::IpAddr>().is_ok();
        require(plain, "SMTP_HOST must be the name of the mail server alone, such as smtp.example.com; the port goes into SMTP_PORT");
        require(self.port > 0, "SMTP_PORT must be 1 to 65535");
        let from = self.from_address.parse::<lettre::Address>();
        require(
            if self.from_address.is_empty() { !self.delivers() } else { from.is_ok() },
            "EMAIL_FROM_ADDRESS must be the address that mail comes from, such as brokle@example.com, when SMTP_HOST is set",
        );
        require(
            self.username.is_empty() == self.password.is_empty(),
            "SMTP_USERNAME and SMTP_PASSWORD belong together: set both, or neither",
        );
        require(!self.from_name.contains(['\r', '\n']), "EMAIL_FROM_NAME must be one line");
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otel {
    pub endpoint: String,
    pub headers: Secret,
    pub service_name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Init {
    pub org: String,
    pub project: String,
    pub user_email: String,
    pub user_password: Secret,
    pub api_key: Secret,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enterprise {
    pub license_key: Secret,
}
