//! The revocation feed. A transaction takes places from a one-row counter, which it raises last. The order of places is
//! therefore the order of commits, and a reader who has seen place n has seen all before it.

use async_trait::async_trait;
use sea_orm::sea_query::{Alias, Expr, Query, UnionType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
};

use crate::model::{FeedEntry, Revocation, Timestamp, User, UserId};
use crate::storage::connection::Database;
use crate::storage::convert;
use crate::storage::entity::{revocation, revocation_counter};
use crate::storage::error::StoreResult;
use crate::storage::lookups::{entries_after, users_of};
use crate::storage::traits::RevocationFeed;

/// The maximum number of entries in a statement, because its values are limited.
const ENTRIES_A_STATEMENT: usize = 100;

#[async_trait]
impl RevocationFeed for Database {
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>> {
        entries_after(&self.pools()?.read, seq).await
    }

    async fn find_users(&self, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>> {
        users_of(&self.pools()?.read, ids).await
    }
}

/// Appends to the feed, as the last step of a transaction. Returns the entries without their places; querying these
/// would need one more statement.
pub(super) async fn append(
    transaction: &DatabaseTransaction,
    revocations: &[Revocation],
    until: Timestamp,
) -> Result<Vec<FeedEntry>, DbErr> {
    for some in revocations.chunks(ENTRIES_A_STATEMENT) {
        let count = i64::try_from(some.len()).unwrap_or(i64::MAX);
        raise_counter(transaction, count).await?;
        insert_below_counter(transaction, some, count, until).await?;
    }
    Ok(revocations.iter().map(|revocation| FeedEntry { seq: 0, until, revocation: *revocation }).collect())
}

async fn raise_counter(transaction: &DatabaseTransaction, by: i64) -> Result<(), DbErr> {
    revocation_counter::Entity::update_many()
        .col_expr(revocation_counter::Column::Seq, Expr::col(revocation_counter::Column::Seq).add(by))
        .filter(revocation_counter::Column::Id.eq(1))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Inserts at the places up to the counter's value, with one `SELECT` of it for each entry.
async fn insert_below_counter(
    transaction: &DatabaseTransaction,
    revocations: &[Revocation],
    count: i64,
    until: Timestamp,
) -> Result<(), DbErr> {
    let mut rows = (1..=count).zip(revocations).map(|(place, revocation)| {
        let (kind, subject, min_epoch, reason) = convert::revocation_columns(*revocation);
        Query::select()
            .expr(Expr::col(revocation_counter::Column::Seq).sub(count - place))
            .exprs([
                Expr::value(kind),
                Expr::value(subject),
                Expr::value(min_epoch),
                Expr::value(reason),
                Expr::value(until.millis()),
            ])
            .from(revocation_counter::Entity)
            .and_where(Expr::col(revocation_counter::Column::Id).eq(1))
            .to_owned()
    });
    let Some(mut select) = rows.next() else { return Ok(()) };
    select.unions(rows.map(|row| (UnionType::All, row)));
    let mut insert = Query::insert();
    insert
        .into_table(revocation::Entity)
        .columns(["seq", "kind", "subject", "min_epoch", "reason", "until"].map(Alias::new));
    insert.select_from(select).map_err(|error| DbErr::Custom(error.to_string()))?;
    transaction.execute(&insert).await?;
    Ok(())
}
