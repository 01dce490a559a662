//! Sessions: each step one conditional statement and its log row, in one transaction.

use async_trait::async_trait;
use futures_util::FutureExt;
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, UpdateMany,
};

use super::connect::Database;
use super::entity::{session, user};
use super::{
    Ending, EndingAll, Opened, Opening, Redemption, Revoked, RotationStep, SessionStore, StoreResult,
    auth_log, convert, feed, opening, transaction,
};
use crate::model::{EndReason, RefreshState, Revocation, Session, SessionId, Timestamp, User, UserId};

#[async_trait]
impl SessionStore for Database {
    async fn open_session(&self, opening: Opening) -> StoreResult<Opened> {
        opening::open(&self.pools()?.write, opening).await
    }

    async fn find_session_by_request(&self, key: [u8; 32]) -> StoreResult<Option<(Session, User)>> {
        found(self.find().session_by_request(&self.pools()?.read, key).await?)
    }

    async fn find_session_by_grant(&self, hash: [u8; 32]) -> StoreResult<Option<(Session, User)>> {
        found(self.find().session_by_grant(&self.pools()?.read, hash).await?)
    }

    async fn find_session(&self, id: SessionId) -> StoreResult<Option<(Session, User)>> {
        found(self.find().session_by_id(&self.pools()?.read, id.0).await?)
    }

    async fn redeem_grant(&self, step: Redemption) -> StoreResult<bool> {
        Ok(transaction::write(&self.pools()?.write, step, |tx, step| redeem(tx, step).boxed()).await?)
    }

    async fn rotate(&self, step: RotationStep) -> StoreResult<bool> {
        let pools = self.pools()?;
        if step.log.is_none() {
            // One statement is a transaction by itself.
            return Ok(transaction::again(|| rotate_row(&pools.write, &step)).await?);
        }
        Ok(transaction::write(&pools.write, step, |tx, step| rotate(tx, step).boxed()).await?)
    }

    async fn end_session(&self, ending: Ending) -> StoreResult<Option<Revoked>> {
        Ok(transaction::write(&self.pools()?.write, ending, |tx, ending| end_one(tx, ending).boxed()).await?)
    }

