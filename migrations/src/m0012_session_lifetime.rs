//! The lifetime of a session, where it is shorter than the configured one.

use sea_orm_migration::prelude::*;

use crate::column::integer;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 2] = ["idle_ttl", "max_age"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            // The column exists if an earlier run was interrupted on MariaDB.
            if !schema.has_column("sessions", column).await? {
                schema
                    .alter_table(Table::alter().table("sessions").add_column(integer(column)).to_owned())
                    .await?;
            }
        }
        Ok(())
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            if schema.has_column("sessions", column).await? {
                schema.alter_table(Table::alter().table("sessions").drop_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }
}
