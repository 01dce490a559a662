//! `auth_log`: how long the log of what happened is kept, and what is not logged.

use super::duration::days;
use super::read::Section;
use std::time::Duration;

/// The names of `AuthLogAction`.
const ACTIONS: [&str; 18] = [
    "SIGN_IN",
    "SIGN_UP",
    "SIGN_IN_DENIED",
    "ACCOUNT_LINKED",
    "TOKEN_ISSUED",
    "TOKEN_DENIED",
    "TOKEN_REFRESHED",
    "TOKEN_REPLAYED",
    "REFRESH_REUSED",
    "SIGN_OUT",
    "SESSION_REVOKED",
    "USER_CREATED",
    "USER_UPDATED",
    "USER_BANNED",
    "USER_UNBANNED",
    "USER_DELETED",
    "KEY_ROTATED",
    "CALLER_DENIED",
];

/// The auth log.
#[derive(Debug, Clone)]
pub struct AuthLog {
    /// `retention`: the age at which a row is swept, 1s to 3650d. Default 400d.
    pub retention: Duration,
    /// `exclude`: actions not logged, by their name in `AuthLogAction`. Default `TOKEN_REFRESHED`.
    pub exclude: Vec<String>,
}

impl AuthLog {
    pub(super) fn read(section: &mut Section) -> Self {
        let actions = ACTIONS.map(|name| (name, name));
        Self {
            retention: section
                .read("retention", |s| s.duration(&(Duration::from_secs(1)..=days(3650))))
                .unwrap_or(days(400)),
            exclude: section
                .read("exclude", |s| s.distinct(0, ACTIONS.len(), |item| item.choice(&actions)))
                .unwrap_or_else(|| vec!["TOKEN_REFRESHED"])
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }
}
