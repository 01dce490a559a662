//! File descriptors: every connection holds one, and a process that has none left takes nobody in, reaches no database and
//! reads no file. So the listeners take no more connections than fit beside the rest.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// For listeners, logs, the runtime, files that are read again, and connections to providers and callback services.
const OWN: u64 = 64;
/// The files that SQLite opens for one connection: the database, its write-ahead log, the index of that.
const SQLITE_FILES: u64 = 3;
/// Beside `database.max_connections`: one that follows the revocations, and SQLite's writer.
const MORE_CONNECTIONS: u64 = 2;
const LISTENERS: u64 = 3;

/// Raises the limit of descriptors as far as it may be. How many connections each listener can take then: those that are
/// configured, or fewer.
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
            "too few file descriptors for server.max_connections ({configured}): each listener takes fewer; set the \
             hard limit (ulimit -Hn, LimitNOFILE=) to {needed}, or server.max_connections lower"
        );
    }
    fitting
}

/// The connections of each listener that fit into `limit` beside so many descriptors of the database.
fn fitting(limit: u64, database: u64) -> usize {
    let each = limit.saturating_sub(OWN + database) / LISTENERS;
    usize::try_from(each).unwrap_or(usize::MAX).max(1)
}

/// The limit that so many connections of each listener fit into.
fn needed(connections: usize, database: u64) -> u64 {
    (connections as u64).saturating_mul(LISTENERS).saturating_add(OWN + database)
}

/// Raises the soft limit to the hard one, which needs no privilege: the soft one is low for the sake of programs that
/// use select(2), and we are none. The limit that holds now.
fn raise() -> u64 {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it can't be raised, we have what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_listeners_take_leaves_the_rest_its_descriptors() {
        for (limit, database, connections) in
            [(1024, 36, 308), (128, 36, 9), (100 + 3 * 10_000, 36, 10_000), (99 + 3 * 10_000, 36, 9_999)]
        {
            assert_eq!(fitting(limit, database), connections, "{limit}");
            assert!(connections as u64 * LISTENERS + OWN + database <= limit, "{limit}");
        }
    }

    #[test]
    fn what_is_needed_fits() {
        for (connections, database) in [(1, 3), (10_000, 36), (1_000_000, 3006)] {
            let limit = needed(connections, database);
            assert_eq!(fitting(limit, database), connections);
            assert_eq!(fitting(limit - 1, database), (connections - 1).max(1));
        }
    }

    #[test]
    fn even_the_least_limit_lets_somebody_in_and_none_limits_nothing() {
        assert_eq!(fitting(0, 36), 1);
        assert!(fitting(u64::MAX, 36) > 1_000_000);
    }
}
