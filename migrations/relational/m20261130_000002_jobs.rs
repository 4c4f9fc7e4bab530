//! Work that outlives a request: jobs, their schedules, and mail on its way.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, integer, string_len, string_len_null, text, text_null};

use super::columns::{column, id, id_null, index, table, time, time_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait compares letter by letter")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [jobs(), job_schedules(), job_runners(), mail_outbox()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // One open job for a key; the same text in both databases.
        manager
            .get_connection()
            .execute_unprepared("CREATE UNIQUE INDEX jobs_open_key ON jobs (kind, key) WHERE status IN ('queued', 'running')")
            .await?;
        Ok(())
    }
}

fn jobs() -> TableCreateStatement {
    table("jobs")
        .col(id("id").primary_key())
        .col(string_len(column("kind"), 64))
        // Of two open jobs of a kind with the same key there is one.
        .col(string_len_null(column("key"), 255))
        // JSON
        .col(text(column("payload")))
        // queued, running, done, dead, cancelled
        .col(string_len(column("status"), 16))
        // Higher first.
        .col(integer(column("priority")).default(0))
        .col(time("run_at"))
        .col(integer(column("attempts")).default(0))
        .col(integer(column("max_attempts")))
        .col(string_len_null(column("leased_by"), 128))
        .col(time_null("lease_until"))
        .col(boolean(column("cancel_requested")).default(false))
        .col(big_integer(column("progress_done")).default(0))
        .col(big_integer_null(column("progress_total")))
        .col(text_null(column("progress_note")))
        .col(text_null(column("last_error")))
        .col(id_null("organization_id"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("finished_at"))
        .to_owned()
}

fn job_schedules() -> TableCreateStatement {
    table("job_schedules")
        .col(string_len(column("name"), 64).primary_key())
        .col(string_len(column("kind"), 64))
        .col(string_len(column("cron"), 100))
        .col(time("next_at"))
        .col(time_null("last_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

/// Processes that take jobs, as long as they say so.
fn job_runners() -> TableCreateStatement {
    table("job_runners")
        .col(string_len(column("name"), 128).primary_key())
        .col(time("expires_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

fn mail_outbox() -> TableCreateStatement {
    table("mail_outbox")
        .col(id("id").primary_key())
        .col(string_len(column("recipient"), 320))
        .col(string_len(column("template"), 64))
        .col(text(column("subject")))
        .col(text(column("text")))
        .col(text(column("html")))
        // queued, sent, kept (there is no SMTP server), failed
        .col(string_len(column("status"), 16))
        .col(text_null(column("last_error")))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("sent_at"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![index("jobs", &["status", "run_at"], false), index("jobs", &["kind", "id"], false), index("mail_outbox", &["status", "id"], false)]
}
