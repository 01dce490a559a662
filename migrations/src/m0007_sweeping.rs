//! Indexes for the clean-up of sessions. A refresh changes none of these columns, so that PostgreSQL can still update
//! the row in place.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, drop_index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        create_index(schema, "sessions", "sessions_ended_at", Index::create().col("ended_at")).await?;
        let unredeemed = &mut Index::create().col("redeemed_at").col("grant_expires_at").to_owned();
        create_index(schema, "sessions", "sessions_unredeemed", unredeemed).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        drop_index(schema, "sessions", "sessions_unredeemed").await?;
        drop_index(schema, "sessions", "sessions_ended_at").await
    }
}
