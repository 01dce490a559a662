//! Accounts: the identities of users at providers.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, digest, id, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "accounts")
                    .col(id("id").not_null().primary_key())
                    .col(id("user_id").not_null())
                    .col(digest("account_key").not_null().unique_key())
                    .col(text("provider", 64).not_null())
                    .col(text("provider_account_id", 255).not_null())
                    .col(text("issuer", 255).not_null())
                    .col(text("kind", 16).not_null())
                    .col(ColumnDef::new("scope").text())
                    .col(integer("created_at").not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .from("accounts", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        create_index(schema, "accounts", "accounts_user_id", Index::create().col("user_id")).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("accounts").to_owned()).await
    }
}
