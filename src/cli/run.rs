//! Dispatches the arguments to the command that they name.

use std::process::ExitCode;

use clap::Parser as _;

use super::arguments::{Arguments, Callers, Command, ConfigCommand};
use super::output::{EX_USAGE, at_fault};
use super::{config, health, keys, migrate, serve};

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
    let settings = match crate::config::load(arguments.config.as_deref(), std::env::vars_os()) {
        Ok(config) => config,
        Err(faults) => return at_fault([faults]),
    };
    match arguments.command.unwrap_or(Command::Serve) {
        // Boxed, since it is large.
        Command::Serve => Box::pin(serve::serve(settings)).await,
        Command::Migrate => migrate::migrate(&settings).await,
        Command::Keys(command) => command.run(&settings).await,
        Command::Callbacks(command) => command.run(&settings).await,
        Command::Claims(command) => command.run(&settings),
        Command::Config(ConfigCommand::Check) => config::check(settings),
        Command::Health => health::health(&settings).await,
        Command::Callers(Callers::Key) => ExitCode::SUCCESS,
    }
}
