//! The commands of the program. Each answers an exit code: 64 where the command line or the configuration is at
//! fault (`EX_USAGE` of sysexits), 1 where something else is.
#![expect(clippy::print_stderr, reason = "this is what a person at a terminal reads")]

mod callbacks;
mod health;
mod keys;
mod serve;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use callbacks::Callbacks;
use keys::Keys;

use crate::app::{self, StartFault};
use crate::config::{self, Config};

const EX_USAGE: u8 = 64;

/// The four Auth.js callbacks as a gRPC authentication microservice.
#[derive(Debug, Parser)]
#[command(name = "gatepass", version, about)]
struct Arguments {
    /// The configuration file, YAML; all defaults without one.
    #[arg(long, global = true, env = "GATEPASS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT (the default).
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// The backends that may call.
    #[command(subcommand)]
    Callers(Callers),
    /// The configured callbacks.
    #[command(subcommand)]
    Callbacks(Callbacks),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running Gatepass on this machine whether it serves; for containers.
    Health,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Callers {
    /// Make a caller's key; print it and the hash for `callers[].credential.key_sha256`.
    Key,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and name every fault in it.
    Check,
}

/// Runs the program with the process's arguments and environment.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if let Some(Command::Callers(Callers::Key)) = arguments.command {
        return keys::make_caller_key();
    }
    let config = match config::load(arguments.config.as_deref(), std::env::vars_os()) {
        Ok(config) => config,
        Err(faults) => return at_fault([faults]),
    };
    match arguments.command.unwrap_or(Command::Serve) {
        // Boxed, since it is large.
        Command::Serve => Box::pin(serve::serve(config)).await,
        Command::Migrate => migrate(&config).await,
        Command::Keys(command) => command.run(&config).await,
        Command::Callbacks(command) => command.run(&config).await,
        Command::Config(ConfigCommand::Check) => check(&config),
        Command::Health => health::health(&config).await,
        Command::Callers(Callers::Key) => ExitCode::SUCCESS,
    }
}

/// Prints a line. That nobody reads on is no failure: what a command did is done.
fn print(line: impl Display) -> Result<(), ExitCode> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("standard output: {error}");
            Err(ExitCode::FAILURE)
        }
        _ => Ok(()),
    }
}

/// Prints what a command that succeeded has to say.
fn printed<T: Display>(lines: impl IntoIterator<Item = T>) -> ExitCode {
    lines.into_iter().try_for_each(print).err().unwrap_or(ExitCode::SUCCESS)
}

/// Prints what a command did, or why it could not.
fn said(outcome: Result<Vec<String>, StartFault>) -> ExitCode {
    match outcome {
        Ok(lines) => printed(lines),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

async fn migrate(config: &Config) -> ExitCode {
    said(app::migrate(config).await.map(|()| vec!["the schema is up to date".to_owned()]))
}

fn check(config: &Config) -> ExitCode {
    let faults = app::check(config);
    if faults.is_empty() { printed(["the configuration is sound"]) } else { at_fault(faults) }
}

/// Tells what is wrong with what it was given.
fn at_fault<T: Display>(faults: impl IntoIterator<Item = T>) -> ExitCode {
    for fault in faults {
        eprintln!("{fault}");
    }
    ExitCode::from(EX_USAGE)
}
