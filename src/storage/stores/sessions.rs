//! Sessions: each step is one conditional statement and its log row, in one transaction.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::DbErr;

use super::{end_sessions, open_session, session_row};
use crate::model::{Session, SessionId, User};
use crate::storage::commands::{
    EndSession, EndUserSessions, OpenSession, Opened, RedeemGrant, Revoked, RotateRefreshToken,
};
use crate::storage::connection::Database;
use crate::storage::entity::{session, user};
use crate::storage::error::StoreResult;
use crate::storage::traits::SessionStore;
use crate::storage::{convert, transaction};

#[async_trait]
impl SessionStore for Database {
    async fn open_session(&self, opening: OpenSession) -> StoreResult<Opened> {
        open_session::open(&self.pools()?.write, opening).await
    }

    async fn find_session_by_request(&self, key: [u8; 32]) -> StoreResult<Option<(Session, User)>> {
        found(self.lookups().session_by_request(&self.pools()?.read, key).await?)
    }

    async fn find_session_by_grant(&self, hash: [u8; 32]) -> StoreResult<Option<(Session, User)>> {
        found(self.lookups().session_by_grant(&self.pools()?.read, hash).await?)
    }

    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>> {
        found(self.lookups().session_by_id(&self.pools()?.read, id.0).await?)
    }

    async fn redeem_grant(&self, step: RedeemGrant) -> StoreResult<bool> {
        Ok(transaction::write(&self.pools()?.write, step, |tx, step| session_row::redeem(tx, step).boxed())
            .await?)
    }

    async fn rotate_refresh_token(&self, step: RotateRefreshToken) -> StoreResult<bool> {
        let pools = self.pools()?;
        if step.log.is_none() {
            // One statement is a transaction by itself.
            return Ok(transaction::again(|| session_row::rotate(&pools.write, &step)).await?);
        }
        Ok(transaction::write(&pools.write, step, |tx, step| session_row::rotate_and_log(tx, step).boxed())
            .await?)
    }

    async fn end_session(&self, ending: EndSession) -> StoreResult<Option<Revoked>> {
        Ok(transaction::write(&self.pools()?.write, ending, |tx, ending| {
            end_sessions::end_one(tx, ending).boxed()
        })
        .await?)
    }

    async fn end_user_sessions(&self, ending: EndUserSessions) -> StoreResult<Revoked> {
        match transaction::write(&self.pools()?.write, ending, |tx, ending| {
            end_sessions::end_all_of(tx, ending).boxed()
        })
        .await
        {
            Err(DbErr::RecordNotUpdated) => Ok(Revoked::default()),
            outcome => Ok(outcome?),
        }
    }
}

fn found(rows: Option<(session::Model, user::Model)>) -> StoreResult<Option<(Session, User)>> {
    rows.map(|(session, user)| Ok((convert::session(session)?, convert::user(user)?))).transpose()
}
