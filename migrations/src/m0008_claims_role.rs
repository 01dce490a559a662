//! The role that the claims of a session were made with. If the user's role has changed since, the claims are stale.

use sea_orm_migration::prelude::*;

use crate::column::text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // The column exists if an earlier run was interrupted on MariaDB.
        if schema.has_column("sessions", "claims_role").await? {
            return Ok(());
        }
        let column = text("claims_role", 64);
        schema.alter_table(Table::alter().table("sessions").add_column(column).to_owned()).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        if !schema.has_column("sessions", "claims_role").await? {
            return Ok(());
        }
        schema.alter_table(Table::alter().table("sessions").drop_column("claims_role").to_owned()).await
    }
}
