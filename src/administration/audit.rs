//! Reading what was done to the installation itself.

use super::Error;
use super::store::audit::{self as store, Line};
use crate::infra::db::Database;

/// The lines of the audit log that belong to no organisation; a clone shares everything.
#[derive(Debug, Clone)]
pub struct InstallationLog(Database);

impl InstallationLog {
    /// The log kept in `db`.
    pub fn new(db: Database) -> Self {
        Self(db)
    }

    /// Newest first, from before this id on.
    pub(super) async fn list(&self, before: Option<&str>, limit: u32) -> Result<Vec<Line>, Error> {
        Ok(store::list(self.0.conn(), before, limit).await?)
    }
}
