//! Stand-in until merged.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}
pub(super) async fn run(_c: Args) -> anyhow::Result<()> { Ok(()) }
