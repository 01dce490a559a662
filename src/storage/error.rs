//! What can go wrong with a database, and which of its codes say so.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// Why a store could not do its step.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// The database can't be reached, is full, or is too busy; the step may be repeated.
    Unavailable(DbErr),
    /// A row or a statement is not what the schema says: a bug, or a database somebody else writes to.
    Broken(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "database unavailable: {cause}"),
            Self::Broken(what) => write!(f, "database broken: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Primary result codes of SQLite that a later try may not meet again: PERM, BUSY, LOCKED, NOMEM, READONLY,
/// INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL (<https://www.sqlite.org/rescode.html>).
const SQLITE_PASSING: [i64; 10] = [3, 5, 6, 7, 8, 9, 10, 13, 14, 15];

/// Those of them that say another writer was faster.
const SQLITE_BUSY: [i64; 2] = [5, 6];

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_passing(&error) { Self::Unavailable(error) } else { Self::Broken(error.to_string()) }
    }
}

/// A row that the schema forbids.
pub(super) fn broken_row(table: &str, column: &str) -> StoreError {
    StoreError::Broken(format!("{table}.{column} holds what Gatepass never wrote"))
}

/// Which unique constraint a statement ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// `sessions.request_key`.
    Request,
    /// Any other.
    Other,
}

/// Whether a statement failed on a unique constraint.
pub(super) fn duplicate(error: &DbErr) -> Option<Duplicate> {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) if message.contains("request_key") => {
            Some(Duplicate::Request)
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => Some(Duplicate::Other),
        _ => None,
    }
}

/// Whether the same transaction may succeed when it is tried again at once.
pub(super) fn is_contention(error: &DbErr) -> bool {
    sqlite_code(error).is_some_and(|code| SQLITE_BUSY.contains(&code))
}

fn is_passing(error: &DbErr) -> bool {
    match runtime(error) {
        Some(sqlx::Error::Database(_)) => {
            sqlite_code(error).is_some_and(|code| SQLITE_PASSING.contains(&code))
        }
        Some(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_)) => {
            false
        }
        Some(_) => true,
        None => matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only a database's own error has a code")]
/// The primary result code; extended ones carry more above their low byte.
fn sqlite_code(error: &DbErr) -> Option<i64> {
    match runtime(error)? {
        sqlx::Error::Database(cause) => cause.code()?.parse::<i64>().ok().map(|code| code & 0xff),
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these come from the driver")]
fn runtime(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}
