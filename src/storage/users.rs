//! Users and accounts: look-ups by digest, and an administrator's change in one transaction.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::ActiveValue::NotSet;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use super::connect::Database;
use super::entity::{account, user};
use super::pool::Pool;
use super::{
    Linked, Linking, Revoked, StoreResult, UserStore, UserUpdate, auth_log, convert, feed, linking, sessions,
    transaction,
};
use crate::model::{Account, AccountKey, EmailKey, ProviderId, Revocation, User, UserId};

/// A statement can have only so many values; a power of two.
const IDS_A_STATEMENT: usize = 512;

#[async_trait]
impl UserStore for Database {
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>> {
        self.find().user_by_id(&self.pools()?.read, id.0).await?.map(convert::user).transpose()
    }

    async fn find_user_by_account(&self, key: AccountKey) -> StoreResult<Option<(User, Account)>> {
        let found = self.find().user_by_account(&self.pools()?.read, key.0).await?;
        let Some((account, user)) = found else { return Ok(None) };
        Ok(Some((convert::user(user)?, convert::account(account)?)))
    }

    async fn find_user_by_email(&self, key: EmailKey) -> StoreResult<Option<User>> {
        self.find().user_by_email(&self.pools()?.read, key.0).await?.map(convert::user).transpose()
    }

    async fn linked_providers(&self, id: UserId) -> StoreResult<Vec<ProviderId>> {
        let rows =
            account::Entity::find().filter(account::Column::UserId.eq(id.0)).all(&self.pools()?.read).await?;
        let mut providers = Vec::new();
        for row in rows {
            let provider = convert::account(row)?.provider;
            if !providers.contains(&provider) {
                providers.push(provider);
            }
        }
        Ok(providers)
    }

    async fn link_account(&self, linking: Linking) -> StoreResult<Linked> {
        linking::link(&self.pools()?.write, linking).await
    }

    async fn update_user(&self, change: UserUpdate) -> StoreResult<Option<Revoked>> {
        let done =
            transaction::write(&self.pools()?.write, change, |tx, change| apply(tx, change).boxed()).await?;
        Ok(done)
    }
}

/// By statements of a few lengths, some ids twice in them: so a connection has prepared each soon, however many it is asked
/// for.
pub(super) async fn find_all(pool: &Pool, ids: &[UserId]) -> StoreResult<Vec<(UserId, StoreResult<User>)>> {
    let mut users = Vec::with_capacity(ids.len());
    for some in ids.chunks(IDS_A_STATEMENT) {
        let places = some.len().next_power_of_two();
        let some = some.iter().cycle().take(places).map(|id| id.0);
        for row in user::Entity::find().filter(user::Column::Id.is_in(some)).all(pool).await? {
            users.push((UserId(row.id), convert::user(row)));
        }
    }
    Ok(users)
}

async fn apply(tx: &DatabaseTransaction, change: &UserUpdate) -> Result<Option<Revoked>, DbErr> {
    // A sign-in that came in between is not taken back.
    let row = user::ActiveModel { last_sign_in_at: NotSet, ..convert::user_row(&change.user) };
    if !update_row(tx, row, change.expected_version).await? {
        return Ok(None);
    }
    let mut revocations = vec![Revocation::UserChanged { id: change.user.id }];
    let mut sessions_ended = 0;
    if let Some(reason) = change.end_sessions {
        let ended = sessions::end_all(tx, change.user.id, None, change.user.updated_at, reason).await?;
        sessions_ended = ended.live;
        let (id, min_epoch) = (change.user.id, change.user.epoch);
        revocations.push(Revocation::User { id, min_epoch, reason });
    }
    auth_log::insert(tx, change.log.clone()).await?;
    let entries = feed::append(tx, &revocations, change.remember_until).await?;
    Ok(Some(Revoked { entries, user: Some(change.user.clone()), sessions_ended }))
}

/// Writes a user's row if it is still of that version.
pub(super) async fn update_row(
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
