//! The commands of the program. Each returns an exit code: 64 (`EX_USAGE` of sysexits) for a fault in the command line
//! or the configuration, 1 for any other failure.
#![expect(clippy::print_stderr, reason = "this is what a person at a terminal reads")]

mod arguments;
mod callbacks;
mod claims;
mod config;
mod health;
mod keys;
mod migrate;
mod output;
mod run;
mod serve;

pub use run::run;
