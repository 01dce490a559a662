//! Users. `email_key` is set only while the e-mail is verified: only a verified e-mail is unique and can be looked up.

use sea_orm_migration::prelude::*;

use crate::column::{digest, id, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "users")
                    .col(id("id").not_null().primary_key())
                    .col(text("email", 254))
                    .col(digest("email_key").unique_key())
                    .col(ColumnDef::new("email_verified").boolean().not_null())
                    .col(ColumnDef::new("name").text())
                    .col(ColumnDef::new("image").text())
                    .col(text("role", 64).not_null())
                    .col(ColumnDef::new("banned").boolean().not_null())
                    .col(ColumnDef::new("ban_reason").text())
                    .col(integer("ban_expires_at"))
                    .col(integer("epoch").not_null())
                    .col(integer("version").not_null())
                    .col(integer("created_at").not_null())
                    .col(integer("updated_at").not_null())
                    .col(integer("last_sign_in_at"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("users").to_owned()).await
    }
}
