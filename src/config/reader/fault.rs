//! Faults of a configuration and their places. Every fault names the file and line or the variable it came from, the
//! path of the setting, and what to write instead. A value is never quoted, since it may be a misplaced secret. The
//! only exception is the name of a missing file or variable, if it looks like one.

use std::fmt;
use std::sync::Arc;

/// The place where a setting was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::config) enum Origin {
    File { name: Arc<str>, line: u64 },
    Variable(Arc<str>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line: 0 } | Self::Variable(name) => f.write_str(name),
            Self::File { name, line } => write!(f, "{name}:{line}"),
        }
    }
}

/// One fault: `gatepass.yaml:12: server.grpc_adr: unknown key; did you mean "grpc_addr"?`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(in crate::config) origin: Option<Origin>,
    pub(in crate::config) path: String,
    pub(in crate::config) message: String,
}

impl Fault {
    /// Returns the path of the setting (`server.grpc_addr`, `callers[0].id`); empty if the whole file is at fault.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// All faults of a configuration, one line each: the file's by line, then the variables', then the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub(in crate::config) fn new(mut faults: Vec<Fault>) -> Self {
        faults.sort_by(|a, b| (a.origin.is_none(), &a.origin).cmp(&(b.origin.is_none(), &b.origin)));
        Self(faults)
    }

    /// Returns the faults, in the order they are shown.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let end_of_last = if index == 0 { "" } else { "\n" };
            write!(f, "{end_of_last}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_shown_by_line_then_by_variable_then_the_rest() {
        let file = |line| Some(Origin::File { name: "g.yaml".into(), line });
        let fault =
            |origin, message: &str| Fault { origin, path: "a.b".to_owned(), message: message.to_owned() };
        let variable = Some(Origin::Variable("GATEPASS_A__B".into()));
        let faults = vec![
            fault(None, "nowhere"),
            fault(variable, "set"),
            fault(file(12), "late"),
            fault(file(2), "early"),
            Fault { origin: file(0), path: String::new(), message: "whole".to_owned() },
        ];
        assert_eq!(
            Faults::new(faults).to_string(),
            "g.yaml: whole\ng.yaml:2: a.b: early\ng.yaml:12: a.b: late\nGATEPASS_A__B: a.b: set\na.b: nowhere"
        );
    }
}
