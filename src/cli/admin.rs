//! Stand-in until merged.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command { X }
pub(super) async fn run(_c: Command, _x: crate::config::Config) -> anyhow::Result<()> { Ok(()) }
