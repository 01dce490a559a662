//! Errors of a database, and their meaning for the caller. The codes are in `error_code.rs`.

use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use super::error_code::Code;

/// The reason why a store failed.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// The database can't be reached, is full, or is too busy; the step may be repeated.
    Unavailable(DbErr),
    /// A row or a statement is not what the schema says: a bug, or another program writes to the database.
    Broken(String),
}

/// The answer of a store.
pub type StoreResult<T> = Result<T, StoreError>;

impl StoreError {
    /// A server that answers, and takes no writes.
    pub(super) fn only_reads() -> Self {
        let what = "it only reads: a standby, or set read-only";
        Self::Unavailable(DbErr::Conn(RuntimeErr::Internal(what.to_owned())))
    }

    /// A step that did not end in time.
    #[must_use]
    pub fn no_answer() -> Self {
        Self::Unavailable(DbErr::Conn(RuntimeErr::Internal("it does not answer in time".to_owned())))
    }
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

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if is_passing(&error) { Self::Unavailable(error) } else { Self::Broken(error.to_string()) }
    }
}

/// A row that the schema forbids.
pub(super) fn broken_row(table: &str, column: &str) -> StoreError {
    StoreError::Broken(format!("{table}.{column} holds what Gatepass never wrote"))
}

/// The unique constraint that a statement violated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicate {
    /// `sessions.request_key`.
    Request,
    /// Any other.
    Other,
}

/// The unique constraint on which a statement failed.
pub(super) fn duplicate(error: &DbErr) -> Option<Duplicate> {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) if message.contains("request_key") => {
            Some(Duplicate::Request)
        }
        Some(SqlErr::UniqueConstraintViolation(_)) => Some(Duplicate::Other),
        _ => None,
    }
}

/// Tells whether the same transaction may succeed when it is tried again at once: another writer was faster.
pub(super) fn is_contention(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.is_contention())
}

/// Tells whether a transaction gave way to another that waited for it.
pub(super) fn is_deadlock(error: &DbErr) -> bool {
    code(error).is_some_and(|code| code.is_deadlock())
}

/// Tells whether the database itself was unavailable; not when it answered, even to refuse.
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

/// Tells whether a connection failed, rather than timed out.
pub(super) fn is_broken(error: &DbErr) -> bool {
    runtime(error).is_some()
}

/// Tells whether a server refused to write since it is read-only: a standby, or one that is about to be.
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
        // The primary result code; extended ones carry more above their low byte.
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
