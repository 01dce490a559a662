//! The auth log. Entries outlive their users, so there is no foreign key to them.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, id, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "auth_logs")
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
        create_index(schema, "auth_logs", "auth_logs_user_id", Index::create().col("user_id").col("id"))
            .await?;
        create_index(schema, "auth_logs", "auth_logs_created_at", Index::create().col("created_at")).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("auth_logs").to_owned()).await
    }
}
