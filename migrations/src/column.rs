//! Column types, and tables and indexes whose creation can be repeated. MariaDB commits each statement separately, so an
//! interrupted migration runs again from its beginning.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm;

/// A column of the 16 bytes of a UUID.
pub(crate) fn id(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).uuid().to_owned()
}

/// A column of a SHA-256 digest, or of a salt of the same size.
pub(crate) fn digest(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).binary_len(32).to_owned()
}

/// A column of milliseconds since the Unix epoch, or of a counter.
pub(crate) fn integer(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}

/// A column of a short text: a display text or one of a few fixed words.
pub(crate) fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).to_owned()
}

/// A table. On MariaDB it has a binary collation, so that texts compare byte for byte on every server.
pub(crate) fn table(schema: &SchemaManager<'_>, name: &'static str) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists();
    if schema.get_database_backend() == sea_orm::DbBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table
}

/// Creates an index unless it exists.
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

/// Drops an index if it exists.
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
