//! `brokle serve`: the process itself.

use std::process::ExitCode;
use std::sync::Arc;

use crate::app::{Application, Ending, Lifecycle, listen_for_signals};
use crate::common::clock::SystemClock;
use crate::config::Config;

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // Heard from here on: as the first process of a container it would not even die of a signal that nobody handles, and to wait
    // for services or to migrate may take minutes.
    let lifecycle = Lifecycle::default();
    listen_for_signals(&lifecycle)?;
    let Some(application) = Application::build_unless_stopped(config, Arc::new(SystemClock), lifecycle).await? else {
        tracing::info!("stopped before it was ready");
        return Ok(ExitCode::SUCCESS);
    };
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
