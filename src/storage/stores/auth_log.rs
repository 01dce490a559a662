//! The table of the auth log: rows are added in the transaction of the change that they record.

use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait};

use crate::model::AuthLogEntry;
use crate::storage::connection::Database;
use crate::storage::convert;
use crate::storage::entity::auth_log;
use crate::storage::error::StoreResult;
use crate::storage::traits::AuthLogStore;

#[async_trait]
impl AuthLogStore for Database {
    async fn append(&self, entry: AuthLogEntry) -> StoreResult<()> {
        auth_log::Entity::insert(convert::auth_log_row(entry))
            .exec_without_returning(&self.pools()?.write)
            .await?;
        Ok(())
    }
}

/// Adds rows to a transaction, in one statement.
pub(super) async fn insert(
    transaction: &DatabaseTransaction,
    entries: impl IntoIterator<Item = AuthLogEntry>,
) -> Result<(), DbErr> {
    let rows: Vec<_> = entries.into_iter().map(convert::auth_log_row).collect();
    if !rows.is_empty() {
        auth_log::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    }
    Ok(())
}
