//! The limit of file descriptors. Each connection holds one. A process without free descriptors can neither accept
//! connections, reach the database nor read a file. So the listeners accept only as many connections as fit beside the
//! other descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Descriptors for listeners, logs, the runtime, reloaded files, and connections to providers and callback services.
const OWN: u64 = 64;
/// The files that SQLite opens for each connection: the database, its write-ahead log and the index of the log.
const SQLITE_FILES: u64 = 3;
/// Connections beside `database.max_connections`: one to follow revocations, and SQLite's writer.
const MORE_CONNECTIONS: u64 = 2;
const LISTENERS: u64 = 3;

/// Raises the limit of descriptors as far as possible. Returns the number of connections that each listener can accept:
/// the configured number, or fewer.
pub(super) fn connections(config: &Config) -> usize {
    let limit = raise();
    let files = if config.database.is_sqlite() { SQLITE_FILES } else { 1 };
    let database = (u64::from(config.database.max_connections) + MORE_CONNECTIONS) * files;
    let configured = config.server.max_connections;
    let fitting = fitting(limit, database).min(configured);
    if fitting < configured {
        let needed = needed(configured, database);
        tracing::warn!(
            limit,
            max_connections = fitting,
            configured,
            needed,
            "file descriptor limit too low for server.max_connections; raise the hard limit (ulimit -Hn, LimitNOFILE=) \
             to `needed`, or lower the setting"
        );
    }
    fitting
}

/// Returns the connections per listener that fit into `limit` beside the database's descriptors.
fn fitting(limit: u64, database: u64) -> usize {
    let each = limit.saturating_sub(OWN + database) / LISTENERS;
    usize::try_from(each).unwrap_or(usize::MAX).max(1)
}

/// Returns the limit that this many connections per listener need.
fn needed(connections: usize, database: u64) -> u64 {
    (connections as u64).saturating_mul(LISTENERS).saturating_add(OWN + database)
}

/// Raises the soft limit to the hard one, which needs no privilege, and returns it. The soft limit is low only for
/// programs that use select(2), which Gatepass does not.
fn raise() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If the limit cannot be raised, the present one is used.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listeners_leave_descriptors_for_the_rest() {
        for (limit, database, connections) in
            [(1024, 36, 308), (128, 36, 9), (100 + 3 * 10_000, 36, 10_000), (99 + 3 * 10_000, 36, 9_999)]
        {
            assert_eq!(fitting(limit, database), connections, "{limit}");
            assert!(connections as u64 * LISTENERS + OWN + database <= limit, "{limit}");
        }
    }

    #[test]
    fn the_needed_limit_fits_the_configured_connections() {
        for (connections, database) in [(1, 3), (10_000, 36), (1_000_000, 3006)] {
            let limit = needed(connections, database);
            assert_eq!(fitting(limit, database), connections);
            assert_eq!(fitting(limit - 1, database), (connections - 1).max(1));
        }
    }

    #[test]
    fn the_lowest_limit_allows_a_connection_and_no_limit_allows_all() {
        assert_eq!(fitting(0, 36), 1);
        assert!(fitting(u64::MAX, 36) > 1_000_000);
    }
}
