//! Changes of a session's row: its grant is redeemed, or its refresh token is rotated. Each is one conditional
//! statement.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, UpdateMany,
};

use super::auth_log;
use crate::model::{AuthLogEntry, RefreshState};
use crate::storage::commands::{RedeemGrant, RotateRefreshToken};
use crate::storage::entity::session;
use crate::storage::{convert, predecessors};

/// Redeems a grant, and logs it if that succeeded.
pub(super) async fn redeem(tx: &DatabaseTransaction, step: &RedeemGrant) -> Result<bool, DbErr> {
    let audiences = convert::json_of_list(&step.audiences);
    let redeemed = with_refresh(session::Entity::update_many(), &step.refresh)
        .col_expr(session::Column::RedeemedAt, Expr::value(step.at.millis()))
        .col_expr(session::Column::RedemptionKey, Expr::value(step.request.map(|mark| mark.key.to_vec())))
        .col_expr(
            session::Column::RedemptionFingerprint,
            Expr::value(step.request.map(|mark| mark.fingerprint.to_vec())),
        )
        .col_expr(session::Column::ExpiresAt, Expr::value(step.expires_at.millis()))
        .col_expr(session::Column::Audiences, Expr::value(audiences.as_str()))
        .col_expr(session::Column::GrantedAudiences, Expr::value(audiences.as_str()))
        .col_expr(session::Column::Claims, Expr::value(convert::json_of(&step.claims)))
        .col_expr(session::Column::ClaimsRole, Expr::value(step.claims_role.as_str()))
        .col_expr(session::Column::Pending, Expr::value(Option::<Vec<u8>>::None))
        .col_expr(session::Column::IdleTtl, Expr::value(step.lifetime.idle_ttl.map(convert::millis)))
        .col_expr(session::Column::MaxAge, Expr::value(step.lifetime.max_age.map(convert::millis)))
        .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
        .filter(session::Column::Id.eq(step.session_id.0))
        .filter(session::Column::RedeemedAt.is_null())
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::GrantExpiresAt.gt(step.at.millis()))
        .exec(tx)
        .await?;
    log_if(tx, redeemed.rows_affected == 1, step.log.clone()).await
}

/// Rotates a refresh token, and logs it if that succeeded.
pub(super) async fn rotate_and_log(
    tx: &DatabaseTransaction,
    step: &RotateRefreshToken,
) -> Result<bool, DbErr> {
    let rotated = rotate(tx, step).await?;
    log_if(tx, rotated, step.log.clone()).await
}

/// Rotates a refresh token.
pub(super) async fn rotate(
    connection: &impl ConnectionTrait,
    step: &RotateRefreshToken,
) -> Result<bool, DbErr> {
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
            .col_expr(session::Column::Predecessors, Expr::value(predecessors::write(&advance.refresh)))
            .col_expr(session::Column::ExpiresAt, Expr::value(advance.expires_at.millis()))
            .col_expr(session::Column::Audiences, Expr::value(convert::json_of_list(&advance.audiences)))
            .col_expr(session::Column::Claims, Expr::value(convert::json_of(&advance.claims)))
            .col_expr(session::Column::ClaimsRole, Expr::value(advance.claims_role.as_str()))
            .col_expr(session::Column::Version, Expr::col(session::Column::Version).add(1))
            .filter(session::Column::Version.eq(advance.expected_version));
        if let Some(granted) = &advance.granted_audiences {
            let granted = convert::json_of_list(granted);
            update = update.col_expr(session::Column::GrantedAudiences, Expr::value(granted));
        }
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

async fn log_if(tx: &DatabaseTransaction, done: bool, log: Option<AuthLogEntry>) -> Result<bool, DbErr> {
    if done {
        auth_log::insert(tx, log).await?;
    }
    Ok(done)
}
