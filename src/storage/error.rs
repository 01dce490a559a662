//! Errors of a database, and their effect on the caller. The codes are in `error_code.rs`.

use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::error_code::Code;

/// The reason why a store failed.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// The database is unreachable, full, or too busy; the step may be retried.
    Unavailable(DbErr),
    /// A row or a statement violates the schema: a bug, or another program writes to the database.
    Broken(String),
}

/// The result of a store.
pub type StoreResult<T> = Result<T, StoreError>;

impl StoreError {
    /// Makes the error of a read-only server.
    pub(super) fn only_reads() -> Self {
        let what = "the server is read-only (a standby, or configured so)";
        Self::Unavailable(DbErr::Conn(RuntimeErr::Internal(what.to_owned())))
    }

    /// Makes the error of a step that timed out.
    #[must_use]
    pub fn no_answer() -> Self {
        Self::Unavailable(DbErr::Conn(RuntimeErr::Internal("no response in time".to_owned())))
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unavailable(cause) => write!(f, "database unavailable: {cause}"),
            Self::Broken(what) => write!(f, "database schema violated: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_passing(&error) { Self::Unavailable(error) } else { Self::Broken(error.to_string()) }
    }
}

/// Makes the error of a row that the schema forbids.
pub(super) fn broken_row(table: &str, column: &str) -> StoreError {
    StoreError::Broken(format!("{table}.{column} holds an invalid value"))
}

/// The unique constraint that a statement violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// `sessions.request_key`.
    Request,
    /// Any other constraint.
    Other,
}

/// Returns the unique constraint that a statement violated.
pub(super) fn duplicate(error: &DbErr) -> Option<Duplicate> {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) if message.contains("request_key") => {
            Some(Duplicate::Request)
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => Some(Duplicate::Other),
        _ => None,
    }
}

/// Returns true if an immediate retry of the transaction may succeed: another writer was faster.
pub(super) fn is_contention(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.is_contention())
}

/// Returns true if a transaction was rolled back to resolve a deadlock.
pub(super) fn is_deadlock(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.is_deadlock())
}

/// Returns true if the database itself was unavailable; false if it answered, even with an error.
pub(super) fn is_unavailable(error: &DbErr) -> bool {
    match runtime(error) {
        Some(sqlx::Error::Database(_)) => code(error).is_some_and(|code| code.is_going()),
        Some(
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_)
            | sqlx::Error::ColumnNotFound(_),
        ) => false,
        Some(_) => true,
        None => matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_)),
    }
}

/// Returns true if a connection failed, rather than timed out.
pub(super) fn is_broken(error: &DbErr) -> bool {
    runtime(error).is_some()
}

/// Returns true if a server rejected a write because it is read-only: a standby, or a server that becomes one.
pub(super) fn reads_only(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.reads_only())
}

fn is_passing(error: &DbErr) -> bool {
    is_unavailable(error) || code(error).is_some_and(|code| code.is_passing())
}

fn code(error: &DbErr) -> Option<Code> {
    let Some(sqlx::Error::Database(cause)) = runtime(error) else { return None };
    if let Some(cause) = cause.try_downcast_ref::<PgDatabaseError>() {
        Some(Code::Postgres(cause.code().to_owned()))
    } else if let Some(cause) = cause.try_downcast_ref::<MySqlDatabaseError>() {
        Some(Code::Mysql(cause.number()))
    } else {
        // The primary result code; extended codes add information above their low byte.
        cause.code()?.parse::<i64>().ok().map(|code| Code::Sqlite(code & 0xff))
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
