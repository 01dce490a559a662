//! Signing keys, as sealed records. Replicas that make one at the same time agree by its unique generation.

use async_trait::async_trait;
use sea_orm::{EntityTrait, QueryOrder};

use super::connect::Database;
use super::entity::signing_key;
use super::error::duplicate;
use super::{KeyRecord, KeyStore, StoreResult, convert};

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
        match signing_key::Entity::insert(convert::key_row(record))
            .exec_without_returning(&self.pools()?.write)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if duplicate(&error).is_some() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
