//! Marks of single-use values: one unique row each. The first insert wins. The row of a flow may also record the request
//! that used it, and later the outcome of the request.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, InsertMany, QueryFilter, SqlErr};

use crate::model::UsedMark;
use crate::storage::commands::{RecordOutcome, RecordRequest, RecordedRequest};
use crate::storage::connection::Database;
use crate::storage::entity::used_mark;
use crate::storage::error::{StoreResult, duplicate};
use crate::storage::traits::UsedMarkStore;
use crate::storage::{convert, transaction};

/// The record that is not found if a request already has an outcome.
const OUTCOME: &str = "a request without an outcome";

#[async_trait]
impl UsedMarkStore for Database {
    async fn mark_used(&self, mark: UsedMark) -> StoreResult<bool> {
        let pools = self.pools()?;
        // One statement is a transaction by itself.
        match transaction::again(|| insert(&pools.write, std::slice::from_ref(&mark))).await {
            Ok(()) => Ok(true),
            Err(DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn record_request(&self, record: RecordRequest) -> StoreResult<bool> {
        let pools = self.pools()?;
        let row = convert::request_row(&record);
        let insert = || used_mark::Entity::insert(row.clone()).exec_without_returning(&pools.write);
        match transaction::again(insert).await {
            Ok(_) => Ok(true),
            Err(error) if duplicate(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn find_request(&self, mark: [u8; 32]) -> StoreResult<Option<RecordedRequest>> {
        let found = self.lookups().used_mark(&self.pools()?.read, mark).await?;
        found.map_or(Ok(None), convert::recorded_request)
    }

    async fn record_outcome(&self, outcome: RecordOutcome) -> StoreResult<bool> {
        let pools = self.pools()?;
        Ok(transaction::again(|| set_outcome(&pools.write, &outcome)).await?)
    }
}

/// Records the outcome of a request, if there is one to record. If the request already has one, it fails with an error
/// that [`is_outcome_known`] tells from others, and the transaction is rolled back.
pub(super) async fn insert_outcome(
    connection: &impl ConnectionTrait,
    outcome: Option<&RecordOutcome>,
) -> Result<(), DbErr> {
    match outcome {
        Some(outcome) if !set_outcome(connection, outcome).await? => {
            Err(DbErr::RecordNotFound(OUTCOME.to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns true if a request already had an outcome.
pub(super) fn is_outcome_known(error: &DbErr) -> bool {
    matches!(error, DbErr::RecordNotFound(what) if what == OUTCOME)
}

async fn set_outcome(connection: &impl ConnectionTrait, outcome: &RecordOutcome) -> Result<bool, DbErr> {
    let set = used_mark::Entity::update_many()
        .col_expr(used_mark::Column::Outcome, Expr::value(outcome.outcome.clone()))
        .filter(used_mark::Column::Mark.eq(outcome.mark.to_vec()))
        .filter(used_mark::Column::RequestKey.is_not_null())
        .filter(used_mark::Column::Outcome.is_null())
        .exec(connection)
        .await?;
    Ok(set.rows_affected == 1)
}

/// Marks all of these in one statement. If one was already marked, it fails with `RecordNotInserted`, and the
/// transaction is rolled back.
pub(super) async fn insert(connection: &impl ConnectionTrait, marks: &[UsedMark]) -> Result<(), DbErr> {
    match rows(marks).exec_without_returning(connection).await {
        Ok(_) => Ok(()),
        Err(error) => match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Err(DbErr::RecordNotInserted),
            _ => Err(error),
        },
    }
}

/// Marks those that are not marked yet.
pub(super) async fn insert_missing(
    connection: &impl ConnectionTrait,
    marks: &[UsedMark],
) -> Result<(), DbErr> {
    let missing = rows(marks).on_conflict_do_nothing_on([used_mark::Column::Mark]);
    missing.exec_without_returning(connection).await.map(drop)
}

/// Makes the rows in a fixed order, so that concurrent writers do not deadlock. Without marks there is no statement.
fn rows(marks: &[UsedMark]) -> InsertMany<used_mark::ActiveModel> {
    let mut marks = marks.to_vec();
    marks.sort_unstable();
    used_mark::Entity::insert_many(marks.iter().map(|mark| used_mark::ActiveModel {
        mark: Set(mark.key.to_vec()),
        expires_at: Set(mark.expires_at.millis()),
        ..Default::default()
    }))
}
