//! `session`: the lifetime of sessions, the replay of refresh tokens, the freshness of revocations, and the kind of
//! access tokens.

use super::entry::{Absent, AnyEntry, Choice, Entry, Keys, List, Parsed, Span, Text};
use super::reader::{Section, days, spell};
use crate::auth::{LateRetry, Strategy};
use crate::model::claims::{grants_permissions, is_reserved};
use std::ops::RangeInclusive;
use std::time::Duration;

const LIVES: RangeInclusive<Duration> = Duration::from_secs(1)..=days(3650);
const LEAST_STALENESS: Duration = Duration::from_millis(50);

pub(super) static SESSION: Entry<Keys> =
    Entry { path: "session", kind: Keys, absent: Absent::Default("{}"), doc: "Sessions and refresh tokens." };

static STRATEGY: Entry<Choice<Strategy>> = Entry {
    path: "session.strategy",
    kind: Choice(|| vec![("jwt", Strategy::Jwt), ("database", Strategy::Database)]),
    absent: Absent::Default("jwt"),
    doc: "The kind of access tokens that is issued: `jwt`, or `database` for references to the session. Both are read.",
};

static IDLE_TTL: Entry<Span> = Entry {
    path: "session.idle_ttl",
    kind: Span(LIVES),
    absent: Absent::Default("30d"),
    doc: "The time without a refresh after which a session ends; at most `max_age`. The default is `max_age` if that is \
          shorter.",
};

static MAX_AGE: Entry<Span> = Entry {
    path: "session.max_age",
    kind: Span(LIVES),
    absent: Absent::Default("90d"),
    doc: "The age at which a session ends, even if it is still used.",
};

static REFRESH_RETRY_WINDOW: Entry<Span> = Entry {
    path: "session.refresh_retry_window",
    kind: Span(Duration::ZERO..=Duration::from_mins(5)),
    absent: Absent::Default("10s"),
    doc: "The time for which a spent refresh token still returns the live one; `0s` is never. Within it a session is \
          rotated at most eight times.",
};

static LATE_RETRY: Entry<Choice<LateRetry>> = Entry {
    path: "session.late_retry",
    kind: Choice(|| vec![("revoke", LateRetry::Revoke), ("recover", LateRetry::Recover)]),
    absent: Absent::Default("revoke"),
    doc: "The rule for the direct predecessor of a refresh token that is used later: `revoke` ends the session, \
          `recover` replaces an unused successor.",
};

static MAX_STALENESS: Entry<Span> = Entry {
    path: "session.max_staleness",
    kind: Span(LEAST_STALENESS..=Duration::from_mins(1)),
    absent: Absent::Default("1s"),
    doc: "The time within which a change takes effect on every replica. Session rows are cached for the same time.",
};

static STALE_LIMIT: Entry<Span> = Entry {
    path: "session.stale_limit",
    kind: Span(LEAST_STALENESS..=Duration::from_hours(1)),
    absent: Absent::Default("30s"),
    doc: "The time for which sessions are read while the revocation feed is unavailable; at least `max_staleness`. The default \
          is `max_staleness` if that is longer.",
};

static UPDATE_ALLOW: Entry<List<Text<String>>> = Entry {
    path: "session.update_allow",
    kind: List {
        least: 0,
        most: 64,
        item: Text { what: "name of a claim", pattern: None, parse: claim },
        empty: None,
    },
    absent: Absent::Default("[]"),
    doc: "The claims that a client's `update` may change.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![
        &SESSION,
        &STRATEGY,
        &IDLE_TTL,
        &MAX_AGE,
        &REFRESH_RETRY_WINDOW,
        &LATE_RETRY,
        &MAX_STALENESS,
        &STALE_LIMIT,
        &UPDATE_ALLOW,
    ]
}

/// Sessions.
#[derive(Debug, Clone)]
pub struct Session {
    /// The kind of access tokens that is issued.
    pub strategy: Strategy,
    /// The time without a refresh after which a session ends.
    pub idle_ttl: Duration,
    /// The age at which a session ends.
    pub max_age: Duration,
    /// The time for which a spent refresh token still returns its successor.
    pub refresh_retry_window: Duration,
    /// The rule for a spent refresh token that comes back later.
    pub late_retry: LateRetry,
    /// The time within which a change takes effect on every replica.
    pub max_staleness: Duration,
    /// The time for which sessions are read without new revocation data.
    pub stale_limit: Duration,
    /// The claims that a client's `update` may change.
    pub update_allow: Vec<String>,
}

impl Session {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let max_age = section.get(&MAX_AGE)?;
        let max_staleness = section.get(&MAX_STALENESS)?;
        let spelt = |duration: &Duration| spell(*duration);
        Some(Self {
            strategy: section.get(&STRATEGY)?,
            // A default adapts to written settings; two written values that clash are a fault (check.rs).
            idle_ttl: section.get_adapted(&IDLE_TTL, |default| default.min(max_age), spelt)?,
            max_age,
            refresh_retry_window: section.get(&REFRESH_RETRY_WINDOW)?,
            late_retry: section.get(&LATE_RETRY)?,
            max_staleness,
            stale_limit: section.get_adapted(&STALE_LIMIT, |default| default.max(max_staleness), spelt)?,
            update_allow: section.get(&UPDATE_ALLOW)?,
        })
    }
}

fn claim(text: &str) -> Parsed<String> {
    if is_reserved(text) {
        return Err("is a claim that only Gatepass sets".into());
    }
    if grants_permissions(text) {
        return Err("grants permissions, so no client may change it; set it in a jwt callback".into());
    }
    if text.len() > 64 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must be the name of a claim: at most 64 bytes, no white space".into());
    }
    Ok(text.to_owned())
}
