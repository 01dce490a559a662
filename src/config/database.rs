//! `database`: where users, sessions, keys and the auth log are kept.

use super::read::{Section, Setting};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// The database and its pool.
#[derive(Debug, Clone)]
pub struct Database {
    /// `url`: `sqlite://FILE?mode=rwc`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `mysql://…` for MariaDB; those take
    /// `?sslmode=verify-full&sslrootcert=FILE` (MariaDB: `ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE`). A secret, since it may
    /// hold a password: a literal, `{env: NAME}` or `{file: PATH}`. Default `sqlite://gatepass.db?mode=rwc` (in the
    /// working directory).
    pub url: SecretString,
    /// `max_connections`: the most connections that calls of this replica take, 1 to 1000; one more follows the
    /// revocation feed. Default 10.
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

impl Database {
    /// Whether it is a file of this machine, or memory, and so of one replica only.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.url.expose_secret().to_ascii_lowercase().starts_with("sqlite:")
    }
}

fn url(setting: Setting) -> Option<SecretString> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let url = setting.secret()?;
    let text = url.expose_secret();
    let scheme = text.split(':').next().unwrap_or_default();
    let message = match scheme {
        "sqlite" => return Some(url),
        "postgres" | "postgresql" | "mysql" | "mariadb" => match url::Url::parse(text) {
            Ok(parsed) if parsed.path().len() > 1 => return Some(url),
            Ok(_) => format!("names no database; write \"{scheme}://USER:PASSWORD@HOST/DATABASE\""),
            // The cause is told without what it was found in: that holds a password.
            Err(cause) => {
                format!(
                    "is not a URL ({cause}); in user and password write what is not a letter, digit or - . _ ~ as %XX"
                )
            }
        },
        _ => "must begin with sqlite://, postgres:// or mysql://; write \"sqlite://gatepass.db?mode=rwc\""
            .to_owned(),
    };
    cx.fault(&path, message);
    None
}
