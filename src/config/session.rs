//! `session`: how long sessions live, how refresh tokens are replayed, how fresh a revocation is, and whether
//! access tokens tell of a session or name it.

use super::duration::days;
use super::read::{Section, Setting};
use crate::auth::{LateRetry, Strategy};
use crate::model::claims::is_reserved;
use std::time::Duration;

/// Sessions.
#[derive(Debug, Clone)]
pub struct Session {
    /// `strategy`: jwt or database; which kind of access token is issued. Default jwt.
    pub strategy: Strategy,
    /// `idle_ttl`: a session not refreshed for so long has ended, 1s to 3650d, at most `max_age`. Default 30d, or
    /// `max_age` if that is shorter.
    pub idle_ttl: Duration,
    /// `max_age`: a session this old has ended, however much it is used, 1s to 3650d. Default 90d.
    pub max_age: Duration,
    /// `refresh_retry_window`: how long a spent refresh token still answers its successor, 0s (never) to 5m.
    /// Default 10s.
    pub refresh_retry_window: Duration,
    /// `late_retry`: revoke or recover. Default revoke.
    pub late_retry: LateRetry,
    /// `max_staleness`: a change holds on every replica within this, 50ms to 1m. Default 1s.
    pub max_staleness: Duration,
    /// `stale_limit`: how long a replica answers without news of revocations, `max_staleness` to 1h. Default 30s, or
    /// `max_staleness` if that is longer.
    pub stale_limit: Duration,
    /// `update_allow`: the claims that a client's `update` may change; at most 64. Default none.
    pub update_allow: Vec<String>,
}

impl Session {
    pub(super) fn read(section: &mut Section) -> Self {
        let (seconds, millis) = (Duration::from_secs, Duration::from_millis);
        let lives = seconds(1)..=days(3650);
        let max_age = section.read("max_age", |s| s.duration(&lives)).unwrap_or(days(90));
        let max_staleness =
            section.read("max_staleness", |s| s.duration(&(millis(50)..=seconds(60)))).unwrap_or(seconds(1));
        Self {
            strategy: section
                .read("strategy", |s| s.choice(&[("jwt", Strategy::Jwt), ("database", Strategy::Database)]))
                .unwrap_or(Strategy::Jwt),
            // A default gives way to what is written; two written values that clash are a fault (check.rs).
            idle_ttl: section.read("idle_ttl", |s| s.duration(&lives)).unwrap_or(days(30).min(max_age)),
            max_age,
            refresh_retry_window: section
                .read("refresh_retry_window", |s| s.duration(&(Duration::ZERO..=seconds(300))))
                .unwrap_or(seconds(10)),
            late_retry: section
                .read("late_retry", |s| {
                    s.choice(&[("revoke", LateRetry::Revoke), ("recover", LateRetry::Recover)])
                })
                .unwrap_or(LateRetry::Revoke),
            max_staleness,
            stale_limit: section
                .read("stale_limit", |s| s.duration(&(millis(50)..=seconds(3600))))
                .unwrap_or(seconds(30).max(max_staleness)),
            update_allow: section.read("update_allow", |s| s.distinct(0, 64, claim)).unwrap_or_default(),
        }
    }
}

fn claim(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    if is_reserved(&text) {
        return setting.refuse("is a registered claim or one of ours, which only Gatepass sets");
    }
    if text.len() > 64 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return setting.refuse("must be the name of a claim: at most 64 bytes, no white space");
    }
    Some(text)
}
