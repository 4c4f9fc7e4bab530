//! `brokle health`: the check of a container.

use std::process::ExitCode;
use std::time::Duration;

use super::output;
use crate::config::{Config, Environment, Role};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address to ask; by default this machine's, at the port of the configured role
    #[arg(long)]
    url: Option<String>,
}

pub(super) async fn run(arguments: &Arguments, environment: &Environment) -> anyhow::Result<ExitCode> {
    let url = if let Some(url) = &arguments.url {
        url.trim_end_matches('/').to_owned()
    } else {
        let config = Config::load(environment)?;
        let port = if config.role == Role::Worker { config.server.worker_port } else { config.server.port };
        let host = if matches!(config.server.host.as_str(), "0.0.0.0" | "::") { "127.0.0.1" } else { &config.server.host };
        format!("http://{host}:{port}")
    };
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let response = client.get(format!("{url}/health/ready")).send().await?;
    let ready = response.status().is_success();
    output::line(&response.text().await?);
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
