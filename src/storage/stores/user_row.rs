//! The row of a user, written only at the version that was read.

use sea_orm::ActiveValue::NotSet;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use crate::storage::entity::user;

/// Writes a user's row if it still has that version.
pub(super) async fn update(
    tx: &DatabaseTransaction,
    mut row: user::ActiveModel,
    expected_version: i64,
) -> Result<bool, DbErr> {
    let id = row.id.take().ok_or_else(|| DbErr::Custom("a user has an id".to_owned()))?;
    row.created_at = NotSet;
    let written = user::Entity::update_many()
        .set(row)
        .filter(user::Column::Id.eq(id))
        .filter(user::Column::Version.eq(expected_version))
        .exec(tx)
        .await?;
    Ok(written.rows_affected == 1)
}
