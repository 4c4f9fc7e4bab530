//! `brokle migrate [--check]`.

use std::process::ExitCode;

use super::output;
use crate::app::{Backends, Patience, is_installed};
use crate::config::Config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only tell what is missing; exit 1 when something is
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(arguments: &Arguments, config: Config) -> anyhow::Result<ExitCode> {
    if arguments.check && !is_installed(&config) {
        let dir = config.data.dir.display();
        output::line(&format!(
            "there is no installation yet in {dir} (BROKLE_DATA_DIR): the first start of `brokle`, or `brokle migrate`, makes it"
        ));
        return Ok(ExitCode::FAILURE);
    }
    let backends = Backends::connect(&config, Patience::Command).await?;
    let outcome = if arguments.check { check(&backends).await } else { apply(&backends).await };
    backends.close().await;
    outcome
}

async fn check(backends: &Backends) -> anyhow::Result<ExitCode> {
    let pending = backends.pending_migrations().await?;
    if pending.is_empty() {
        output::line("the databases are at this version's schema");
        return Ok(ExitCode::SUCCESS);
    }
    for name in &pending {
        output::line(&format!("pending: {name}"));
    }
    Ok(ExitCode::FAILURE)
}

async fn apply(backends: &Backends) -> anyhow::Result<ExitCode> {
    let applied = backends.migrate().await?;
    if applied.is_empty() {
        output::line("nothing to do: the databases are at this version's schema");
    }
    for name in &applied {
        output::line(&format!("applied: {name}"));
    }
    Ok(ExitCode::SUCCESS)
}
