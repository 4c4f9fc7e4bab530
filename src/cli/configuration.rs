//! `brokle config check|print|docs`.

use std::process::ExitCode;

use clap::Subcommand;

use super::output;
use crate::config::{self, Config, Environment};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Report every problem of the configuration at once
    Check,
    /// Print what is in force, with secrets hidden
    Print,
    /// Print every key with its variable, default and meaning
    Docs,
}

pub(super) fn run(command: &Command, environment: &Environment) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check => {
            let config = Config::load(environment)?;
            for warning in &config.warnings {
                output::line(&format!("warning: {warning}"));
            }
            output::line(&format!("the configuration is fine for the role {}", config.role.name()));
        }
        Command::Print => output::line(config::redacted(environment)?.trim_end()),
        Command::Docs => output::line(config::markdown().trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}
