//! The output of commands, and their exit codes.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::app::StartFault;

/// The exit code for a fault in the command line or the configuration.
pub(super) const EX_USAGE: u8 = 64;

/// Prints a line. A closed pipe is no failure, because the command has already done its work.
pub(super) fn print(line: impl Display) -> Result<(), ExitCode> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("cannot write to standard output: {error}");
            Err(ExitCode::FAILURE)
        }
        _ => Ok(()),
    }
}

/// Prints the output of a successful command.
pub(super) fn printed<T: Display>(lines: impl IntoIterator<Item = T>) -> ExitCode {
    lines.into_iter().try_for_each(print).err().unwrap_or(ExitCode::SUCCESS)
}

/// Prints the output of a command, or the fault that stopped it.
pub(super) fn said(outcome: Result<Vec<String>, StartFault>) -> ExitCode {
    match outcome {
        Ok(lines) => printed(lines),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the faults of the command line or the configuration.
pub(super) fn at_fault<T: Display>(faults: impl IntoIterator<Item = T>) -> ExitCode {
    for fault in faults {
        eprintln!("{fault}");
    }
    ExitCode::from(EX_USAGE)
}
