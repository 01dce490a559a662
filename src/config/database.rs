//! `database`: the database of users, sessions, keys and the auth log.

use super::entry::{Absent, AnyEntry, Entry, Flag, Keys, Secret, Span, Whole};
use super::reader::Section;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

pub(super) static DATABASE: Entry<Keys> = Entry {
    path: "database",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The database of users, sessions, keys and the auth log, and its pool.",
};

static URL: Entry<Secret<SecretString>> = Entry {
    path: "database.url",
    kind: Secret(parse),
    absent: Absent::Default("sqlite://gatepass.db?mode=rwc"),
    doc: "The address of the database: `sqlite://FILE?mode=rwc`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `mysql://…` \
          for MariaDB. The latter two take `?sslmode=verify-full&sslrootcert=FILE` (MariaDB: \
          `ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE`). It may hold a password, so it may also be `{env: NAME}` or `{file: PATH}`.",
};

static MAX_CONNECTIONS: Entry<Whole<u32>> = Entry {
    path: "database.max_connections",
    kind: Whole(1..=1000, "connections"),
    absent: Absent::Default("10"),
    doc: "The maximum number of connections for the calls of this replica. One more follows the revocation feed.",
};

static ACQUIRE_TIMEOUT: Entry<Span> = Entry {
    path: "database.acquire_timeout",
    kind: Span(Duration::from_millis(10)..=Duration::from_mins(1)),
    absent: Absent::Default("2s"),
    doc: "The longest time that a call waits for a connection.",
};

static MIGRATE_ON_START: Entry<Flag> = Entry {
    path: "database.migrate_on_start",
    kind: Flag,
    absent: Absent::Default("true"),
    doc: "Migrates the schema before serving. Otherwise Gatepass waits for `gatepass migrate`.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&DATABASE, &URL, &MAX_CONNECTIONS, &ACQUIRE_TIMEOUT, &MIGRATE_ON_START]
}

/// The database and its pool.
#[derive(Debug, Clone)]
pub struct Database {
    /// The address, which may hold a password.
    pub url: SecretString,
    /// The maximum number of connections that the calls of this replica take.
    pub max_connections: u32,
    /// The longest time that a call waits for a connection.
    pub acquire_timeout: Duration,
    /// True if the schema is brought up to date before serving.
    pub migrate_on_start: bool,
}

impl Database {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        Some(Self {
            url: section.get(&URL)?,
            max_connections: section.get(&MAX_CONNECTIONS)?,
            acquire_timeout: section.get(&ACQUIRE_TIMEOUT)?,
            migrate_on_start: section.get(&MIGRATE_ON_START)?,
        })
    }

    /// Returns true for SQLite, in a file or in memory: a database for one replica only.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        let scheme = self.url.expose_secret().split_once(':').map_or("", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("sqlite")
    }
}

fn parse(url: SecretString) -> Result<SecretString, String> {
    let text = url.expose_secret();
    let scheme = text.split(':').next().unwrap_or_default();
    Err(match scheme {
        "sqlite" => return Ok(url),
        "postgres" | "postgresql" | "mysql" | "mariadb" => match url::Url::parse(text) {
            Ok(parsed) if parsed.path().len() > 1 => return Ok(url),
            Ok(_) => format!("names no database; write \"{scheme}://USER:PASSWORD@HOST/DATABASE\""),
            // The cause is reported without its context, which holds a password.
            Err(cause) => {
                format!(
                    "is not a URL ({cause}); in user and password write all but letters, digits and - . _ ~ as %XX"
                )
            }
        },
        _ => "must begin with sqlite://, postgres:// or mysql://; write \"sqlite://gatepass.db?mode=rwc\""
            .to_owned(),
    })
}
