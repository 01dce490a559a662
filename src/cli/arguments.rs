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
    /// The configuration file, YAML; all defaults without one.
    #[arg(long, global = true, env = "GATEPASS_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
    /// The declared claims, as a type for applications.
    #[command(subcommand)]
    Claims(Claims),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running Gatepass on this machine whether it serves; for containers.
    Health,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Callers {
    /// Make a caller's key; print it and the hash for `callers[].credential.key_sha256`.
    Key,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration and name every fault in it.
    Check,
}
