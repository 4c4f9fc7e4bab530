//! `brokle jobs list|show|retry|cancel|schedules`: background work, for operators with a shell.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::admin;
use crate::administration::Operations;
use crate::audit::{Audit, By};
use crate::common::clock::{SharedClock, SystemClock};
use crate::common::id::JobId;
use crate::config::Config;
use crate::enterprise::Enterprise;
use crate::infra::bus::Bus;
use crate::infra::db::Database;
use crate::infra::jobs::{Filter, Jobs, Status, StoredJob};
use crate::infra::mail::{MailStatus, Mailer};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the newest jobs
    List(List),
    /// Show a job with its data
    Show {
        /// The job's id
        id: JobId,
    },
    /// Try a job again that is dead or cancelled, or one now that waits for its next attempt
    Retry {
        /// The job's id
        id: JobId,
    },
    /// Stop a job: one that waits at once, one that runs within some seconds
    Cancel {
        /// The job's id
        id: JobId,
    },
    /// List what is done again and again
    Schedules,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// queued, running, done, dead or cancelled
    #[arg(long)]
    status: Option<Status>,
    /// Jobs of this kind, such as send_mail
    #[arg(long)]
    kind: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: u64,
}

pub(super) async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    let db = admin::open(&config).await?;
    let outcome = execute(command, &operations(&db, &config), &mut std::io::stdout()).await;
    db.close().await?;
    outcome
}

/// The administration on a database, beside the processes that run: those look every second.
pub(super) fn operations(db: &Database, config: &Config) -> Operations {
    let clock: SharedClock = Arc::new(SystemClock);
    let jobs = Jobs::new(db.clone(), clock.clone(), Bus::new());
    let mailer = Mailer::new(jobs.clone(), clock.clone()).delivering(config.mail.delivers());
    let compliance = Enterprise::new(config, clock.clone()).seams.compliance;
    Operations::new(db.clone(), jobs, mailer, Audit::new(db.clone(), clock, compliance))
}

/// Jobs that were given up, and mails that could not be sent.
pub(super) async fn left_behind(db: &Database) -> anyhow::Result<(i64, u64)> {
    let clock: SharedClock = Arc::new(SystemClock);
    let jobs = Jobs::new(db.clone(), clock.clone(), Bus::new());
    let summary = jobs.summary().await?;
    let dead = summary.counts.iter().filter(|count| count.status == Status::Dead.name()).map(|count| count.count).sum();
    Ok((dead, Mailer::new(jobs, clock).count(MailStatus::Failed).await?))
}

async fn execute(command: Command, operations: &Operations, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    match command {
        Command::List(List { status, kind, limit }) => {
            for job in operations.jobs(&Filter { status, kind }, None, limit).await? {
                let error = job.last_error.as_deref().map(|error| format!(" — {}", first_line(error))).unwrap_or_default();
                writeln!(
                    out,
                    "{} {} {} {} {}/{}{error}",
                    job.id,
                    shown(job.created_at),
                    job.status,
                    job.kind,
                    job.attempts,
                    job.max_attempts
                )?;
            }
        }
        Command::Show { id } => show(&operations.job(id).await?, out)?,
        Command::Retry { id } => {
            let job = operations.retry_job(&By::operator(), id).await?;
            writeln!(out, "job: {} ({}) is {}", job.id, job.kind, job.status)?;
        }
        Command::Cancel { id } => {
            let job = operations.cancel_job(&By::operator(), id).await?;
            let state = if job.status == Status::Running.name() { "asked to stop" } else { job.status.as_str() };
            writeln!(out, "job: {} ({}) is {state}", job.id, job.kind)?;
        }
        Command::Schedules => {
            for schedule in operations.schedules().await? {
                let last = schedule.last_at.map_or_else(|| "never".to_owned(), shown);
                writeln!(out, "{} ({}, {}) next: {}, last: {last}", schedule.name, schedule.cron, schedule.kind, shown(schedule.next_at))?;
            }
        }
    }
    Ok(())
}

fn show(job: &StoredJob, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "id:       {}\nkind:     {}\nstatus:   {}", job.id, job.kind, job.status)?;
    if let Some(key) = &job.key {
        writeln!(out, "key:      {key}")?;
    }
    writeln!(out, "attempts: {} of {}\nrun at:   {}", job.attempts, job.max_attempts, shown(job.run_at))?;
    if job.progress_done > 0 || job.progress_note.is_some() {
        let total = job.progress_total.map(|total| format!(" of {total}")).unwrap_or_default();
        writeln!(out, "progress: {}{total} {}", job.progress_done, job.progress_note.as_deref().unwrap_or_default())?;
    }
    if let (Some(runner), Some(until)) = (&job.leased_by, job.lease_until) {
        writeln!(out, "held by:  {runner} until {}", shown(until))?;
    }
    if let Some(error) = &job.last_error {
        writeln!(out, "error:    {error}")?;
    }
    writeln!(out, "created:  {}", shown(job.created_at))?;
    if let Some(finished) = job.finished_at {
        writeln!(out, "ended:    {}", shown(finished))?;
    }
    let payload: serde_json::Value = serde_json::from_str(&job.payload).context("the job's data is not JSON")?;
    writeln!(out, "data:     {payload}")?;
    Ok(())
}

pub(super) fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::{FromArgMatches, Subcommand};

    use super::*;
    use crate::infra::db::testing::migrated_sqlite;
    use crate::infra::jobs::{PruneJobs, Queued};

    async fn brokle_jobs(operations: &Operations, line: &str) -> anyhow::Result<String> {
        let matches = Command::augment_subcommands(clap::Command::new("jobs")).try_get_matches_from(format!("jobs {line}").split(' '))?;
        let mut out = Vec::new();
        execute(Command::from_arg_matches(&matches)?, operations, &mut out).await?;
        Ok(String::from_utf8(out)?)
    }

    #[tokio::test]
    async fn an_operator_sees_cancels_and_tries_again() {
        let db = migrated_sqlite().await;
        let operations = operations(&db, &crate::auth::testing::config());
        let jobs = Jobs::new(db.db.clone(), Arc::new(SystemClock), Bus::new());
        let id = jobs.enqueue(db.writer(), &PruneJobs {}, Queued::default()).await.unwrap().unwrap();
        let listed = brokle_jobs(&operations, "list --status queued").await.unwrap();
        assert!(listed.contains(&id.to_string()) && listed.contains("queued prune_jobs 0/10"), "{listed}");
        assert_eq!(brokle_jobs(&operations, "list --status dead").await.unwrap(), "");
        assert!(brokle_jobs(&operations, "list --status lost").await.is_err());
        assert!(brokle_jobs(&operations, &format!("cancel {id}")).await.unwrap().contains("is cancelled"));
        assert!(brokle_jobs(&operations, &format!("cancel {id}")).await.unwrap_err().to_string().contains("the job is cancelled"));
        assert!(brokle_jobs(&operations, &format!("retry {id}")).await.unwrap().contains("is queued"));
        let shown = brokle_jobs(&operations, &format!("show {id}")).await.unwrap();
        assert!(shown.contains("status:   queued") && shown.contains("data:     {}"), "{shown}");
        assert_eq!(brokle_jobs(&operations, "schedules").await.unwrap(), "");
    }
}
