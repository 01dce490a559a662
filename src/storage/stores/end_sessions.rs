//! The end of sessions, in the transaction of the caller.

use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
};

use super::{auth_log, feed};
use crate::model::{EndReason, Revocation, SessionId, Timestamp, UserId};
use crate::storage::commands::{EndSession, EndUserSessions, Revoked};
use crate::storage::entity::{session, user};

/// Ends one session; returns `None` if it had already ended.
pub(super) async fn end_one(tx: &DatabaseTransaction, ending: &EndSession) -> Result<Option<Revoked>, DbErr> {
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

/// Ends the sessions of a user; fails with `RecordNotUpdated` if the requesting session is not live.
pub(super) async fn end_all_of(tx: &DatabaseTransaction, ending: &EndUserSessions) -> Result<Revoked, DbErr> {
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

/// Locks the user's row first, as the lock order requires, and raises its epoch unless a session is kept. Returns the
/// epoch that is valid from now on.
async fn raise_epoch(tx: &DatabaseTransaction, ending: &EndUserSessions) -> Result<Option<i64>, DbErr> {
    let raise = i64::from(ending.except.is_none());
    user::Entity::update_many()
        .col_expr(user::Column::Epoch, Expr::col(user::Column::Epoch).add(raise))
        .col_expr(user::Column::Version, Expr::col(user::Column::Version).add(raise))
        .filter(user::Column::Id.eq(ending.user_id.0))
        .exec(tx)
        .await?;
    Ok(user::Entity::find_by_id(ending.user_id.0).one(tx).await?.map(|user| user.epoch))
}

/// The sessions that a transaction ended.
pub(super) struct EndedSessions {
    /// The ids of all of them, including those with an open grant.
    pub(super) ids: Vec<SessionId>,
    /// The number of sessions that had been redeemed and not expired.
    pub(super) live: u64,
}

/// Ends the sessions of a user that have not ended yet.
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
