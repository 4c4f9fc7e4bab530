//! `brokle openapi`: the document that docs/generated/openapi.json holds.

use super::output;

pub(super) fn run() -> anyhow::Result<()> {
    output::line(&serde_json::to_string_pretty(&crate::app::openapi()?)?);
    Ok(())
}
