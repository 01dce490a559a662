//! The error codes of each database that are handled. Any other code is a bug: a statement or a row that the schema
//! forbids.

/// The error code of a database, in its own numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Code {
    /// A primary result code (<https://www.sqlite.org/rescode.html>).
    Sqlite(i64),
    /// A SQLSTATE (PostgreSQL, appendix A).
    Postgres(String),
    /// An error number of MariaDB and `MySQL` (<https://mariadb.com/kb/en/mariadb-error-code-reference/>).
    Mysql(u16),
}

impl Code {
    /// Returns true if another writer was faster: deadlock, serialisation, busy. A lock timeout does not count: a lock
    /// that was held for so long will still be held.
    pub(super) fn is_contention(&self) -> bool {
        match self {
            // BUSY, LOCKED.
            Self::Sqlite(code) => matches!(code, 5 | 6),
            // serialization_failure, deadlock_detected.
            Self::Postgres(code) => matches!(code.as_str(), "40001" | "40P01"),
            // CHECKREAD, LOCK_DEADLOCK.
            Self::Mysql(code) => matches!(code, 1020 | 1213),
        }
    }

    /// Returns true if the transaction was chosen to resolve a deadlock.
    pub(super) fn is_deadlock(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            // deadlock_detected.
            Self::Postgres(code) => code == "40P01",
            // LOCK_DEADLOCK.
            Self::Mysql(code) => *code == 1213,
        }
    }

    /// Returns true if the server is stopping, starting, or has closed this connection.
    pub(super) fn is_going(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            // connection exceptions; admin_shutdown, crash_shutdown, cannot_connect_now.
            Self::Postgres(code) => {
                code.starts_with("08") || matches!(code.as_str(), "57P01" | "57P02" | "57P03")
            }
            // A Galera node that is not ready ("unknown command"), SERVER_SHUTDOWN, NORMAL_SHUTDOWN, SHUTDOWN_COMPLETE,
            // ABORTING_CONNECTION, CONNECTION_KILLED.
            Self::Mysql(code) => matches!(code, 1047 | 1053 | 1077 | 1079 | 1152 | 1184 | 1927),
        }
    }

    /// Returns true if the server accepts no writes. An SQLite file may be read-only on purpose.
    pub(super) fn reads_only(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            // read_only_sql_transaction.
            Self::Postgres(code) => code == "25006",
            // OPTION_PREVENTS_STATEMENT, CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, READ_ONLY_MODE.
            Self::Mysql(code) => matches!(code, 1290 | 1792 | 1836),
        }
    }

    /// Returns true if a later retry may succeed: contention, shortage, a limit, a read-only server, a missing
    /// permission.
    pub(super) fn is_passing(&self) -> bool {
        self.is_contention()
            || self.is_going()
            || match self {
                // PERM, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
                Self::Sqlite(code) => matches!(code, 3 | 7 | 8 | 9 | 10 | 13 | 14 | 15),
                // Insufficient resources, operator intervention, system error, rollback, authorization, no such
                // database; read_only_sql_transaction, idle_in_transaction_session_timeout, insufficient_privilege,
                // lock_not_available.
                Self::Postgres(code) => {
                    ["53", "57", "58", "40", "28", "3D"].iter().any(|class| code.starts_with(class))
                        || matches!(code.as_str(), "25006" | "25P03" | "42501" | "55P03")
                }
                // Disk, memory, locks, threads or transactions exhausted; too many connections; access denied; no such
                // database; network; read-only. A failed commit or binary log; a statement that was interrupted or took
                // too long; a lock timeout.
                Self::Mysql(code) => matches!(
                    code,
                    3 | 1021
                        | 1026
                        | 1030
                        | 1037
                        | 1038
                        | 1040
                        | 1041
                        | 1043
                        | 1044
                        | 1045
                        | 1049
                        | 1114
                        | 1129
                        | 1130
                        | 1135
                        | 1142
                        | 1158
                        ..=1161
                            | 1180
                            | 1181
                            | 1203
                            | 1205
                            | 1206
                            | 1226
                            | 1290
                            | 1317
                            | 1598
                            | 1637
                            | 1792
                            | 1836
                            | 1969
                            | 3024
                            | 4031
                ),
            }
    }
}
