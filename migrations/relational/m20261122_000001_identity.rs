//! People, their sessions, organisations, projects, API keys, and facts about the installation.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, string_len, string_len_null, text, text_null};

use super::columns::{column, id, id_null, index, reference, table, time, time_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait compares letter by letter")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [installation(), organizations(), users(), auth_sessions(), organization_members(), projects(), api_keys()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // An index over an expression: the same text in both.
        manager.get_connection().execute_unprepared("CREATE UNIQUE INDEX users_email_lower_key ON users (lower(email))").await?;
        Ok(())
    }
}

fn installation() -> TableCreateStatement {
    table("installation")
        .col(string_len(column("key"), 255).primary_key())
        .col(text(column("value")))
        .col(time("created_at"))
        .col(time("updated_at"))
        .to_owned()
}

fn organizations() -> TableCreateStatement {
    table("organizations")
        .col(id("id").primary_key())
        .col(string_len(column("name"), 100))
        .col(string_len(column("status"), 16).default("active"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("deleted_at"))
        .to_owned()
}

fn users() -> TableCreateStatement {
    table("users")
        .col(id("id").primary_key())
        .col(string_len(column("email"), 320))
        .col(string_len(column("first_name"), 100).default(""))
        .col(string_len(column("last_name"), 100).default(""))
        .col(text_null(column("password_hash")))
        .col(boolean(column("is_admin")).default(false))
        .col(string_len(column("status"), 16).default("active"))
        .col(id_null("default_organization_id"))
        .col(time_null("email_verified_at"))
        .col(time_null("last_login_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("deleted_at"))
        .foreign_key(&mut reference("users", "default_organization_id", "organizations", ForeignKeyAction::SetNull))
        .to_owned()
}

fn auth_sessions() -> TableCreateStatement {
    table("auth_sessions")
        .col(id("id").primary_key())
        .col(id("user_id"))
        // SHA-256 in hex of the refresh token that may be used next, and of the one before it.
        .col(string_len(column("refresh_hash"), 64))
        .col(string_len_null(column("previous_hash"), 64))
        // Fresh at each rotation; the successor of the previous token is made from it and that token.
        .col(string_len_null(column("rotation_salt"), 64))
        .col(time_null("rotated_at"))
        .col(string_len_null(column("ip_address"), 45))
        .col(string_len_null(column("user_agent"), 512))
        .col(time("created_at"))
        .col(time("last_seen_at"))
        .col(time("expires_at"))
        .col(time_null("ended_at"))
        .col(string_len_null(column("end_reason"), 32))
        .foreign_key(&mut reference("auth_sessions", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

fn organization_members() -> TableCreateStatement {
    table("organization_members")
        .col(id("id").primary_key())
        .col(id("organization_id"))
        .col(id("user_id"))
        .col(string_len(column("role"), 64))
        .col(string_len(column("status"), 16).default("active"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .foreign_key(&mut reference("organization_members", "organization_id", "organizations", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("organization_members", "user_id", "users", ForeignKeyAction::Cascade))
        .to_owned()
}

fn projects() -> TableCreateStatement {
    table("projects")
        .col(id("id").primary_key())
        .col(id("organization_id"))
        .col(string_len(column("name"), 100))
        .col(text(column("description")).default(""))
        .col(string_len(column("status"), 16).default("active"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("archived_at"))
        .col(time_null("deleted_at"))
        .foreign_key(&mut reference("projects", "organization_id", "organizations", ForeignKeyAction::Restrict))
        .to_owned()
}

fn api_keys() -> TableCreateStatement {
    table("api_keys")
        .col(id("id").primary_key())
        .col(id("project_id"))
        .col(string_len(column("name"), 100))
        // SHA-256 in hex; the key itself is stored nowhere.
        .col(string_len(column("key_hash"), 64))
        .col(string_len(column("key_preview"), 16))
        .col(id_null("created_by"))
        .col(time_null("expires_at"))
        .col(time_null("last_used_at"))
        .col(time("created_at"))
        .col(time("updated_at"))
        .col(time_null("revoked_at"))
        .foreign_key(&mut reference("api_keys", "project_id", "projects", ForeignKeyAction::Restrict))
        .foreign_key(&mut reference("api_keys", "created_by", "users", ForeignKeyAction::SetNull))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("auth_sessions", &["refresh_hash"], true),
        index("auth_sessions", &["user_id"], false),
        index("auth_sessions", &["expires_at"], false),
        index("organization_members", &["organization_id", "user_id"], true),
        index("organization_members", &["user_id"], false),
        index("projects", &["organization_id"], false),
        index("api_keys", &["key_hash"], true),
        index("api_keys", &["project_id"], false),
    ]
}
