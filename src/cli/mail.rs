//! `brokle mail list|show`: the outbox, for operators with a shell. Without a mail server this is how a link reaches its recipient.

use std::io::Write;

use super::jobs::{first_line, operations, shown};
use super::{admin, output};
use crate::administration::Operations;
use crate::audit::By;
use crate::common::id::MailId;
use crate::config::Config;
use crate::infra::mail::MailStatus;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the newest mails
    List(List),
    /// Show a mail with its text
    Show {
        /// The mail's id
        id: MailId,
        /// Its HTML in place of its text
        #[arg(long)]
        html: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// queued, sent, kept or failed
    #[arg(long)]
    status: Option<MailStatus>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

pub(super) async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    let db = admin::open(&config).await?;
    if !config.mail.delivers() && matches!(command, Command::List(_)) {
        output::error("no mail server is set (SMTP_HOST): mail is kept here");
    }
    let outcome = execute(command, &operations(&db, &config), &mut std::io::stdout()).await;
    db.close().await?;
    outcome
}

async fn execute(command: Command, operations: &Operations, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    match command {
        Command::List(List { status, limit }) => {
            for mail in operations.mails(status, None, limit).await? {
                let error = mail.last_error.as_deref().map(|error| format!(" — {}", first_line(error))).unwrap_or_default();
                writeln!(out, "{} {} {} {} {}{error}", mail.id, shown(mail.created_at), mail.status, mail.template, mail.recipient)?;
            }
        }
        Command::Show { id, html } => {
            let mail = operations.read_mail(&By::operator(), id).await?;
            writeln!(out, "To: {}\nSubject: {}\nStatus: {}", mail.recipient, mail.subject, mail.status)?;
            if let Some(error) = &mail.last_error {
                writeln!(out, "Error: {error}")?;
            }
            let text = if html { &mail.html } else { &mail.text };
            writeln!(out, "\n{}", if text.is_empty() { "(its text was forgotten after it was sent)" } else { text })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::common::clock::SystemClock;
    use crate::infra::bus::Bus;
    use crate::infra::db::testing::migrated_sqlite;
    use crate::infra::jobs::Jobs;
    use crate::infra::mail::{Mailer, Template};

    #[tokio::test]
    async fn an_operator_reads_what_was_kept() {
        let db = migrated_sqlite().await;
        let mailer = Mailer::new(Jobs::new(db.db.clone(), Arc::new(SystemClock), Bus::new()), Arc::new(SystemClock));
        let template = Template::AlreadyRegistered { login_link: "http://b/login".to_owned(), reset_link: "http://b/reset".to_owned() };
        let id = mailer.send(db.writer(), "ada@example.com", &template).await.unwrap();
        let operations = operations(&db, &crate::auth::testing::config());
        let mut out = Vec::new();
        execute(Command::List(List { status: Some(MailStatus::Queued), limit: 10 }), &operations, &mut out).await.unwrap();
        execute(Command::Show { id, html: false }, &operations, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(&format!("{id} ")) && text.contains("queued already_registered ada@example.com"), "{text}");
        assert!(text.contains("Subject: You already have a Brokle account") && text.contains("http://b/reset"), "{text}");
    }
}
