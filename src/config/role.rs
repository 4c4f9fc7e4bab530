//! The role of a process, from `APP_MODE`.

use std::str::FromStr;

/// What this process does. Source of the names: `APP_MODE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything in one process, with an embedded database and engine. `APP_MODE` not set, or `standalone`.
    Standalone,
    /// HTTP API, OTLP and web app in front of Postgres, ClickHouse and Redis.
    Server,
    /// Telemetry consumers and background work.
    Worker,
}

impl Role {
    /// The value of `APP_MODE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Server => "server",
            Self::Worker => "worker",
        }
    }
}

/// An `APP_MODE` that means nothing.
#[derive(Debug, thiserror::Error)]
#[error(
    "APP_MODE is `{0}`: it must be `server` (HTTP API, OTLP, web app), `worker` (consumes the telemetry queue), or not set (standalone: everything in one process)"
)]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "standalone" => Ok(Self::Standalone),
            "server" => Ok(Self::Server),
            "worker" => Ok(Self::Worker),
            other => Err(UnknownRole(other.to_owned())),
        }
    }
}
