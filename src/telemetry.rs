//! The log. Tokens, codes, e-mail addresses and bodies are never in it: nothing here could take them out again.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel, Telemetry};

/// Writes the log to standard error from now on: JSON off a terminal, text on one, unless the configuration says.
pub fn start(telemetry: &Telemetry) {
    let terminal = std::io::stderr().is_terminal();
    let level = match telemetry.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Statements and frames of the libraries are theirs: their values could be ours.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_target("gatepass", level)
        .with_default(level.min(LevelFilter::WARN));
    let format = telemetry.log_format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Text => {
            registry.with(fmt::layer().with_ansi(terminal).with_writer(std::io::stderr)).try_init()
        }
    };
    // A program that embeds Gatepass has a subscriber of its own; then that one stays.
    drop(started);
    std::panic::set_hook(Box::new(|panic| {
        // Where, and not what: the payload may hold what the handler was at.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
