//! Which role the claims of a session were made from: a user of another role by now is owed new ones.

use sea_orm_migration::prelude::*;

use crate::column::text;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        // A step that MariaDB committed half of is done again.
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
