//! Users and accounts: look-ups by digest, and an administrator's change in one transaction.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::ActiveValue::NotSet;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use super::{auth_log, end_sessions, feed, link_account, user_row};
use crate::model::{Account, AccountKey, EmailKey, ProviderId, Revocation, User, UserId};
use crate::storage::commands::{LinkAccount, Linked, Revoked, UpdateUser};
use crate::storage::connection::Database;
use crate::storage::entity::{account, user};
use crate::storage::error::StoreResult;
use crate::storage::traits::UserStore;
use crate::storage::{convert, transaction};

#[async_trait]
impl UserStore for Database {
    async fn find_user(&self, id: UserId) -> StoreResult<Option<User>> {
        self.lookups().user_by_id(&self.pools()?.read, id.0).await?.map(convert::user).transpose()
    }

    async fn find_user_by_account(&self, key: AccountKey) -> StoreResult<Option<(User, Account)>> {
        let found = self.lookups().user_by_account(&self.pools()?.read, key.0).await?;
        let Some((account, user)) = found else { return Ok(None) };
        Ok(Some((convert::user(user)?, convert::account(account)?)))
    }

    async fn find_user_by_email(&self, key: EmailKey) -> StoreResult<Option<User>> {
        self.lookups().user_by_email(&self.pools()?.read, key.0).await?.map(convert::user).transpose()
    }

    async fn accounts_of(&self, id: UserId) -> StoreResult<Vec<Account>> {
        let of_user = account::Entity::find().filter(account::Column::UserId.eq(id.0));
        of_user.all(&self.pools()?.read).await?.into_iter().map(convert::account).collect()
    }

    async fn linked_providers(&self, id: UserId) -> StoreResult<Vec<ProviderId>> {
        let mut providers = Vec::new();
        for Account { provider, .. } in self.accounts_of(id).await? {
            if !providers.contains(&provider) {
                providers.push(provider);
            }
        }
        Ok(providers)
    }

    async fn link_account(&self, linking: LinkAccount) -> StoreResult<Linked> {
        link_account::link(&self.pools()?.write, linking).await
    }

    async fn update_user(&self, change: UpdateUser) -> StoreResult<Option<Revoked>> {
        let done =
            transaction::write(&self.pools()?.write, change, |tx, change| apply(tx, change).boxed()).await?;
        Ok(done)
    }
}

async fn apply(tx: &DatabaseTransaction, change: &UpdateUser) -> Result<Option<Revoked>, DbErr> {
    // A sign-in in between is not undone.
    let row = user::ActiveModel { last_sign_in_at: NotSet, ..convert::user_row(&change.user) };
    if !user_row::update(tx, row, change.expected_version).await? {
        return Ok(None);
    }
    let mut revocations = vec![Revocation::UserChanged { id: change.user.id }];
    let mut sessions_ended = 0;
    if let Some(reason) = change.end_sessions {
        let ended = end_sessions::end_all(tx, change.user.id, None, change.user.updated_at, reason).await?;
        sessions_ended = ended.live;
        let (id, min_epoch) = (change.user.id, change.user.epoch);
        revocations.push(Revocation::User { id, min_epoch, reason });
    }
    auth_log::insert(tx, change.log.clone()).await?;
    let entries = feed::append(tx, &revocations, change.remember_until).await?;
    Ok(Some(Revoked { entries, user: Some(change.user.clone()), sessions_ended }))
}
