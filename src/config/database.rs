//! `database`: where users, sessions, keys and the auth log are kept.

use super::read::{Section, Setting};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// The database and its pool.
#[derive(Debug, Clone)]
pub struct Database {
    /// `url`: `sqlite://FILE?mode=rwc`. A secret, since other databases' URLs hold passwords: a literal, `{env: NAME}`
    /// or `{file: PATH}`. Default `sqlite://gatepass.db?mode=rwc` (in the working directory).
    pub url: SecretString,
    /// `max_connections`: the most connections of this replica, 1 to 1000. Default 10.
    pub max_connections: u32,
    /// `acquire_timeout`: how long a call waits for a connection, 10ms to 1m. Default 2s.
    pub acquire_timeout: Duration,
    /// `migrate_on_start`: bring the schema up before serving. Default true.
    pub migrate_on_start: bool,
}

impl Database {
    pub(super) fn read(section: &mut Section) -> Self {
        let waits = Duration::from_millis(10)..=Duration::from_mins(1);
        Self {
            url: section.read("url", url).unwrap_or_else(|| "sqlite://gatepass.db?mode=rwc".into()),
            max_connections: section.read("max_connections", |s| s.integer(&(1..=1000))).unwrap_or(10),
            acquire_timeout: section
                .read("acquire_timeout", |s| s.duration(&waits))
                .unwrap_or(Duration::from_secs(2)),
            migrate_on_start: section.read("migrate_on_start", Setting::boolean).unwrap_or(true),
        }
    }
}

fn url(setting: Setting) -> Option<SecretString> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let url = setting.secret()?;
    let scheme = url.expose_secret().split(':').next().unwrap_or_default().to_ascii_lowercase();
    let message = match scheme.as_str() {
        "sqlite" => return Some(url),
        "postgres" | "postgresql" => "postgres:// is not in this version; write a sqlite:// URL",
        "mysql" | "mariadb" => "mysql:// is not in this version; write a sqlite:// URL",
        _ => "must begin with sqlite://; write \"sqlite://gatepass.db?mode=rwc\"",
    };
    cx.fault(&path, message);
    None
}
