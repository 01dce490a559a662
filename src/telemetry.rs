//! The log. Code must never log tokens, codes, e-mail addresses or bodies, because nothing here could remove them.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, LogLevel, Telemetry};

/// Starts the log to standard error: text on a terminal, otherwise JSON, unless configured differently.
pub fn start(telemetry: &Telemetry) {
    let terminal = std::io::stderr().is_terminal();
    let level = match telemetry.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Statements and frames logged by libraries are excluded, because they could contain confidential values.
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
    // If the embedding program has already set a subscriber, that one is kept.
    drop(started);
    std::panic::set_hook(Box::new(|panic| {
        // Only the location is logged, because the payload may contain data of the request.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
