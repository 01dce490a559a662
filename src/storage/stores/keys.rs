//! Signing keys, as sealed records. Concurrent changes by several replicas are resolved by the state that each step
//! expects: the sealed bytes that were read, and an unused generation.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder,
};

use super::{auth_log, feed};
use crate::model::{KeyRecord, Revocation, Timestamp};
use crate::storage::commands::{ChangeSigningKeys, KeyStep};
use crate::storage::connection::Database;
use crate::storage::entity::signing_key;
use crate::storage::error::{StoreResult, duplicate};
use crate::storage::traits::KeyStore;
use crate::storage::{convert, transaction};

#[async_trait]
impl KeyStore for Database {
    async fn signing_keys(&self) -> StoreResult<Vec<KeyRecord>> {
        let rows = signing_key::Entity::find()
            .order_by_asc(signing_key::Column::CreatedAt)
            .all(&self.pools()?.read)
            .await?;
        Ok(rows.into_iter().map(convert::key_record).collect())
    }

    async fn add_signing_key(&self, record: KeyRecord) -> StoreResult<bool> {
        let pools = self.pools()?;
        let insert = || {
            signing_key::Entity::insert(convert::key_row(record.clone())).exec_without_returning(&pools.write)
        };
        match transaction::again(insert).await {
            Ok(_) => Ok(true),
            Err(error) if duplicate(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn change_signing_keys(&self, change: ChangeSigningKeys) -> StoreResult<bool> {
        let pools = self.pools()?;
        match transaction::write(&pools.write, change, |tx, change| apply(tx, change).boxed()).await {
            Ok(()) => Ok(true),
            Err(DbErr::RecordNotUpdated) => Ok(false),
            Err(error) if duplicate(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn reseal_signing_key(&self, before: &KeyRecord, after: &KeyRecord) -> StoreResult<bool> {
        let pools = self.pools()?;
        match transaction::again(|| replace(&pools.write, before, after)).await {
            Err(DbErr::RecordNotUpdated) => Ok(false),
            outcome => Ok(outcome.map(|()| true)?),
        }
    }

    async fn sweep_signing_keys(&self, horizon: Timestamp) -> StoreResult<u64> {
        // MySQL can delete by a query of the same table only through a derived table.
        let begun = Query::select()
            .expr_as(signing_key::Column::NotBefore.max(), Alias::new("not_before"))
            .from(signing_key::Entity)
            .and_where(Expr::col(signing_key::Column::NotBefore).lte(horizon.millis()))
            .to_owned();
        let latest = Query::select()
            .column(Alias::new("not_before"))
            .from_subquery(begun, Alias::new("begun"))
            .to_owned();
        let followed = Expr::col(signing_key::Column::NotBefore).lt(SimpleExpr::from(latest));
        let pools = self.pools()?;
        let sweep = || signing_key::Entity::delete_many().filter(followed.clone()).exec(&pools.write);
        Ok(transaction::again(sweep).await?.rows_affected)
    }
}

async fn apply(tx: &DatabaseTransaction, change: &ChangeSigningKeys) -> Result<(), DbErr> {
    for step in &change.steps {
        match step {
            KeyStep::Add(record) => {
                let row = convert::key_row(record.clone());
                signing_key::Entity::insert(row).exec_without_returning(tx).await?;
            }
            KeyStep::Move { before, after } => replace(tx, before, after).await?,
            KeyStep::Revoke(record) => {
                replace(tx, record, &KeyRecord { sealed: None, ..record.clone() }).await?;
            }
            KeyStep::Withdraw(record) => {
                let deleted = signing_key::Entity::delete_many().filter(is_still(record)).exec(tx).await?;
                found(deleted.rows_affected)?;
            }
        }
    }
    auth_log::insert(tx, change.log.clone()).await?;
    feed::append(tx, &[Revocation::KeysChanged], change.remember_until).await?;
    Ok(())
}

async fn replace(
    connection: &impl ConnectionTrait,
    before: &KeyRecord,
    after: &KeyRecord,
) -> Result<(), DbErr> {
    let row = signing_key::ActiveModel {
        not_before: Set(after.not_before.millis()),
        sealed: Set(after.sealed.clone().unwrap_or_default()),
        ..Default::default()
    };
    let replaced =
        signing_key::Entity::update_many().set(row).filter(is_still(before)).exec(connection).await?;
    found(replaced.rows_affected)
}

/// If the key was re-sealed, moved or revoked in between, its sealed bytes have changed.
fn is_still(record: &KeyRecord) -> SimpleExpr {
    signing_key::Column::Kid
        .eq(record.kid.as_str())
        .and(signing_key::Column::Sealed.eq(record.sealed.clone().unwrap_or_default()))
}

fn found(rows: u64) -> Result<(), DbErr> {
    if rows == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}
