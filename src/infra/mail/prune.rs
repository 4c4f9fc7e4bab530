//! Forgetting mail.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Mailer, store};
use crate::error::chain;
use crate::infra::jobs::{Failure, Job, Running};

/// Forgets the text of mail that was sent a day ago, for it holds links, and all of it after 30 days.
#[derive(Debug, Serialize, Deserialize)]
pub struct PruneMail {}

impl Job for PruneMail {
    const KIND: &'static str = "prune_mail";
    type Context = Mailer;

    async fn run(&self, mailer: &Mailer, _: &Running) -> Result<(), Failure> {
        let (db, now) = (mailer.jobs().database().writer(), mailer.clock().now());
        let prune = async {
            let blanked = store::update_blank(db, now - TimeDelta::days(1), now).await?;
            let deleted = store::delete_old(db, now - TimeDelta::days(30)).await?;
            Ok::<_, crate::infra::db::Error>((blanked, deleted))
        };
        let (blanked, deleted) = prune.await.map_err(|error| Failure::retry(chain(&error)))?;
        tracing::debug!(blanked, deleted, "old mail forgotten");
        Ok(())
    }
}
