//! Sessions, from the grant to the last refresh. A row stores only hashes of grants and refresh tokens.

use sea_orm_migration::prelude::*;

use crate::column::{create_index, digest, id, integer, table, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema
            .create_table(
                table(schema, "sessions")
                    .col(id("id").not_null().primary_key())
                    .col(id("user_id").not_null())
                    .col(id("account_id").not_null())
                    .col(text("provider", 64).not_null())
                    .col(text("caller_group", 64).not_null())
                    .col(integer("epoch").not_null())
                    .col(integer("authenticated_at").not_null())
                    .col(integer("expires_at").not_null())
                    .col(integer("ended_at"))
                    .col(text("end_reason", 16))
                    .col(digest("grant_hash").not_null().unique_key())
                    .col(integer("grant_expires_at").not_null())
                    .col(digest("request_key").unique_key())
                    .col(digest("request_fingerprint"))
                    .col(integer("redeemed_at"))
                    .col(digest("redemption_key"))
                    .col(digest("redemption_fingerprint"))
                    .col(digest("refresh_hash"))
                    .col(digest("previous_hash"))
                    .col(integer("generation").not_null())
                    .col(digest("salt"))
                    .col(integer("rotated_at"))
                    .col(ColumnDef::new("audiences").text().not_null())
                    .col(ColumnDef::new("claims").text().not_null())
                    .col(ColumnDef::new("pending").blob())
                    .col(integer("version").not_null())
                    .col(integer("refresh_count").not_null())
                    .col(text("ip_address", 64))
                    .foreign_key(
                        ForeignKey::create()
                            .from("sessions", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        create_index(schema, "sessions", "sessions_user_id", Index::create().col("user_id")).await
    }

    async fn down(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.drop_table(Table::drop().if_exists().table("sessions").to_owned()).await
    }
}
