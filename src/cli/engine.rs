//! `brokle engine`: the embedded engine as a ClickHouse server for tests and small installations.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use secrecy::SecretString;

use crate::app::{Lifecycle, engine_options, listen_for_signals};
use crate::config::Config;
use crate::infra::clickhouse::embedded::{ListenOptions, serve_engine};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address to listen on; other than loopback only with a password
    #[arg(long, default_value = "127.0.0.1:8123")]
    listen: SocketAddr,
    /// Directory of the data
    #[arg(long)]
    data: PathBuf,
    /// Password that clients must give
    #[arg(long, env = "CLICKHOUSE_PASSWORD", hide_env_values = true)]
    password: Option<SecretString>,
}

pub(super) async fn run(arguments: Arguments, config: &Config) -> anyhow::Result<ExitCode> {
    let lifecycle = Lifecycle::default();
    listen_for_signals(&lifecycle)?;
    let options = ListenOptions {
        listen: arguments.listen,
        user: "default".to_owned(),
        password: arguments.password,
        engine: engine_options(config, arguments.data),
        grace: Duration::from_secs(config.server.shutdown_timeout_seconds),
    };
    serve_engine(options, lifecycle.stop_token()).await?;
    Ok(ExitCode::SUCCESS)
}
