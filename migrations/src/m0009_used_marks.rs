//! Marks of single-use credentials without a row of their own: sign-in flows and ID tokens.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, digest, integer, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "used_marks")
                    .col(digest("mark").not_null().primary_key())
                    .col(integer("expires_at").not_null())
                    .to_owned(),
            )
            .await?;
        create_index(schema, "used_marks", "used_marks_expires_at", Index::create().col("expires_at")).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("used_marks").to_owned()).await
    }
}
