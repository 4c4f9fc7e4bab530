//! Who may do what: invitations, roles per project, scopes of keys, second factors, single-use tokens, failed sign-ins, settings,
//! and the audit log.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, string_len, string_len_null, text, text_null};

use super::columns::{add, column, id, id_null, index, reference, table, time, time_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait compares letter by letter")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for change in [
            add("organizations", time_null("archived_at")),
            // Space-separated: ingest, read, gateway, or full. Keys made before there were scopes may do everything.
            add("api_keys", string_len(column("scopes"), 100).default("full").to_owned()),
            // The key that a rotation replaces.
            add("api_keys", id_null("replaces_id")),
        ] {
            manager.alter_table(change).await?;
        }
        let tables = [
            project_members(),
            organization_invitations(),
            roles(),
            user_tokens(),
            user_second_factors(),
            user_recovery_codes(),
            login_attempts(),
            settings(),
            setting_changes(),
            audit_logs(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // Everybody there was until now was added by an operator.
        manager
            .get_connection()
            .execute_unprepared("UPDATE users SET email_verified_at = created_at WHERE email_verified_at IS NULL")
            .await?;
        // One open invitation for an address and organisation; the same text in both databases.
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX organization_invitations_open_key ON organization_invitations (organization_id, email) \
                 WHERE status = 'pending'",
            )
            .await?;
        Ok(())
    }
}

/// A role in one project, in place of the one in the organisation.
fn project_members() -> TableCreateStatement {
    table("project_members")
        .col(id("id").primary_key())
        .col(id("project_id"))
        .col(id("user_id"))
        .col(string_len(column("role"), 64))
        .col(time("created_at"))
        .col(time("updated_at"))
        .foreign_key(&mut reference("project_members", "project_id", "projects", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("project_members", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

fn organization_invitations() -> TableCreateStatement {
    table("organization_invitations")
        .col(id("id").primary_key())
        .col(id("organization_id"))
        // In lower case, as users' addresses are compared.
        .col(string_len(column("email"), 320))
        .col(string_len(column("role"), 64))
        // JSON: [{"project_id": "...", "role": "..."}]
        .col(text(column("project_roles")).default("[]"))
        // SHA-256 in hex; the token itself is in the mail and nowhere else.
        .col(string_len(column("token_hash"), 64))
        // pending, accepted, declined, revoked
        .col(string_len(column("status"), 16).default("pending"))
        .col(id_null("invited_by"))
        .col(id_null("accepted_by"))
        .col(integer(column("sent_count")).default(1))
        .col(time("sent_at"))
        .col(time("expires_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .foreign_key(&mut reference("organization_invitations", "organization_id", "organizations", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("organization_invitations", "invited_by", "users", ForeignKeyAction::SetNull))
        .foreign_key(&mut reference("organization_invitations", "accepted_by", "users", ForeignKeyAction::SetNull))
        .to_owned()
}

/// Roles that somebody defined. `scope_type` is organization or installation; `scope_id` is empty for the latter.
fn roles() -> TableCreateStatement {
    table("roles")
        .col(id("id").primary_key())
        .col(string_len(column("scope_type"), 20))
        .col(string_len(column("scope_id"), 26).default(""))
        .col(string_len(column("name"), 64))
        .col(text(column("description")).default(""))
        // JSON: ["traces:read", ...]
        .col(text(column("permissions")).default("[]"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

/// Single-use tokens that were sent by mail: reset_password, verify_email.
fn user_tokens() -> TableCreateStatement {
    table("user_tokens")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string_len(column("purpose"), 32))
        .col(string_len(column("token_hash"), 64))
        .col(time("created_at"))
        .col(time("expires_at"))
        .col(time_null("used_at"))
        .foreign_key(&mut reference("user_tokens", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

fn user_second_factors() -> TableCreateStatement {
    table("user_second_factors")
        .col(id("user_id").primary_key())
        // Sealed with the installation's encryption key (AES-256-GCM, base64).
        .col(text(column("sealed_secret")))
        // Null while it is being set up.
        .col(time_null("enabled_at"))
        // The last time step whose code was taken: a code is good once.
        .col(big_integer(column("last_step")).default(0))
        .col(time("created_at"))
        .col(time("updated_at"))
        .foreign_key(&mut reference("user_second_factors", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

fn user_recovery_codes() -> TableCreateStatement {
    table("user_recovery_codes")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string_len(column("code_hash"), 64))
        .col(time("created_at"))
        .col(time_null("used_at"))
        .foreign_key(&mut reference("user_recovery_codes", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

/// Failures of an account or an address since its last success. The subject is hashed: nobody's address is learnt here.
fn login_attempts() -> TableCreateStatement {
    table("login_attempts")
        .col(string_len(column("subject"), 80).primary_key())
        .col(integer(column("failures")).default(0))
        .col(time("last_failure_at"))
        .col(time_null("locked_until"))
        .to_owned()
}

/// Values that differ from what is inherited. `scope_id` is empty for the installation: a null would not be unique.
fn settings() -> TableCreateStatement {
    table("settings")
        .col(id("id").primary_key())
        .col(string_len(column("scope_type"), 20))
        .col(string_len(column("scope_id"), 26).default(""))
        .col(string_len(column("key"), 100))
        // JSON
        .col(text(column("value")))
        .col(big_integer(column("version")).default(1))
        .col(id_null("updated_by"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

/// Every change of a setting; a null value is a return to what is inherited.
fn setting_changes() -> TableCreateStatement {
    table("setting_changes")
        .col(id("id").primary_key())
        .col(string_len(column("scope_type"), 20))
        .col(string_len(column("scope_id"), 26).default(""))
        .col(string_len(column("key"), 100))
        .col(text_null(column("value")))
        .col(big_integer(column("version")))
        .col(id_null("changed_by"))
        .col(time("changed_at"))
        .to_owned()
}

fn audit_logs() -> TableCreateStatement {
    table("audit_logs")
        .col(id("id").primary_key())
        // Null: about the installation, or about a person.
        .col(id_null("organization_id"))
        .col(id_null("project_id"))
        // user, api_key, operator, system, anonymous
        .col(string_len(column("actor_type"), 16))
        .col(id_null("actor_id"))
        .col(string_len(column("action"), 64))
        .col(string_len(column("target_type"), 32))
        .col(string_len_null(column("target_id"), 100))
        .col(string_len_null(column("target_name"), 320))
        // success, denied, failure
        .col(string_len(column("outcome"), 16))
        .col(string_len_null(column("ip_address"), 45))
        .col(string_len_null(column("user_agent"), 512))
        .col(string_len_null(column("request_id"), 128))
        // JSON
        .col(text_null(column("before")))
        .col(text_null(column("after")))
        .col(time("created_at"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("project_members", &["project_id", "user_id"], true),
        index("project_members", &["user_id"], false),
        index("organization_invitations", &["token_hash"], true),
        index("organization_invitations", &["organization_id"], false),
        index("organization_invitations", &["email"], false),
        index("roles", &["scope_type", "scope_id", "name"], true),
        index("user_tokens", &["token_hash"], true),
        index("user_tokens", &["user_id"], false),
        index("user_recovery_codes", &["user_id"], false),
        index("settings", &["scope_type", "scope_id", "key"], true),
        index("setting_changes", &["scope_type", "scope_id", "key"], false),
        // Ids are ordered by time, so this is the order of the list.
        index("audit_logs", &["organization_id", "id"], false),
        index("api_keys", &["replaces_id"], false),
    ]
}
