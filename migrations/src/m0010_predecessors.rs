//! The predecessors of a session's live refresh token before the direct one, and the audiences that its grant was
//! redeemed for. Version 0.1 neither reads nor writes these columns.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn columns() -> [ColumnDef; 2] {
    [
        ColumnDef::new("predecessors").var_binary(600).to_owned(),
        ColumnDef::new("granted_audiences").text().to_owned(),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            // The column exists if an earlier run was interrupted on MariaDB.
            if !schema.has_column("sessions", column.get_column_name()).await? {
                schema.alter_table(Table::alter().table("sessions").add_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            let name = column.get_column_name();
            if schema.has_column("sessions", &name).await? {
                schema.alter_table(Table::alter().table("sessions").drop_column(name).to_owned()).await?;
            }
        }
        Ok(())
    }
}
