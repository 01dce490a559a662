//! Linking of an account to a signed-in user, once or again: only while the session that proves the sign-in is live.

use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use super::{auth_log, used_marks};
use crate::storage::commands::{LinkAccount, Linked};
use crate::storage::connection::Pool;
use crate::storage::entity::{account, session, user};
use crate::storage::error::{StoreResult, duplicate, is_deadlock};
use crate::storage::{convert, transaction};

pub(super) async fn link(pool: &Pool, linking: LinkAccount) -> StoreResult<Linked> {
    match transaction::write(pool, linking, |tx, linking| write_all(tx, linking).boxed()).await {
        Ok(()) => Ok(Linked::Done),
        Err(DbErr::RecordNotInserted) => Ok(Linked::Used),
        Err(DbErr::RecordNotUpdated) => Ok(Linked::SessionOver),
        Err(error) if used_marks::is_outcome_known(&error) => Ok(Linked::OutcomeKnown),
        Err(DbErr::RecordNotFound(_)) => Ok(Linked::Conflict),
        Err(error) if duplicate(&error).is_some() || is_deadlock(&error) => Ok(Linked::Conflict),
        Err(error) => Err(error.into()),
    }
}

async fn write_all(tx: &DatabaseTransaction, linking: &LinkAccount) -> Result<(), DbErr> {
    used_marks::insert_outcome(tx, linking.outcome.as_ref()).await?;
    if linking.again {
        used_marks::insert_missing(tx, &linking.used).await?;
    } else {
        used_marks::insert(tx, &linking.used).await?;
    }
    hold_user(tx, linking).await?;
    hold_session(tx, linking).await?;
    if linking.again {
        rescope(tx, linking).await?;
    } else {
        account::Entity::insert(convert::account_row(&linking.account)).exec_without_returning(tx).await?;
    }
    auth_log::insert(tx, linking.log.clone()).await
}

/// Writes the scope of an account of the user; fails with `RecordNotFound` if the account is gone.
async fn rescope(tx: &DatabaseTransaction, linking: &LinkAccount) -> Result<(), DbErr> {
    let rescoped = account::Entity::update_many()
        .col_expr(account::Column::Scope, Expr::value(linking.account.scope.clone()))
        .filter(account::Column::Id.eq(linking.account.id.0))
        .filter(account::Column::UserId.eq(linking.account.user_id.0))
        .exec(tx)
        .await?;
    if rescoped.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotFound("account".to_owned())) }
}

/// Locks the user's row until the end of the transaction, if its epoch is unchanged. Ending all sessions therefore
/// happens before or after.
async fn hold_user(tx: &DatabaseTransaction, linking: &LinkAccount) -> Result<(), DbErr> {
    let held = user::Entity::update_many()
        .col_expr(user::Column::Epoch, Expr::col(user::Column::Epoch))
        .filter(user::Column::Id.eq(linking.account.user_id.0))
        .filter(user::Column::Epoch.eq(linking.epoch))
        .exec(tx)
        .await?;
    if held.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}

/// Locks the session's row in the same way.
async fn hold_session(tx: &DatabaseTransaction, linking: &LinkAccount) -> Result<(), DbErr> {
    let held = session::Entity::update_many()
        .col_expr(session::Column::Version, Expr::col(session::Column::Version))
        .filter(session::Column::Id.eq(linking.session_id.0))
        .filter(session::Column::UserId.eq(linking.account.user_id.0))
        .filter(session::Column::RedeemedAt.is_not_null())
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(linking.at.millis()))
        .exec(tx)
        .await?;
    if held.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
}