    async fn end_sessions_of(&self, ending: EndingAll) -> StoreResult<Revoked> {
        match transaction::write(&self.pools()?.write, ending, |tx, ending| {
            end_sessions_of(tx, ending).boxed()
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

async fn redeem(tx: &DatabaseTransaction, step: &Redemption) -> Result<bool, DbErr> {
    let redeemed = with_refresh(session::Entity::update_many(), &step.refresh)
        .col_expr(session::Column::RedeemedAt, Expr::value(step.at.millis()))
        .col_expr(session::Column::RedemptionKey, Expr::value(step.request.map(|mark| mark.key.to_vec())))
        .col_expr(
            session::Column::RedemptionFingerprint,
            Expr::value(step.request.map(|mark| mark.fingerprint.to_vec())),
        )
        .col_expr(session::Column::ExpiresAt, Expr::value(step.expires_at.millis()))
        .col_expr(session::Column::Audiences, Expr::value(convert::json_of_list(&step.audiences)))
        .col_expr(session::Column::Claims, Expr::value(convert::json_of(&step.claims)))
        .col_expr(session::Column::ClaimsRole, Expr::value(step.claims_role.as_str()))
        .col_expr(session::Column::Pending, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
        .filter(session::Column::Id.eq(step.session_id.0))
        .filter(session::Column::RedeemedAt.is_null())
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::GrantExpiresAt.gt(step.at.millis()))
        .exec(tx)
        .await?;
    log_if(tx, redeemed.rows_affected == 1, step.log.clone()).await
}

async fn rotate(tx: &DatabaseTransaction, step: &RotationStep) -> Result<bool, DbErr> {
    let rotated = rotate_row(tx, step).await?;
    log_if(tx, rotated, step.log.clone()).await
}

async fn rotate_row(connection: &impl ConnectionTrait, step: &RotationStep) -> Result<bool, DbErr> {
    let mut update = session::Entity::update_many()
        .col_expr(session::Column::RefreshCount, Expr::col(session::Column::RefreshCount).add(1))
        .filter(session::Column::Id.eq(step.session_id.0))
        .filter(session::Column::RefreshHash.eq(step.expected_hash.to_vec()))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(step.at.millis()));
    if let Some(address) = &step.ip_address {
        update = update.col_expr(session::Column::IpAddress, Expr::value(address.as_str()));
    }
    if let Some(advance) = &step.advance {
        update = with_refresh(update, &advance.refresh)
            .col_expr(session::Column::ExpiresAt, Expr::value(advance.expires_at.millis()))
            .col_expr(session::Column::Audiences, Expr::value(convert::json_of_list(&advance.audiences)))
            .col_expr(session::Column::Claims, Expr::value(convert::json_of(&advance.claims)))
            .col_expr(session::Column::ClaimsRole, Expr::value(advance.claims_role.as_str()))
            .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
            .filter(session::Column::Version.eq(advance.expected_version));
    }
    Ok(update.exec(connection).await?.rows_affected == 1)
}

fn with_refresh(update: UpdateMany<session::Entity>, refresh: &RefreshState) -> UpdateMany<session::Entity> {
    let generation = i64::try_from(refresh.generation).unwrap_or(i64::MAX);
    update
        .col_expr(session::Column::RefreshHash, Expr::value(refresh.hash.to_vec()))
        .col_expr(session::Column::PreviousHash, Expr::value(refresh.previous_hash.map(|hash| hash.to_vec())))
        .col_expr(session::Column::Generation, Expr::value(generation))
        .col_expr(session::Column::Salt, Expr::value(refresh.salt.to_vec()))
        .col_expr(session::Column::RotatedAt, Expr::value(refresh.rotated_at.millis()))
}

async fn log_if(
    tx: &DatabaseTransaction,
    done: bool,
    log: Option<crate::model::AuthLogEntry>,
) -> Result<bool, DbErr> {
    if done {
        auth_log::insert(tx, log).await?;
    }
    Ok(done)
}

async fn end_one(tx: &DatabaseTransaction, ending: &Ending) -> Result<Option<Revoked>, DbErr> {
    let condition = session::Column::Id.eq(ending.session_id.0);
    let open = find_open(tx, condition.clone()).await?;
    if end_where(tx, condition, ending.at, ending.reason).await? == 0 {
        return Ok(None);
    }
    auth_log::insert(tx, ending.log.clone()).await?;
    let revocation = Revocation::Session { id: ending.session_id, reason: ending.reason };
    let entries = feed::append(tx, &[revocation], ending.remember_until).await?;
    Ok(Some(Revoked {
        entries,
        user: None,
        sessions_ended: open.iter().filter(|row| row.is_live(ending.at)).count() as u64,
    }))
}

async fn end_sessions_of(tx: &DatabaseTransaction, ending: &EndingAll) -> Result<Revoked, DbErr> {
    let mut revoked = Revoked::default();
    let Some(epoch) = raise_epoch(tx, ending).await? else { return Ok(revoked) };
    if let Some((id, then)) = ending.only_if_live
        && find_open(tx, session::Column::Id.eq(id.0)).await?.iter().all(|row| !row.is_live(then))
    {
        return Err(DbErr::RecordNotUpdated);
    }
    let ended = end_all(tx, ending.user_id, ending.except, ending.at, ending.reason).await?;
    revoked.sessions_ended = ended.live;
    let revocations = if ending.except.is_some() {
        ended.ids.into_iter().map(|id| Revocation::Session { id, reason: ending.reason }).collect()
    } else {
        vec![Revocation::User { id: ending.user_id, min_epoch: epoch, reason: ending.reason }]
    };
    auth_log::insert(tx, ending.log.clone()).await?;
    revoked.entries = feed::append(tx, &revocations, ending.remember_until).await?;
    Ok(revoked)
}

/// Takes the user's row first, as the lock order wants, and raises its epoch unless a session goes on.
/// Answers the epoch that holds from now on.
async fn raise_epoch(tx: &DatabaseTransaction, ending: &EndingAll) -> Result<Option<i64>, DbErr> {
    let raise = i64::from(ending.except.is_none());
    user::Entity::update_many()
        .col_expr(user::Column::Epoch, Expr::col(user::Column::Epoch).add(raise))
        .col_expr(user::Column::Version, Expr::col(user::Column::Version).add(raise))
        .filter(user::Column::Id.eq(ending.user_id.0))
        .exec(tx)
        .await?;
    Ok(user::Entity::find_by_id(ending.user_id.0).one(tx).await?.map(|user| user.epoch))
}

/// Sessions a transaction ended.
pub(super) struct EndedSessions {
    /// All of them, those with an open grant too.
    pub(super) ids: Vec<SessionId>,
    /// How many had been redeemed and had time left.
    pub(super) live: u64,
}

/// Ends the sessions of a user that have not ended.
pub(super) async fn end_all(
    tx: &DatabaseTransaction,
    user_id: UserId,
    except: Option<SessionId>,
    at: Timestamp,
    reason: EndReason,
) -> Result<EndedSessions, DbErr> {
    let mut condition = session::Column::UserId.eq(user_id.0);
    if let Some(id) = except {
        condition = condition.and(session::Column::Id.ne(id.0));
    }
    let open = find_open(tx, condition.clone()).await?;
    end_where(tx, condition, at, reason).await?;
    let live = open.iter().filter(|row| row.is_live(at)).count() as u64;
    Ok(EndedSessions { ids: open.into_iter().map(|row| SessionId(row.id)).collect(), live })
}

async fn end_where(
    tx: &DatabaseTransaction,
    condition: impl IntoCondition,
    at: Timestamp,
    reason: EndReason,
) -> Result<u64, DbErr> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(at.millis()))
        .col_expr(session::Column::EndReason, Expr::value(reason.name()))
        .col_expr(session::Column::Pending, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
        .filter(condition)
        .filter(session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

#[derive(FromQueryResult)]
struct OpenRow {
    id: sea_orm::prelude::Uuid,
    redeemed_at: Option<i64>,
    expires_at: i64,
}

impl OpenRow {
    fn is_live(&self, at: Timestamp) -> bool {
        self.redeemed_at.is_some() && self.expires_at > at.millis()
    }
}

async fn find_open(tx: &DatabaseTransaction, condition: impl IntoCondition) -> Result<Vec<OpenRow>, DbErr> {
    session::Entity::find()
        .select_only()
        .columns([session::Column::Id, session::Column::RedeemedAt, session::Column::ExpiresAt])
        .filter(condition)
        .filter(session::Column::EndedAt.is_null())
        .into_model::<OpenRow>()
        .all(tx)
        .await
}
