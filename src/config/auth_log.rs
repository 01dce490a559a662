//! `auth_log`: the log of changes to users and sessions.

use super::entry::{Absent, AnyEntry, Choice, Entry, Keys, List, Span};
use super::reader::{Section, days};
use crate::model::AuthLogAction;
use std::time::Duration;

pub(super) static AUTH_LOG: Entry<Keys> = Entry {
    path: "auth_log",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The log of security events of users and sessions.",
};

static RETENTION: Entry<Span> = Entry {
    path: "auth_log.retention",
    kind: Span(Duration::from_secs(1)..=days(3650)),
    absent: Absent::Default("400d"),
    doc: "The age at which a row is deleted.",
};

static EXCLUDE: Entry<List<Choice<AuthLogAction>>> = Entry {
    path: "auth_log.exclude",
    kind: List { least: 0, most: AuthLogAction::ALL.len(), item: Choice(actions), empty: None },
    absent: Absent::Default("[TOKEN_REFRESHED]"),
    doc: "The actions that are not logged, by their names in `AuthLogAction`.",
};

fn actions() -> Vec<(&'static str, AuthLogAction)> {
    AuthLogAction::ALL.iter().map(|action| (action.name(), *action)).collect()
}

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&AUTH_LOG, &RETENTION, &EXCLUDE]
}

/// The auth log.
#[derive(Debug, Clone)]
pub struct AuthLog {
    /// The age at which a row is deleted.
    pub retention: Duration,
    /// The actions that are not logged.
    pub exclude: Vec<AuthLogAction>,
}

impl AuthLog {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        Some(Self { retention: section.get(&RETENTION)?, exclude: section.get(&EXCLUDE)? })
    }
}
