//! The few column types there are, and tables and indexes that can be made twice: MariaDB commits each statement by
//! itself, so a step that was cut off half way is done again from its beginning.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm;

/// 16 bytes of a UUID.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().to_owned()
}

/// A SHA-256 digest, or a salt of that size.
pub(crate) fn digest(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).to_owned()
}

/// Milliseconds since the epoch, or a counter.
pub(crate) fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}

/// A short text, for display or of fixed words.
pub(crate) fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).to_owned()
}

/// A table. On MariaDB its texts keep apart what any difference keeps apart, whatever the server's own collation is.
pub(crate) fn table(schema: &SchemaManager<'_>, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists();
    if schema.get_database_backend() == sea_orm::DbBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// An index, unless it is there.
pub(crate) async fn create_index(
    schema: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    index: &mut IndexCreateStatement,
) -> Result<(), DbErr> {
    if schema.has_index(table, name).await? {
        return Ok(());
    }
    schema.create_index(index.table(table).name(name).to_owned()).await
}

/// An index, if it is there.
pub(crate) async fn drop_index(
    schema: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
) -> Result<(), DbErr> {
    if schema.has_index(table, name).await? {
        schema.drop_index(Index::drop().table(table).name(name).to_owned()).await?;
    }
    Ok(())
}
