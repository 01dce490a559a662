//! The auth log. It outlives the users it tells of, so nothing refers to them.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                Table::create()
                    .table("auth_logs")
                    .col(id("id").not_null().primary_key())
                    .col(integer("created_at").not_null())
                    .col(text("action", 32).not_null())
                    .col(text("outcome", 16).not_null())
                    .col(text("reason", 64))
                    .col(id("user_id"))
                    .col(text("email", 254))
                    .col(text("provider", 64))
                    .col(id("session_id"))
                    .col(text("caller", 64).not_null())
                    .col(text("ip_address", 64))
                    .col(text("user_agent", 512))
                    .col(text("request_id", 128).not_null())
                    .to_owned(),
            )
            .await?;
        schema
            .create_index(
                Index::create()
                    .name("auth_logs_user_id")
                    .table("auth_logs")
                    .col("user_id")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        schema
            .create_index(
                Index::create().name("auth_logs_created_at").table("auth_logs").col("created_at").to_owned(),
            )
            .await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().table("auth_logs").to_owned()).await
    }
}
