//! The command line.

mod admin;
mod configuration;
mod demo;
mod doctor;
mod engine;
mod health;
mod jobs;
mod mail;
mod migrate;
mod openapi;
mod output;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Environment};
use crate::infra::telemetry;

/// See, control and pay for what your LLM applications do.
#[derive(Debug, Parser)]
#[command(name = "brokle", version, about, after_help = "Without a command, `serve`. Settings: `brokle config docs`.")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run: standalone, or as APP_MODE says (server, worker)
    Serve,
    /// Bring the databases to this version's schema
    Migrate(migrate::Arguments),
    /// Check, print or explain the configuration
    #[command(subcommand)]
    Config(configuration::Command),
    /// Make users and keys, reset passwords
    #[command(subcommand)]
    Admin(admin::Command),
    /// Look at background jobs, try them again, cancel them
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Read the mail that was sent, or kept where there is no mail server
    #[command(subcommand)]
    Mail(mail::Command),
    /// Serve the embedded ClickHouse engine over TCP
    Engine(engine::Arguments),
    /// Send a realistic set of traces to a running Brokle
    Demo(demo::Args),
    /// Check versions, connections and disk, and say what to do
    Doctor,
    /// Ask a running Brokle whether it is ready (for container health checks)
    Health(health::Arguments),
    /// Print the OpenAPI document
    Openapi,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::anyhow!("cannot start the runtime: {error}")),
    };
    let code = runtime.block_on(run(arguments.command.unwrap_or(Command::Serve))).unwrap_or_else(|error| fail(&error));
    // A blocking task that hangs must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    match command {
        Command::Serve => {
            let config = Config::load(&environment)?;
            let guard = telemetry::init(&config)?;
            let code = serve::run(config).await;
            tokio::task::spawn_blocking(move || guard.shutdown()).await?;
            return code;
        }
        Command::Config(command) => return configuration::run(&command, &environment),
        Command::Openapi => openapi::run()?,
        Command::Demo(arguments) => demo::run(arguments).await?,
        Command::Health(arguments) => return health::run(&arguments, &environment).await,
        Command::Migrate(arguments) => return migrate::run(&arguments, Config::load(&environment)?).await,
        Command::Admin(command) => admin::run(command, Config::load(&environment)?).await?,
        Command::Jobs(command) => jobs::run(command, Config::load(&environment)?).await?,
        Command::Mail(command) => mail::run(command, Config::load(&environment)?).await?,
        Command::Engine(arguments) => {
            let config = Config::load(&environment)?;
            let _guard = telemetry::init(&config)?;
            return engine::run(arguments, &config).await;
        }
        Command::Doctor => return doctor::run(&environment).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn fail(error: &anyhow::Error) -> ExitCode {
    output::error(&format!("brokle: {error:#}"));
    ExitCode::FAILURE
}
