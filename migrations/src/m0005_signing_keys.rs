//! Signing keys. One sealed record holds both halves: Gatepass never trusts a public key from an unsealed column.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "signing_keys")
                    .col(text("kid", 64).not_null().primary_key())
                    .col(text("algorithm", 16).not_null())
                    .col(integer("generation").not_null())
                    .col(integer("not_before").not_null())
                    .col(integer("created_at").not_null())
                    .col(ColumnDef::new("sealed").blob().not_null())
                    .to_owned(),
            )
            .await?;
        create_index(
            schema,
            "signing_keys",
            "signing_keys_generation",
            Index::create().col("algorithm").col("generation").unique(),
        )
        .await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("signing_keys").to_owned()).await
    }
}
