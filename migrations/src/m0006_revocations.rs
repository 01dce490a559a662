//! The revocation feed, and the one-row counter that numbers its entries in commit order.

use sea_orm_migration::prelude::*;

use crate::column::{id, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "revocations")
                    .col(integer("seq").not_null().primary_key())
                    .col(text("kind", 16).not_null())
                    .col(id("subject").not_null())
                    .col(integer("min_epoch"))
                    .col(text("reason", 16))
                    .col(integer("until").not_null())
                    .to_owned(),
            )
            .await?;
        schema
            .create_table(
                table(schema, "revocation_counter")
                    .col(integer("id").not_null().primary_key())
                    .col(integer("seq").not_null())
                    .to_owned(),
            )
            .await?;
        let first = Query::insert()
            .into_table("revocation_counter")
            .columns(["id", "seq"])
            .values_panic([1.into(), 0.into()])
            .on_conflict(OnConflict::column("id").do_nothing_on(["id"]).to_owned())
            .to_owned();
        schema.get_connection().execute(&first).await?;
        Ok(())
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("revocation_counter").to_owned()).await?;
        schema.drop_table(Table::drop().if_exists().table("revocations").to_owned()).await
    }
}
