//! The request that used a flow, and its outcome, so that a repeated callback gets the same response.

use sea_orm_migration::prelude::*;

use crate::column::{digest, integer};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

fn columns() -> [(&'static str, ColumnDef); 5] {
    [
        ("request_key", digest("request_key")),
        ("request_fingerprint", digest("request_fingerprint")),
        ("busy_until", integer("busy_until")),
        ("repeat_until", integer("repeat_until")),
        ("outcome", ColumnDef::new("outcome").blob().to_owned()),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for (name, column) in columns() {
            // The column exists if an earlier run was interrupted on MariaDB.
            if !schema.has_column("used_marks", name).await? {
                let mut table = Table::alter();
                schema.alter_table(table.table("used_marks").add_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in columns() {
            if schema.has_column("used_marks", name).await? {
                let mut table = Table::alter();
                schema.alter_table(table.table("used_marks").drop_column(name).to_owned()).await?;
            }
        }
        Ok(())
    }
}
