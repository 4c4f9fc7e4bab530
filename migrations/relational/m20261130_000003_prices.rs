//! Own prices of projects and organisations, and re-pricings of what is stored.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, integer, string_len, text, text_null};

use super::columns::{column, id, id_null, index, table, time, time_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait compares letter by letter")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [model_prices(), repricings()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("model_prices", &["scope_type", "scope_id", "provider", "model"], true),
            index("repricings", &["project_id", "id"], false),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// `scope_type` is organization or project; `provider` is empty for a model at any provider.
fn model_prices() -> TableCreateStatement {
    table("model_prices")
        .col(id("id").primary_key())
        .col(string_len(column("scope_type"), 20))
        .col(string_len(column("scope_id"), 26))
        .col(string_len(column("provider"), 256).default(""))
        // A name, or a pattern with *.
        .col(string_len(column("model"), 256))
        // JSON: [{"from": "2026-01-01", "rates": {"input": "2.5"}, ...}]
        .col(text(column("prices")))
        // One more with each change.
        .col(big_integer(column("version")).default(1))
        .col(id_null("updated_by"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

fn repricings() -> TableCreateStatement {
    table("repricings")
        .col(id("id").primary_key())
        .col(id("organization_id"))
        .col(id("project_id"))
        .col(id("job_id"))
        // preview, apply
        .col(string_len(column("mode"), 16))
        // queued, running, done, failed, cancelled
        .col(string_len(column("state"), 16))
        // Nanoseconds since the epoch, from inclusive, to exclusive; null: no bound.
        .col(big_integer_null(column("start_ns")))
        .col(big_integer_null(column("end_ns")))
        // JSON: [{"provider": "openai", "model": "gpt-4o"}]; empty: all.
        .col(text(column("models")).default("[]"))
        .col(boolean(column("cancel_requested")).default(false))
        // How often it was begun: what an earlier run still writes does not count.
        .col(integer(column("run")).default(0))
        .col(big_integer(column("progress_done")).default(0))
        .col(big_integer_null(column("progress_total")))
        // JSON: how far it is and what it has counted.
        .col(text_null(column("saved")))
        .col(text_null(column("error")))
        .col(id_null("created_by"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("finished_at"))
        .to_owned()
}
