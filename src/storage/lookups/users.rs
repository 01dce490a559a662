//! Many users by their ids.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::model::{User, UserId};
use crate::storage::convert;
use crate::storage::entity::user;
use crate::storage::error::StoreResult;

/// The maximum number of values in a statement; a power of two.
const IDS_A_STATEMENT: usize = 512;

/// Reads users in statements of a few lengths, with some ids repeated, so that each connection soon has all lengths
/// prepared.
pub(in crate::storage) async fn users_of(
    connection: &impl ConnectionTrait,
    ids: &[UserId],
) -> StoreResult<Vec<(UserId, StoreResult<User>)>> {
    let mut users = Vec::with_capacity(ids.len());
    for some in ids.chunks(IDS_A_STATEMENT) {
        let places = some.len().next_power_of_two();
        let some = some.iter().cycle().take(places).map(|id| id.0);
        for row in user::Entity::find().filter(user::Column::Id.is_in(some)).all(connection).await? {
            users.push((UserId(row.id), convert::user(row)));
        }
    }
    Ok(users)
}
