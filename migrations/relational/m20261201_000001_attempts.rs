//! Failed sign-ins as leaky buckets, and which addresses were proven by a mail.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len};

use super::columns::{add, column, index, table, time_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait compares letter by letter")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // An administrator's word lets somebody sign in; only a mail that was opened proves whose address it is.
        manager.alter_table(add("users", time_null("email_proven_at"))).await?;
        // What was counted until now is worth a day at most.
        manager.drop_table(Table::drop().table(column("login_attempts")).to_owned()).await?;
        let attempts = table("login_attempts")
            .col(string_len(column("subject"), 80).primary_key())
            // Milliseconds since the epoch: when everything that is counted will be forgotten.
            .col(big_integer(column("drained_ms")))
            .col(time_null("last_failure_at"))
            .col(time_null("locked_until"))
            .to_owned();
        manager.create_table(attempts).await?;
        manager.create_index(index("login_attempts", &["drained_ms"], false)).await
    }
}
