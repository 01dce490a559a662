//! Marks of single-use values: one unique row each. The first insert wins.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, InsertMany, SqlErr};

use crate::model::UsedMark;
use crate::storage::connection::Database;
use crate::storage::entity::used_mark;
use crate::storage::error::StoreResult;
use crate::storage::traits::UsedMarkStore;
use crate::storage::transaction;

#[async_trait]
impl UsedMarkStore for Database {
    async fn mark_used(&self, mark: UsedMark) -> StoreResult<bool> {
        let pool = &self.pools()?.write;
        match transaction::write(pool, mark, |tx, mark| insert(tx, std::slice::from_ref(mark)).boxed()).await
        {
            Ok(()) => Ok(true),
            Err(DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
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
    }))
}
