//! A page of the revocation feed.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::model::FeedEntry;
use crate::storage::convert;
use crate::storage::entity::revocation;
use crate::storage::error::StoreResult;
use crate::storage::traits::FEED_PAGE;

/// Returns the entries after a place, in order.
pub(in crate::storage) async fn entries_after(
    connection: &impl ConnectionTrait,
    seq: i64,
) -> StoreResult<Vec<FeedEntry>> {
    let rows = select_after(seq).all(connection).await?;
    rows.iter().map(convert::feed_entry).collect()
}

/// Builds the statement that reads them.
pub(in crate::storage) fn select_after(seq: i64) -> Select<revocation::Entity> {
    revocation::Entity::find()
        .filter(revocation::Column::Seq.gt(seq))
        .order_by_asc(revocation::Column::Seq)
        .limit(FEED_PAGE as u64)
}
