//! Many users by their ids.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::model::{User, UserId};
use crate::storage::convert;
use crate::storage::entity::user;
use crate::storage::error::StoreResult;

/// A statement can have only so many values; a power of two.
const IDS_A_STATEMENT: usize = 512;

/// By statements of a few lengths, some ids twice in them: so a connection has prepared each soon, however many it is asked
/// for.
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
