//! `telemetry`: the log and the metrics of Gatepass itself.

use super::entry::{Absent, AnyEntry, Choice, Entry, Flag, Keys};
use super::reader::Section;

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `json`: one object a line.
    Json,
    /// `text`: for people.
    Text,
}

/// The lowest level that is logged.
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

pub(super) static TELEMETRY: Entry<Keys> = Entry {
    path: "telemetry",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The log and the metrics of Gatepass itself.",
};

static LOG_FORMAT: Entry<Choice<LogFormat>> = Entry {
    path: "telemetry.log_format",
    kind: Choice(|| vec![("json", LogFormat::Json), ("text", LogFormat::Text)]),
    absent: Absent::Means("`text` on a terminal, else `json`"),
    doc: "The form of log lines. The log goes to standard error.",
};

static LOG_LEVEL: Entry<Choice<LogLevel>> = Entry {
    path: "telemetry.log_level",
    kind: Choice(|| {
        vec![
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ]
    }),
    absent: Absent::Default("info"),
    doc: "The lowest level that is logged.",
};

static METRICS: Entry<Flag> = Entry {
    path: "telemetry.metrics",
    kind: Flag,
    absent: Absent::Default("true"),
    doc: "Serves `/metrics` on `server.admin_addr`.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&TELEMETRY, &LOG_FORMAT, &LOG_LEVEL, &METRICS]
}

/// Log and metrics.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The form of log lines; `None` chooses by the kind of output.
    pub log_format: Option<LogFormat>,
    /// The lowest level that is logged.
    pub log_level: LogLevel,
    /// True if `/metrics` is served.
    pub metrics: bool,
}

impl Telemetry {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        section.not_yet("otlp_endpoint");
        Some(Self {
            log_format: section.get(&LOG_FORMAT),
            log_level: section.get(&LOG_LEVEL)?,
            metrics: section.get(&METRICS)?,
        })
    }
}
