//! `telemetry`: what Gatepass tells of itself.

use super::read::{Section, Setting};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `json`: one object a line.
    Json,
    /// `text`: for people.
    Text,
}

/// The least weighty lines that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `error`
    Error,
    /// `warn`
    Warn,
    /// `info`
    Info,
    /// `debug`
    Debug,
    /// `trace`
    Trace,
}

/// Log and metrics.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// `log_format`: json or text. Default (`None`) json where the output is no terminal, else text.
    pub log_format: Option<LogFormat>,
    /// `log_level`: error, warn, info, debug or trace. Default info.
    pub log_level: LogLevel,
    /// `metrics`: serve `/metrics` on `server.admin_addr`. Default true.
    pub metrics: bool,
}

impl Telemetry {
    pub(super) fn read(section: &mut Section) -> Self {
        section.not_yet("otlp_endpoint");
        Self {
            log_format: section
                .read("log_format", |s| s.choice(&[("json", LogFormat::Json), ("text", LogFormat::Text)])),
            log_level: section
                .read("log_level", |s| {
                    s.choice(&[
                        ("error", LogLevel::Error),
                        ("warn", LogLevel::Warn),
                        ("info", LogLevel::Info),
                        ("debug", LogLevel::Debug),
                        ("trace", LogLevel::Trace),
                    ])
                })
                .unwrap_or(LogLevel::Info),
            metrics: section.read("metrics", Setting::boolean).unwrap_or(true),
        }
    }
}
