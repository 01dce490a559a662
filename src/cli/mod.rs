//! The commands of the program. Each answers an exit code: 64 where the command line or the configuration is at
//! fault (`EX_USAGE` of sysexits), 1 where something else is.
#![expect(clippy::print_stderr, reason = "this is what a person at a terminal reads")]

mod arguments;
mod callbacks;
mod config;
mod health;
mod keys;
mod migrate;
mod output;
mod run;
mod serve;

pub use run::run;
