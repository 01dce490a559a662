//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::callbacks::Callbacks;
use super::claims::Claims;
use super::keys::Keys;

/// The four Auth.js callbacks as a gRPC authentication microservice.
#[derive(Debug, Parser)]
#[command(name = "gatepass", version, about)]
pub(super) struct Arguments {
    /// Configuration file (YAML); without one, every setting has its default.
    #[arg(long, global = true, env = "GATEPASS_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server until SIGTERM or SIGINT (the default).
    Serve,
    /// Migrate the database schema to this version.
    Migrate,
    /// Manage the signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Manage the callers.
    #[command(subcommand)]
    Callers(Callers),
    /// Test the configured callbacks.
    #[command(subcommand)]
    Callbacks(Callbacks),
    /// Print the declared claims as a type for applications.
    #[command(subcommand)]
    Claims(Claims),
    /// Check the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check that Gatepass is serving on this machine; for container health checks.
    Health,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Callers {
    /// Generate a caller key; print it and its hash for `callers[].credential.key_sha256`.
    Key,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Validate the configuration and report every fault.
    Check,
}
