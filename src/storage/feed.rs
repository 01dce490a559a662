//! The revocation feed. Its places come from a one-row counter that a transaction raises last, so that the order
//! of places is the order of commits and a reader who has seen place n has seen all before it.

use async_trait::async_trait;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
};

use super::connect::Database;
use super::entity::{revocation, revocation_counter};
use super::{RevocationFeed, StoreResult, convert};
use crate::model::{FeedEntry, Revocation, Timestamp};

#[async_trait]
impl RevocationFeed for Database {
    async fn revocations_after(&self, seq: i64) -> StoreResult<Vec<FeedEntry>> {
        let rows = revocation::Entity::find()
            .filter(revocation::Column::Seq.gt(seq))
            .order_by_asc(revocation::Column::Seq)
            .all(&self.read)
            .await?;
        rows.iter().map(convert::feed_entry).collect()
    }
}

/// Appends to the feed; the last thing a transaction does. Answers what it appended; the place of each is known to
/// readers only, since asking for it would be one statement more.
pub(super) async fn append(
    transaction: &DatabaseTransaction,
    revocations: &[Revocation],
    until: Timestamp,
) -> Result<Vec<FeedEntry>, DbErr> {
    for revocation in revocations {
        raise_counter(transaction).await?;
        insert_at_counter(transaction, *revocation, until).await?;
    }
    Ok(revocations.iter().map(|revocation| FeedEntry { seq: 0, until, revocation: *revocation }).collect())
}

async fn raise_counter(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    revocation_counter::Entity::update_many()
        .col_expr(revocation_counter::Column::Seq, Expr::col(revocation_counter::Column::Seq).add(1))
        .filter(revocation_counter::Column::Id.eq(1))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn insert_at_counter(
    transaction: &DatabaseTransaction,
    revocation: Revocation,
    until: Timestamp,
) -> Result<(), DbErr> {
    let (kind, subject, min_epoch, reason) = convert::revocation_columns(revocation);
    let place = Query::select()
        .column(revocation_counter::Column::Seq)
        .exprs([
            Expr::value(kind),
            Expr::value(subject),
            Expr::value(min_epoch),
            Expr::value(reason),
            Expr::value(until.millis()),
        ])
        .from(revocation_counter::Entity)
        .and_where(Expr::col(revocation_counter::Column::Id).eq(1))
        .to_owned();
    let mut insert = Query::insert();
    insert
        .into_table(revocation::Entity)
        .columns(["seq", "kind", "subject", "min_epoch", "reason", "until"].map(Alias::new));
    insert.select_from(place).map_err(|error| DbErr::Custom(error.to_string()))?;
    transaction.execute(&insert).await?;
    Ok(())
}
