//! The output of commands, and their exit codes.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::app::StartFault;

/// The command line or the configuration is at fault.
pub(super) const EX_USAGE: u8 = 64;

/// Prints a line. That nobody reads on is no failure: what a command did is done.
pub(super) fn print(line: impl Display) -> Result<(), ExitCode> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("standard output: {error}");
            Err(ExitCode::FAILURE)
        }
        _ => Ok(()),
    }
}

/// Prints what a command that succeeded has to say.
pub(super) fn printed<T: Display>(lines: impl IntoIterator<Item = T>) -> ExitCode {
    lines.into_iter().try_for_each(print).err().unwrap_or(ExitCode::SUCCESS)
}

/// Prints what a command did, or why it could not.
pub(super) fn said(outcome: Result<Vec<String>, StartFault>) -> ExitCode {
    match outcome {
        Ok(lines) => printed(lines),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// Tells what is wrong with what it was given.
pub(super) fn at_fault<T: Display>(faults: impl IntoIterator<Item = T>) -> ExitCode {
    for fault in faults {
        eprintln!("{fault}");
    }
    ExitCode::from(EX_USAGE)
}
