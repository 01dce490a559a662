//! The source of a user's e-mail address: an account id, `admin`, or NULL in rows that older versions wrote.

use sea_orm_migration::prelude::*;

use crate::column::text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // The column exists if an earlier run was interrupted on MariaDB.
        if schema.has_column("users", "email_source").await? {
            return Ok(());
        }
        let column = text("email_source", 64);
        schema.alter_table(Table::alter().table("users").add_column(column).to_owned()).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if !schema.has_column("users", "email_source").await? {
            return Ok(());
        }
        schema.alter_table(Table::alter().table("users").drop_column("email_source").to_owned()).await
    }
}
