//! Signing keys, both halves in one sealed record: a public key is never taken from a plain column.

use sea_orm_migration::prelude::*;

use crate::column::{integer, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                Table::create()
                    .table("signing_keys")
                    .col(text("kid", 64).not_null().primary_key())
                    .col(text("algorithm", 16).not_null())
                    .col(integer("generation").not_null())
                    .col(integer("not_before").not_null())
                    .col(integer("created_at").not_null())
                    .col(ColumnDef::new("sealed").blob().not_null())
                    .to_owned(),
            )
            .await?;
        schema
            .create_index(
                Index::create()
                    .name("signing_keys_generation")
                    .table("signing_keys")
                    .col("algorithm")
                    .col("generation")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().table("signing_keys").to_owned()).await
    }
}
