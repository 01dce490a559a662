//! Cleanup of expired rows, in batches. A batch skips rows that other transactions hold, so that it waits for no lock
//! and two replicas can share the work. `app/` decides which rows have expired.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, TryGetable, Value,
};

use crate::model::{SessionId, Timestamp};
use crate::storage::commands::Sweepable;
use crate::storage::connection::Database;
use crate::storage::entity::{auth_log, revocation, session, used_mark};
use crate::storage::error::StoreResult;
use crate::storage::traits::Sweep;
use crate::storage::transaction;

#[async_trait]
impl Sweep for Database {
    async fn sweep(&self, what: Sweepable, batch: u64) -> StoreResult<u64> {
        let step = (what, batch);
        Ok(transaction::write(&self.pools()?.write, step, |tx, step| remove(tx, step).boxed()).await?)
    }
}

async fn remove(tx: &DatabaseTransaction, &(what, batch): &(Sweepable, u64)) -> Result<u64, DbErr> {
    use session::Column::{EndedAt, ExpiresAt, GrantExpiresAt, Id, RedeemedAt};
    let all = Condition::all();
    match what {
        Sweepable::Unredeemed(before) => {
            let over = all.add(RedeemedAt.is_null()).add(GrantExpiresAt.lt(before.millis()));
            // PostgreSQL uses the order of an index if all its columns are named. MariaDB uses it only if columns with
            // a fixed value are left out; and MariaDB locks the rows that it sorts.
            let order: &[_] = match tx.get_database_backend() {
                DbBackend::MySql => &[GrantExpiresAt],
                DbBackend::Postgres | DbBackend::Sqlite | _ => &[RedeemedAt, GrantExpiresAt],
            };
            remove_by::<session::Entity, Uuid>(tx, Id, order, over, batch).await
        }
        Sweepable::Ended(before) => {
            let over = all.add(EndedAt.lt(before.millis()));
            remove_by::<session::Entity, Uuid>(tx, Id, &[EndedAt], over, batch).await
        }
        Sweepable::Outlived { opened_before, expired_before } => {
            let over = all.add(Id.lt(SessionId::least_of(opened_before).0));
            let over = over.add(ExpiresAt.lt(expired_before.millis()));
            remove_by::<session::Entity, Uuid>(tx, Id, &[Id], over, batch).await
        }
        Sweepable::Revocations(before) => remove_oldest_of_feed(tx, before, batch).await,
        Sweepable::AuthLog(before) => {
            use auth_log::Column::{CreatedAt, Id};
            let over = all.add(CreatedAt.lt(before.millis()));
            remove_by::<auth_log::Entity, Uuid>(tx, Id, &[CreatedAt], over, batch).await
        }
        Sweepable::UsedMarks(before) => {
            use used_mark::Column::{ExpiresAt, Mark};
            let over = all.add(ExpiresAt.lt(before.millis()));
            remove_by::<used_mark::Entity, Vec<u8>>(tx, Mark, &[ExpiresAt], over, batch).await
        }
    }
}

/// Removes expired rows, found by the index on `order`. They are locked first, so that they are still expired when
/// removed. The removal uses only their keys, so that no database scans all expired rows for each batch.
async fn remove_by<E, K>(
    tx: &DatabaseTransaction,
    key: E::Column,
    order: &[E::Column],
    over: Condition,
    batch: u64,
) -> Result<u64, DbErr>
where
    E: EntityTrait,
    K: TryGetable + Into<Value> + Send,
{
    let found = E::find().select_only().column(key).filter(over);
    let found = order.iter().fold(found, |found, column| found.order_by_asc(*column)).limit(batch);
    let free = found.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let ids: Vec<K> = free.into_tuple().all(tx).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(E::delete_many().filter(key.is_in(ids)).exec(tx).await?.rows_affected)
}

/// Removes expired entries among the oldest of the feed: entries expire nearly in the order of their places.
async fn remove_oldest_of_feed(
    tx: &DatabaseTransaction,
    before: Timestamp,
    batch: u64,
) -> Result<u64, DbErr> {
    use revocation::Column::{Seq, Until};
    let oldest = revocation::Entity::find().select_only().columns([Seq, Until]).filter(Seq.gt(0));
    let oldest: Vec<(i64, i64)> = oldest.order_by_asc(Seq).limit(batch).into_tuple().all(tx).await?;
    let over = oldest.iter().rev().find(|(_, until)| *until < before.millis());
    let Some((last, _)) = over else { return Ok(0) };
    let removed = revocation::Entity::delete_many().filter(Seq.lte(*last));
    Ok(removed.filter(Until.lt(before.millis())).exec(tx).await?.rows_affected)
}
