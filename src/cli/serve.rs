//! `brokle serve`: the process itself.

use std::process::ExitCode;
use std::sync::Arc;

use crate::app::{Application, Ending, listen_for_signals};
use crate::common::clock::SystemClock;
use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let application = Application::build(config, Arc::new(SystemClock)).await?;
    listen_for_signals(application.lifecycle())?;
    Ok(match application.run_until_stopped().await {
        Ending::Orderly => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Ending::Crashed(reason) => {
            tracing::error!(reason, "stopped after a crash");
            ExitCode::FAILURE
        }
        Ending::TimedOut => {
            tracing::error!("not everything in flight could be finished in time (SHUTDOWN_TIMEOUT_SECONDS)");
            ExitCode::FAILURE
        }
    })
}
